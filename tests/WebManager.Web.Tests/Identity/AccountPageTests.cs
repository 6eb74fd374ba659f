using System.Diagnostics;
using System.Net.Http.Json;
using Microsoft.Playwright;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>The account pages as people use them, in a real browser on a whole portal. WM_SHOTS=folder keeps pictures.</summary>
public sealed class AccountPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact]
    public async Task A_passkey_is_made_renamed_used_and_removed()
    {
        using var portal = new TestPortal();
        await using var pages = chromium.For(portal);
        await portal.AddAsync("ada");
        var page = await pages.SignedInAsync("ada");
        var cdp = await page.Context.NewCDPSessionAsync(page);
        await cdp.SendAsync("WebAuthn.enable");
        await cdp.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true, ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
        await page.GetByTestId("passkey-name").FillAsync("laptop");
        await page.GetByTestId("passkey-password").FillAsync("a guess of somebody");
        await page.GetByTestId("passkey-add").ClickAsync();
        await page.GetByTestId("error-password").WaitForAsync();
        Assert.Equal(0, await page.GetByTestId("passkey-list").CountAsync());
        await page.GetByTestId("passkey-password").FillAsync(People.Password);
        await page.GetByTestId("passkey-add").ClickAsync();
        await page.GetByTestId("passkey-rename-laptop").ClickAsync();
        await page.GetByTestId("passkey-rename").WaitForAsync();   // the field has the old name by then
        await page.GetByTestId("passkey-name").FillAsync("my laptop");
        await page.GetByTestId("passkey-rename").ClickAsync();
        await page.GetByTestId("passkey-remove-my laptop").WaitForAsync();

        await Chromium.SignOutAsync(page);
        await page.GetByTestId("sign-in-passkey").ClickAsync();
        await page.Locator("main.content h1").First.WaitForAsync();
        await page.GotoAsync("/profile");
        await page.GetByTestId("passkey-remove-my laptop").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await page.GetByTestId("passkey-list").WaitForAsync(new() { State = WaitForSelectorState.Detached });

        await Chromium.SignOutAsync(page);
        await page.GetByTestId("sign-in-passkey").ClickAsync();   // the browser still has it, the portal does not
        await page.GetByTestId("account-error").WaitForAsync();
        await page.GotoAsync("/profile");
        await page.GetByTestId("login-form").WaitForAsync();
    }

    [Fact]
    public async Task A_second_factor_is_set_up_asked_for_and_turned_off()
    {
        using var portal = new TestPortal();
        await using var pages = chromium.For(portal);
        await portal.AddAsync("ada");
        var page = await pages.SignedInAsync("ada");
        await page.GetByTestId("begin-factor").ClickAsync();
        var app = new Authenticator(await page.GetByTestId("totp-key").InnerTextAsync());
        await page.GetByTestId("qr").Locator("svg path").WaitForAsync();
        await page.GetByTestId("totp-code").FillAsync("000000");
        await page.GetByTestId("confirm-factor").ClickAsync();
        await page.GetByTestId("error-code").WaitForAsync();
        await page.GetByTestId("totp-code").FillAsync(await app.NextAsync());
        await page.GetByTestId("confirm-factor").ClickAsync();
        await page.GetByTestId("codes-kept").WaitForAsync();
        Assert.Equal(10, await page.GetByTestId("recovery-codes").Locator("li").CountAsync());
        await page.GetByTestId("codes-kept").ClickAsync();
        await page.GetByTestId("factor-off").WaitForAsync();

        await Chromium.SignOutAsync(page);
        await page.GotoAsync("/login?returnUrl=%2Fprofile");
        await Chromium.TypeAsync(page, "ada");
        await page.GetByTestId("code").FillAsync(await app.NextAsync());
        await page.GetByTestId("send-code").ClickAsync();
        await page.GetByTestId("factor-code").FillAsync(await app.NextAsync());
        await page.GetByTestId("factor-password").FillAsync(People.Password);
        await page.GetByTestId("factor-off").ClickAsync();
        await page.GetByTestId("begin-factor").WaitForAsync();
    }

    [Theory]
    [InlineData("disable"), InlineData("session"), InlineData("password")]
    public async Task An_open_page_ends_within_two_seconds(string how)
    {
        using var portal = new TestPortal();
        await using var pages = chromium.For(portal);
        await portal.AddAsync("ada");
        var page = await pages.SignedInAsync("ada");
        await page.GetByTestId("session-current").WaitForAsync();
        using var root = portal.Api();
        using var ada = await portal.ApiOfAsync("ada");
        var since = Stopwatch.StartNew();
        var answer = how switch
        {
            "disable" => await root.PatchAsJsonAsync("/api/v1/users/ada", new { active = false }),
            "session" => await root.DeleteAsync("/api/v1/users/ada/sessions"),
            _ => await ada.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(People.Password, "another horse battery")),
        };
        Assert.True(answer.IsSuccessStatusCode);
        await page.GetByTestId("login-form").WaitForAsync();
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_superuser_makes_changes_and_removes_a_user()
    {
        using var portal = new TestPortal();
        await using var pages = chromium.For(portal);
        await portal.AddAsync("root", superuser: true);
        var page = await pages.SignedInAsync("root", "/users");
        await page.GetByTestId("user-new").ClickAsync();
        await page.GetByTestId("user-name").FillAsync("a b");
        await page.GetByTestId("user-add").ClickAsync();
        await page.GetByTestId("error-name").WaitForAsync();
        await page.GetByTestId("user-name").FillAsync("ada");
        await page.GetByTestId("user-display-name").FillAsync("<img src=x onerror=alert(1)>");
        await page.GetByTestId("user-add").ClickAsync();
        var link = new Uri(await page.GetByTestId("user-link").InnerTextAsync());
        await page.GetByTestId("user-done").ClickAsync();
        await page.GetByTestId("user-ada").GetByText("<img src=x onerror=alert(1)>").WaitForAsync();

        var other = await pages.OpenAsync();
        await other.GotoAsync(link.PathAndQuery);
        await other.GetByTestId("password").FillAsync(People.Password);
        await other.GetByTestId("confirm-password").FillAsync(People.Password);
        await other.GetByTestId("set-password").ClickAsync();
        await other.GetByTestId("account-done").WaitForAsync();
        await Chromium.TypeAsync(other, "ada");
        await other.Locator("main.content h1").First.WaitForAsync();
        await other.GotoAsync("/users");
        await other.GetByText("Only superusers may do this.").First.WaitForAsync();
        Assert.Equal(0, await other.GetByTestId("user-new").CountAsync());
        Assert.Equal(0, await other.GetByTestId("to-users").CountAsync());

        await page.GotoAsync("/users/ada");
        await page.GetByTestId("user-active").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await other.GetByTestId("login-form").WaitForAsync();
        await page.GetByTestId("user-remove").ClickAsync();
        await page.GetByTestId("confirm-name").FillAsync("ada");
        await page.GetByTestId("confirm-yes").ClickAsync();
        await page.GetByTestId("user-count").GetByText("1 in all").WaitForAsync();
    }

    [Fact]
    public async Task Sessions_and_tokens_are_seen_made_and_ended_on_the_profile()
    {
        using var portal = new TestPortal();
        await using var pages = chromium.For(portal);
        await portal.AddAsync("ada");
        using var phone = await portal.BrowserOfAsync("ada");
        var page = await pages.SignedInAsync("ada");
        await page.GetByTestId("token-new").ClickAsync();
        await page.GetByTestId("token-add").ClickAsync();
        await page.GetByTestId("error-name").WaitForAsync();
        await page.GetByTestId("token-name").FillAsync("ci");
        await page.GetByTestId("token-read-only").CheckAsync();
        await page.GetByTestId("token-add").ClickAsync();
        using var program = portal.Api(await page.GetByTestId("token-secret").InnerTextAsync());
        Assert.Equal(System.Net.HttpStatusCode.OK, await program.StatusAsync());
        await page.GetByTestId("token-done").ClickAsync();
        await page.GetByTestId("token-remove-ci").ClickAsync();
        await page.GetByTestId("confirm-yes").ClickAsync();
        await page.GetByTestId("token-remove-ci").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, await program.StatusAsync());

        Assert.Equal(2, await page.GetByTestId("session").CountAsync());
        await page.GetByTestId("session-end").ClickAsync();
        await page.GetByTestId("session-end").WaitForAsync(new() { State = WaitForSelectorState.Detached });
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, await phone.StatusAsync());

        await page.GetByTestId("old-password").FillAsync("guess");
        await page.GetByTestId("new-password").FillAsync("another horse battery");
        await page.GetByTestId("new-password-again").FillAsync("another horse battery");
        await page.GetByTestId("save-password").ClickAsync();
        await page.GetByTestId("error-oldPassword").WaitForAsync();
        await page.GetByTestId("email").FillAsync("nonsense");
        await page.GetByTestId("email-password").FillAsync(People.Password);
        await page.GetByTestId("save-profile").ClickAsync();
        await page.GetByTestId("error-email").WaitForAsync();
        await page.GetByTestId("email").FillAsync("ada@example.org");
        await page.GetByTestId("save-profile").ClickAsync();
        await page.GetByTestId("email-password").WaitForAsync(new() { State = WaitForSelectorState.Detached });
    }

    [Theory]
    [InlineData("login", "/login?error=failed"), InlineData("code", ""), InlineData("forgot", "/forgot"), InlineData("reset", ""), InlineData("register", "/register?error=email-invalid&name=ada")]
    [InlineData("profile", "/profile"), InlineData("profile-factor", "/profile"), InlineData("users", "/users"), InlineData("user", "/users/ada")]
    public async Task Page_is_accessible_and_fits(string name, string path)
    {
        using var portal = new TestPortal(("Portal:Registration", "true"), ("Cluster:Name", "demo-cloud"));
        await using var pages = chromium.For(portal);
        var page = await SceneAsync(portal, pages, name, path);
        List<string> wrong = [];
        foreach (var (width, theme) in new[] { (1280, "light"), (390, "dark"), (1280, "dark"), (390, "light") })
        {
            await page.SetViewportSizeAsync(width, width < 500 ? 844 : 900);
            await page.EvaluateAsync("theme => { document.documentElement.dataset.theme = theme; return new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))); }", theme);
            await PageTests.ShotAsync(page, $"{name}-{width}-{theme}");
            var overflow = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
            if (overflow > 0) { wrong.Add($"{width}: {overflow} px too wide"); }
            if (width > 1000 == (theme == "light")) { wrong.AddRange(await PageTests.ViolationsAsync(page, $"{width} {theme}")); }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task<IPage> SceneAsync(TestPortal portal, Chromium.Pages pages, string name, string path)
    {
        using var api = portal.Api();
        if (name is "login" or "forgot" or "register")
        {
            var open = await pages.OpenAsync();
            await open.GotoAsync(path);
            return open;
        }
        if (name == "reset")
        {
            var link = await People.ReadAsync<UserLinkReply>(await api.PostAsJsonAsync("/api/v1/users", new AddUserRequest("new")));
            var reset = await pages.OpenAsync();
            await reset.GotoAsync($"/reset?error=passwords-differ&token={People.TokenOf(link.Link)}");
            return reset;
        }
        await portal.AddAsync("root", superuser: true, email: "root@example.org");
        await portal.AddAsync("ada", email: "ada@example.org");
        await api.PatchAsJsonAsync("/api/v1/users/ada", new { displayName = "Ada Lovelace" });
        if (name is "users" or "user") { await FillAsync(portal, api); }
        using var phone = await portal.BrowserOfAsync("ada");
        using var ada = await portal.ApiOfAsync("ada");
        if (name == "code") { return await CodeSceneAsync(pages, ada); }
        foreach (var token in new[] { new AddTokenRequest("backup script") { Hours = 2160, ReadOnly = true }, new AddTokenRequest("ci") }) { await ada.PostAsJsonAsync("/api/v1/tokens", token); }
        var page = await pages.SignedInAsync(name is "users" or "user" ? "root" : "ada", path);
        await page.GetByTestId(name switch { "users" => "user-ada", "user" => "session", _ => "token" }).First.WaitForAsync();
        if (name == "profile-factor")
        {
            await page.GetByTestId("begin-factor").ClickAsync();
            await page.GetByTestId("qr").Locator("svg path").WaitForAsync();
        }
        return page;
    }

    private static async Task FillAsync(TestPortal portal, HttpClient api)
    {
        foreach (var (name, full, super) in new[] { ("grace", "Grace Hopper", true), ("linus", "Linus T.", false), ("a-rather-long-name-of-somebody", "With a long full name, too", false) })
        {
            await People.ReadAsync<UserLinkReply>(await api.PostAsJsonAsync("/api/v1/users", new AddUserRequest(name) { DisplayName = full, Superuser = super, Email = $"{name}@example.org" }));
        }
        await api.PatchAsJsonAsync("/api/v1/users/linus", new { active = false });
        using var root = await portal.BrowserOfAsync("root");
    }

    private static async Task<IPage> CodeSceneAsync(Chromium.Pages pages, HttpClient ada)
    {
        var offer = await People.ReadAsync<SecondFactorOffer>(await ada.PostAsync("/api/v1/profile/second-factor", null));
        await People.ReadAsync<RecoveryCodesReply>(await ada.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await new Authenticator(offer.Key).NextAsync())));
        var page = await pages.OpenAsync();
        await page.GotoAsync("/login");
        await Chromium.TypeAsync(page, "ada");
        await page.GetByTestId("code-form").WaitForAsync();
        return page;
    }
}
