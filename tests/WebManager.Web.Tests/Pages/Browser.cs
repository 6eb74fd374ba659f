using Microsoft.Playwright;

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

    public async Task<IPage> OpenAsync(string path, int width = 1280, string theme = "light", PortalHost? portal = null, bool calm = true)
    {
        var address = (portal ?? Portal).Address;
        var context = await _chromium!.NewContextAsync(new()
        {
            BaseURL = address.ToString(), ViewportSize = new() { Width = width, Height = width < 500 ? 844 : 900 }, ReducedMotion = calm ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
        });
        await context.AddCookiesAsync([new() { Name = "wm-theme", Value = theme, Url = address.ToString() }]);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(15_000);
        await page.GotoAsync(path);
        await page.Locator("main h1").First.WaitForAsync();
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (_chromium is not null) { await _chromium.DisposeAsync(); }
        _playwright?.Dispose();
        await Portal.DisposeAsync();
    }
}
