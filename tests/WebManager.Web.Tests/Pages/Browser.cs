using Microsoft.Playwright;
using Xunit;

namespace WebManager.Web.Tests.Pages;

/// <summary>One Chromium and one filled portal for all page tests.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Flags =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    private IPlaywright? _playwright;
    private IBrowser? _chromium;

    public PortalHost Portal { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Portal = await PortalHost.StartAsync(Scene.Filled());
        _playwright = await Playwright.CreateAsync();
        _chromium = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = Flags });
    }

    public async Task<IPage> OpenAsync(string path, int width = 1280, string theme = "light", PortalHost? portal = null, bool calm = true, bool policy = true)
    {
        var address = (portal ?? Portal).Address;
        var context = await _chromium!.NewContextAsync(new()
        {
            BypassCSP = !policy, BaseURL = address.ToString(), ViewportSize = new() { Width = width, Height = width < 500 ? 844 : 900 }, ReducedMotion = calm ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
        });
        await context.AddCookiesAsync([new() { Name = "wm-theme", Value = theme, Url = address.ToString() }]);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(15_000);
        Tell(page);
        await page.GotoAsync(path);
        await page.Locator("main h1").First.WaitForAsync();
        return page;
    }

    /// <summary>What the browser complains of stands beside a test's failure.</summary>
    private static void Tell(IPage page)
    {
        var output = TestContext.Current.TestOutputHelper;
        void Say(string text)
        {
            // It may come when the test is over.
            try { output?.WriteLine(text); }
            catch (InvalidOperationException) { }
        }

        page.Console += (_, m) => { if (m.Type is "error" or "warning") { Say($"console {m.Type}: {m.Text}"); } };
        page.PageError += (_, e) => Say($"page error: {e}");
        page.RequestFailed += (_, r) => Say($"request failed: {r.Url}: {r.Failure}");
        page.Response += (_, r) => { if (r.Status >= 400) { Say($"{r.Status}: {r.Url}"); } };
    }

    public async ValueTask DisposeAsync()
    {
        if (_chromium is not null) { await _chromium.DisposeAsync(); }
        _playwright?.Dispose();
        await Portal.DisposeAsync();
    }
}
