using System.Collections.Concurrent;
using Microsoft.Playwright;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Security;

/// <summary>The pages in a real browser under the real Content-Security-Policy: nothing of them is refused, and what is not theirs is.</summary>
public sealed class PolicyTests(Browser browser) : IClassFixture<Browser>
{
    private const string Watch = """
        window.violations = [];
        document.addEventListener('securitypolicyviolation', e => window.violations.push(`${e.violatedDirective}: ${e.blockedURI} ${e.sourceFile ?? ''}:${e.lineNumber}`));
        """;

    [Fact]
    public async Task No_page_breaks_the_policy()
    {
        var page = await browser.OpenAsync("/login");
        await page.Context.AddInitScriptAsync(Watch);
        List<string> wrong = [];
        foreach (var path in new[] { "/", "/instances", "/instances/new", "/instances/new?template=course", "/templates", "/templates/course", "/templates/new", "/instances/web1", "/instances/web1?tab=console", "/nodes", "/nodes/node3", "/groups", "/jobs", "/jobs/911", "/events", "/audit", "/login", "/setup", "/nothing/here" })
        {
            await page.GotoAsync(path);
            await page.Locator("main h1").First.WaitForAsync();
            if (path.EndsWith("console", StringComparison.Ordinal)) { await page.WaitForFunctionAsync("() => wmConsole('web1')?.text().includes('login:')"); }
            if (path == "/audit")
            {
                await page.GetByTestId("audit-verify").ClickAsync();
                await Assertions.Expect(page.GetByTestId("audit-report")).ToContainTextAsync("No entry was changed or removed.");
            }
            wrong.AddRange((await page.EvaluateAsync<string[]>("() => window.violations")).Select(v => $"{path}: {v}"));
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task What_is_injected_does_not_run()
    {
        var page = await browser.OpenAsync("/audit");
        await page.EvaluateAsync($$"""() => { {{Watch}} }""");
        await page.EvaluateAsync("""
            () => {
              window.ran = 0;
              const script = document.createElement('script'); script.textContent = 'window.ran++'; document.body.append(script);
              const image = document.createElement('div'); image.innerHTML = '<img src="x:" onerror="window.ran++">'; document.body.append(image);
              const link = document.createElement('a'); link.href = 'javascript:window.ran++'; document.body.append(link); link.click();
              const far = document.createElement('script'); far.src = 'https://scripts.example.org/x.js'; document.body.append(far);
            }
            """);
        await page.WaitForFunctionAsync("() => window.violations.filter(v => v.startsWith('script-src')).length >= 4");
        Assert.Equal(0, await page.EvaluateAsync<int>("() => window.ran"));
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task The_real_portal_signs_in_and_lives_under_the_policy()
    {
        using var portal = new TestPortal(("Portal:AdminPassword", People.Password));
        var page = await browser.OpenAsync("/login");
        await page.Context.AddInitScriptAsync(Watch);
        await page.GotoAsync(new Uri(portal.Address, "/login?returnUrl=%2Faudit").ToString());
        await page.GetByTestId("username").FillAsync("admin");
        await page.GetByTestId("password").FillAsync(People.Password);
        await page.GetByTestId("sign-in").ClickAsync();
        await Assertions.Expect(page.GetByTestId("audit-verify")).ToBeVisibleAsync();   // the circuit is up
        Assert.Empty(await page.EvaluateAsync<string[]>("() => window.violations"));
        await page.Context.CloseAsync();
    }
}
