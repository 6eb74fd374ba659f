// Every page with real data, wide and narrow, light and dark: pictures for people to look at, and axe for what machines can judge.
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class ScreenshotTests(LabFixture lab) : LabTest(lab)
{
    /// <summary>Each width and each theme once; WEBMANAGER_SCREENSHOTS=all: all four, for whoever looks at them.</summary>
    private static readonly (int Width, int Height, ColorScheme Colors)[] s_looks = Environment.GetEnvironmentVariable("WEBMANAGER_SCREENSHOTS") == "all"
        ? [(1280, 800, ColorScheme.Light), (1280, 800, ColorScheme.Dark), (390, 844, ColorScheme.Light), (390, 844, ColorScheme.Dark)]
        : [(1280, 800, ColorScheme.Light), (390, 844, ColorScheme.Dark)];

    [Fact]
    public async Task No_page_has_a_serious_accessibility_violation_or_scrolls_sideways()
    {
        await FillAsync();
        var folder = Path.Combine(Built.Artifacts, "screenshots");
        Directory.CreateDirectory(folder);
        await using var browser = await Browser.StartAsync();
        var (findings, pictures) = (new List<string>(), 0);
        foreach (var (width, height, colors) in s_looks)
        {
            var page = await browser.PageAsync(Portal.Address, width, height, colors);
            findings.AddRange(await LookAsync(page, "login", "/login", "login-form", folder, width, colors));
            await Browser.SignInAsync(page, "admin", PortalProcess.AdminPassword);
            foreach (var (name, path, testId) in await PagesAsync())
            {
                findings.AddRange(await LookAsync(page, name, path, testId, folder, width, colors));
                pictures++;
            }
            await page.Context.CloseAsync();
        }
        Say($"{pictures} screenshots in {folder}");
        Assert.True(findings.Count == 0, string.Join('\n', findings.Distinct()));
    }

    /// <summary>A cluster in which something happened: instances of each kind, one stopped, one degraded, a failed job, a lost node.</summary>
    private async Task FillAsync()
    {
        await Lab.CreateAsync(LabFixture.Mirrored("web1.example.org") with { Primary = "n1", Secondary = "n2" });
        await Lab.CreateAsync(LabFixture.Mirrored("db") with { Primary = "n2", Secondary = "n3" });
        await Lab.CreateAsync(LabFixture.Diskless("worker-with-a-rather-long-name-to-see-what-it-does-to-tables") with { Primary = "n1" });
        await Lab.CreateAsync(new CreateInstanceRequest("files", "tiny-linux", 2, 128, "file", [128]) { Primary = "n1" });
        await Api.SucceedsAsync(Api.ActAsync("files", "stop", timeout: 10));
        await Api.LabAsync("n3", "kill");
        await Until.TrueAsync(async () => (await Api.InstanceAsync("db")).Mirror == "degraded" && (await Api.NodeAsync("n3")).Health == "lost", LabFixture.Soon, "db is degraded");
    }

    private async Task<IReadOnlyList<(string Name, string Path, string TestId)>> PagesAsync()
    {
        var job = (await Api.JobsAsync()).First(j => j.Operation == "instance.create").Id;
        return
        [
            ("map", "/", "map"), ("nodes", "/nodes", "nodes"), ("node", "/nodes/n1", "node-health"), ("node-lost", "/nodes/n3", "node-health"),
            ("instances", "/instances", "instances"), ("instance", "/instances/web1.example.org", "instance-status"), ("instance-degraded", "/instances/db", "instance-status"),
            ("console", "/instances/web1.example.org?tab=console", "console"), ("create", "/instances/new", "create-form"), ("groups", "/groups", "group-default"),
            ("jobs", "/jobs", "jobs"), ("job", $"/jobs/{job}", "job-log-line"), ("events", "/events", "event-line"), ("not-found", "/no-such-page", ""), ("instance-unknown", "/instances/nobody", ""),
        ];
    }

    private static async Task<IReadOnlyList<string>> LookAsync(IPage page, string name, string path, string testId, string folder, int width, ColorScheme colors)
    {
        var where = $"{name}-{width}-{colors.ToString().ToLowerInvariant()}";
        await page.GotoAsync(path);
        if (testId.Length > 0) await page.GetByTestId(testId).First.WaitForAsync();
        else await page.Locator("h1").First.WaitForAsync();
        if (name == "console") await Until.TrueAsync(() => page.EvaluateAsync<bool>("/beat/.test(window.wmConsole('web1.example.org')?.text() ?? '')"), LabFixture.Soon, "console shows the guest");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, where + ".png"), FullPage = true });
        var findings = new List<string>();
        if (await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")) findings.Add($"{where}: scrolls sideways");
        // It takes its time: each page once in each theme and once at each width.
        if (width > 1000 == (colors == ColorScheme.Dark)) return findings;
        var result = await page.RunAxe(new AxeRunOptions { ResultTypes = [ResultType.Violations] });
        findings.AddRange(result.Violations.Where(v => v.Impact is "serious" or "critical")
            .Select(v => $"{where}: {v.Id} ({v.Impact}): {v.Help}: {string.Join(" | ", v.Nodes.Take(3).Select(n => n.Html))}"));
        return findings;
    }
}
