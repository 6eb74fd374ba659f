using Microsoft.Playwright;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>One Chromium for the tests of accounts; each test has a whole portal of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] s_flags =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    private IPlaywright? _playwright;
    private IBrowser? _chromium;

    public async ValueTask InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _chromium = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = s_flags });
    }

    /// <summary>Pages on this portal; closed with it, so that no circuit outlives its portal.</summary>
    internal Pages For(TestPortal portal) => new(_chromium!, portal);

    internal sealed class Pages(IBrowser chromium, TestPortal portal) : IAsyncDisposable
    {
        private readonly List<IBrowserContext> _open = [];

        /// <summary>A page in a session of its own. By the name localhost: passkeys want a name.</summary>
        public async Task<IPage> OpenAsync()
        {
            var address = $"http://localhost:{portal.Address.Port}";
            var context = await chromium.NewContextAsync(new() { BaseURL = address, ViewportSize = new() { Width = 1280, Height = 900 }, ReducedMotion = ReducedMotion.Reduce });
            _open.Add(context);
            await context.AddCookiesAsync([new() { Name = "wm-theme", Value = "light", Url = address }]);
            var page = await context.NewPageAsync();
            page.SetDefaultTimeout(15_000);
            Tell(page);
            return page;
        }

        public async Task<IPage> SignedInAsync(string name, string path = "/profile")
        {
            var page = await OpenAsync();
            await page.GotoAsync("/login?returnUrl=" + Uri.EscapeDataString(path));
            await TypeAsync(page, name);
            await page.Locator("main.content h1").First.WaitForAsync();
            return page;
        }

        private static void Tell(IPage page)
        {
            var output = TestContext.Current.TestOutputHelper;
            void Say(string text)
            {
                try { output?.WriteLine(text); }
                catch (InvalidOperationException) { }   // the test is over
            }

            page.Console += (_, m) => { if (m.Type is "error" or "warning") { Say($"console {m.Type}: {m.Text}"); } };
            page.PageError += (_, e) => Say($"page error: {e}");
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var context in _open) { await context.CloseAsync(); }
        }
    }

    internal static async Task TypeAsync(IPage page, string name, string password = People.Password)
    {
        await page.GetByTestId("username").FillAsync(name);
        await page.GetByTestId("password").FillAsync(password);
        await page.GetByTestId("sign-in").ClickAsync();
    }

    internal static async Task SignOutAsync(IPage page)
    {
        await page.GetByTestId("user-menu").Locator("summary").ClickAsync();
        await page.GetByTestId("sign-out").ClickAsync();
        await page.GetByTestId("login-form").WaitForAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_chromium is not null) { await _chromium.DisposeAsync(); }
        _playwright?.Dispose();
    }
}
