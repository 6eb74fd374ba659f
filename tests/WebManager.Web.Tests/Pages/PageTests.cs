using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace WebManager.Web.Tests.Pages;

/// <summary>Every page in a real browser: it fits a phone and a screen, light and dark, without serious accessibility violations. WM_SHOTS=folder keeps pictures.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    [Theory]
    [InlineData("map", "/"), InlineData("instances", "/instances"), InlineData("new", "/instances/new")]
    [InlineData("instance", "/instances/web1"), InlineData("instance-degraded", "/instances/db-primary"), InlineData("instance-mail", "/instances/mail"), InlineData("instance-recovered", "/instances/web2"), InlineData("instance-migrating", "/instances/crm")]
    [InlineData("console", "/instances/web1?tab=console"), InlineData("nodes", "/nodes"), InlineData("groups", "/groups"), InlineData("node", "/nodes/node3"), InlineData("job-recovery", "/jobs/911")]
    [InlineData("jobs", "/jobs"), InlineData("job", "/jobs/914"), InlineData("events", "/events"), InlineData("login", "/login?error=failed"), InlineData("setup", "/setup")]
    [InlineData("templates", "/templates"), InlineData("template", "/templates/course"), InlineData("template-void", "/templates/small"), InlineData("template-new", "/templates/new"), InlineData("template-edit", "/templates/course/edit"), InlineData("new-from-template", "/instances/new?template=course")]
    [InlineData("audit", "/audit?user=ada"), InlineData("not-found", "/nothing/here"), InlineData("no-instance", "/instances/nobody"), InlineData("error", "/error")]
    public async Task Page_is_accessible_and_fits(string name, string path)
    {
        var page = await browser.OpenAsync(path);
        if (name == "console") { await page.WaitForFunctionAsync("() => wmConsole('web1')?.text().includes('login:')"); }
        List<string> wrong = [];
        foreach (var (width, theme) in new[] { (1280, "light"), (390, "dark"), (1280, "dark"), (390, "light") })
        {
            await page.SetViewportSizeAsync(width, width < 500 ? 844 : 900);
            await page.EvaluateAsync("theme => { document.documentElement.dataset.theme = theme; return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))); }", theme);
            await ShotAsync(page, $"{name}-{width}-{theme}");
            var overflow = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
            if (overflow > 0) { wrong.Add($"{width}: {overflow} px too wide"); }
            // It takes its time: each width and each theme once; the other two pairs are seen to by the end-to-end tests.
            if (width > 1000 == (theme == "dark")) { wrong.AddRange(await ViolationsAsync(page, $"{width} {theme}")); }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        await page.Context.CloseAsync();
    }

    internal static async Task<IEnumerable<string>> ViolationsAsync(IPage page, string at)
    {
        var axe = await page.RunAxe(new AxeRunOptions { ResultTypes = [ResultType.Violations] });
        return axe.Violations.Where(v => v.Impact is "serious" or "critical")
            .Select(v => $"{at}: {v.Id}: {v.Help}\n   {string.Join("\n   ", v.Nodes.Take(4).Select(n => n.Html + " | " + string.Join(';', n.Any.Select(a => a.Message))))}");
    }

    internal static async Task ShotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("WM_SHOTS") is not { Length: > 0 } folder) { return; }
        await page.WaitForTimeoutAsync(200);
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = !name.StartsWith("console", StringComparison.Ordinal) });
    }
}
