// The product's main job as a person sees it: a real VM made in the browser, then its node's plug is pulled.
using Microsoft.Playwright;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Collection(LabCollection.Name)]
[Trait("Speed", "Slow")]
public sealed class FirstLightTests
{
    private const string Name = "web1";

    [Fact]
    public async Task VM_made_in_the_browser_counts_on_its_console_and_runs_on_its_secondary_after_the_plug_was_pulled()
    {
        await using var portal = await PortalProcess.StartAsync(adminPassword: null);
        await using var browser = await Browser.StartAsync();
        var page = await browser.PageAsync(portal.Address);
        var complaints = Complaints(page);
        try
        {
            await SetUpAsync(portal, browser, page);
            await CreateThroughTheFormAsync(page);
            await CountOnTheConsoleAsync(page);
            await PullThePlugAsync(portal, page);
            Assert.Empty(complaints);
        }
        catch
        {
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Built.Artifacts, "first-light-failed.png") });
            TestContext.Current.TestOutputHelper?.WriteLine($"--- portal's log:\n{portal.LastLines(60)}");
            throw;
        }
    }

    private static async Task SetUpAsync(PortalProcess portal, Browser browser, IPage page)
    {
        var link = File.ReadAllText(Path.Combine(portal.Data, "setup-link.txt")).Trim();
        await RefusedAsync(browser, portal, link[..^6] + "AAAAAA");
        await FillSetUpAsync(page, link);
        await page.GetByTestId("map").WaitForAsync();
        await RefusedAsync(browser, portal, link);

        // And the account works: signed out, then in again.
        await page.Context.ClearCookiesAsync();
        await Browser.SignInAsync(page, "admin", PortalProcess.AdminPassword);
    }

    private static async Task FillSetUpAsync(IPage page, string link)
    {
        await page.GotoAsync(link);
        await page.GetByTestId("username").FillAsync("admin");
        await page.GetByTestId("password").FillAsync(PortalProcess.AdminPassword);
        await page.GetByTestId("confirm-password").FillAsync(PortalProcess.AdminPassword);
        await page.GetByTestId("set-up").ClickAsync();
    }

    /// <summary>A wrong or used link makes no account and says so.</summary>
    private static async Task RefusedAsync(Browser browser, PortalProcess portal, string link)
    {
        var stranger = await browser.PageAsync(portal.Address);
        await FillSetUpAsync(stranger, link);
        var error = await stranger.GetByTestId("account-error").InnerTextAsync();
        Print.Line($"set-up link refused: {error.Trim()}");
        Assert.Matches("link|token|set up|used", error);
        await stranger.GotoAsync("/");
        Assert.Contains("/login", stranger.Url, StringComparison.Ordinal);
        await stranger.Context.CloseAsync();
    }

    private static async Task CreateThroughTheFormAsync(IPage page)
    {
        await page.GotoAsync("/instances/new");
        await page.GetByTestId("name").FillAsync(Name);
        await page.GetByTestId("image").SelectOptionAsync("tiny-linux");
        await page.GetByTestId("vcpus").FillAsync("1");
        await page.GetByTestId("memory").FillAsync("96M");
        await page.GetByTestId("template-mirror").CheckAsync();
        await page.GetByTestId("disk").FillAsync("64M");
        var submitted = NodeProcesses.SinceBoot();
        await page.GetByTestId("submit").ClickAsync();
        await page.Locator("[data-testid=instance-status][data-status=Running]").WaitForAsync();
        var took = NodeProcesses.SinceBoot() - submitted;
        Print.Line($"submit -> running in the browser: {Print.Seconds(took)}");
        Assert.True(took <= Limits.SubmitToRunning, $"Running after {took.TotalSeconds:0.00} s.");
    }

    private static async Task CountOnTheConsoleAsync(IPage page)
    {
        await page.GetByTestId("tab-console").ClickAsync();
        // It connects by itself to a guest that runs.
        await page.GetByTestId("console-state").GetByText("Connected", new LocatorGetByTextOptions { Exact = true }).WaitForAsync();
        await ShowsAsync(page, @"/ready: /.test(text)", "the guest is ready");
        await page.EvaluateAsync($"window.wmConsole('{Name}').send('beat\\r')");
        await ShowsAsync(page, @"/beat 20\b/.test(text)", "beat counts to 20");
    }

    private static Task ShowsAsync(IPage page, string test, string what) => Until.TrueAsync(
        () => page.EvaluateAsync<bool>($"(() => {{ const text = window.wmConsole('{Name}')?.text() ?? ''; return {test}; }})()"), TimeSpan.FromSeconds(30), $"console shows: {what}");

    private static async Task PullThePlugAsync(PortalProcess portal, IPage page)
    {
        // By its own link, in the same page: nothing is loaded anew from here.
        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Map" }).First.ClickAsync();
        var chip = page.GetByTestId($"map-instance-{Name}");
        await chip.WaitForAsync();
        await page.EvaluateAsync("window.notReloaded = true");
        var before = await portal.Api.InstanceAsync(Name);
        Assert.Equal(before.Primary, await chip.GetAttributeAsync("data-node"));
        Assert.Equal(before.Secondary, await page.GetByTestId($"map-mirror-{Name}").GetAttributeAsync("data-node"));
        var (old, next) = (portal.Serial(before), portal.Serial(before.Secondary!, before.Id));
        var from = next.End;
        var gone = NodeProcesses.GoneAsync(portal.Nodes.Guest(before.Id)!.Pid, TimeSpan.FromSeconds(20));

        (await portal.Wm.RunAsync("lab", "kill", before.Primary)).Must();
        var killed = await gone;
        var lost = page.Locator($"[data-testid=node-{before.Primary}-health][data-health=lost]").WaitForAsync();
        var moved = page.Locator($"[data-testid=map-instance-{Name}][data-node={before.Secondary}][data-status=Running]").WaitForAsync();
        var took = await next.BootedAsync(from, TimeSpan.FromSeconds(30)) - killed;
        Print.Line($"kill -> first line of init: {Print.Seconds(took)}");
        await Task.WhenAll(lost, moved);
        Assert.True(await page.EvaluateAsync<bool>("window.notReloaded === true"), "The page was loaded anew.");
        Assert.True(took <= Limits.KillToInit, $"First line of init after {took.TotalSeconds:0.00} s.");
        await ResumesAsync(page, old, next, from);
    }

    private static async Task ResumesAsync(IPage page, SerialFile old, SerialFile next, long from)
    {
        await page.GetByTestId($"map-instance-{Name}").ClickAsync();
        await page.GetByTestId("peek").GetByText("Console").ClickAsync();
        await ShowsAsync(page, @"/ready: /.test(text)", "the guest is ready again");
        await page.EvaluateAsync($"window.wmConsole('{Name}').send('beat\\r')");
        await Until.TrueAsync(() => next.Resume(from) is not null, TimeSpan.FromSeconds(20), "resume N");
        var (last, resumed) = (old.HighestBeat(), next.Resume(from)!.Value);
        Print.Line($"last beat on the old primary: {last}; resume {resumed}");
        Assert.True(last >= 20 && resumed >= last, $"beat {last} was acknowledged, resume says {resumed}");
    }

    private static List<string> Complaints(IPage page)
    {
        var said = new List<string>();
        page.PageError += (_, error) => said.Add(error);
        page.Console += (_, message) => { if (message.Type == "error" && !message.Text.Contains("WebSocket", StringComparison.Ordinal)) said.Add(message.Text); };
        return said;
    }
}
