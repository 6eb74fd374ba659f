using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>Signing in through an OpenID provider of the tests' own, step by step as a browser does it.</summary>
public sealed class OpenIdTests : IAsyncLifetime
{
    private const string Refused = "/login?error=openid-failed";
    private OpenIdProvider _provider = null!;

    public async ValueTask InitializeAsync() => _provider = await OpenIdProvider.StartAsync();

    public ValueTask DisposeAsync() => _provider.DisposeAsync();

    private TestPortal Portal(params (string, string)[] more) => new([.. _provider.Settings, .. more]);

    /// <summary>The way to the provider and back; the link back is not followed.</summary>
    private static async Task<string> AnswerAsync(HttpClient browser, string returnUrl = "/profile", string says = "yes")
    {
        var there = (await browser.GetAsync($"/account/openid?returnUrl={Uri.EscapeDataString(returnUrl)}")).Headers.Location!;
        Assert.True(there.IsAbsoluteUri, there.OriginalString);
        return (await browser.GetAsync($"{there.OriginalString}&{says}")).Headers.Location!.OriginalString;
    }

    private static async Task<string> EndAsync(HttpClient browser, string answer) => (await browser.GetAsync(answer)).Headers.Location!.OriginalString;

    private static async Task<string> SignInAsync(HttpClient browser, string returnUrl = "/profile") => await EndAsync(browser, await AnswerAsync(browser, returnUrl));

    [Fact]
    public async Task Who_comes_from_the_provider_has_an_account_by_issuer_and_subject()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal("/profile", await SignInAsync(browser));
        var me = (await browser.GetFromJsonAsync<UserView>("/api/v1/profile", WireJson.Options))!;
        Assert.Equal(("ada", "ada of Example", "ada@example.org", "openid", "Example Login", false, false), (me.Name, me.DisplayName, me.Email, me.Source, me.SourceName, me.HasPassword, me.TakesPasskeys));

        // The same subject with another name is the same account; another subject with this name or address is nobody's.
        _provider.Person = OpenIdProvider.Of("1", "countess");
        using var again = portal.Browser();
        Assert.Equal("/profile", await SignInAsync(again));
        Assert.Equal(me.Id, (await again.GetFromJsonAsync<UserView>("/api/v1/profile", WireJson.Options))!.Id);
        _provider.Person = OpenIdProvider.Of("2", "ada");
        using var stranger = portal.Browser();
        Assert.Equal("/login?error=openid-name-taken", await SignInAsync(stranger));
        Assert.Equal(HttpStatusCode.Unauthorized, await stranger.StatusAsync());
        using var root = portal.Api();
        Assert.Equal(["refused: openid.name-taken", "success", "success"], (await DirectoryTests.AuditAsync(root, "sign-in.openid")).Select(e => e.Result));

        // Nothing here lets it in by a password.
        await ApiTests.AssertProblemAsync(await root.PostAsync("/api/v1/users/ada/reset-password", null), 409, "user.password-elsewhere");
        Assert.StartsWith("/login?error=failed", await portal.LoginAsync(stranger, "ada", "whatever it is"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_of_the_portals_own_is_not_taken_over_by_name_or_address()
    {
        using var portal = Portal();
        await portal.AddAsync("ada", superuser: true, email: "ada@example.org");
        using var browser = portal.Browser();
        Assert.Equal("/login?error=openid-name-taken", await SignInAsync(browser));
        _provider.Person = new(OpenIdProvider.Of("3", "lovelace")) { ["email"] = "ada@example.org" };
        Assert.Equal("/profile", await SignInAsync(browser));
        Assert.Equal(("lovelace", false), await browser.GetFromJsonAsync<UserView>("/api/v1/profile", WireJson.Options) is { } me ? (me.Name, me.Superuser) : default);
    }

    [Theory]
    [InlineData("nonce"), InlineData("no-nonce"), InlineData("expired"), InlineData("future"), InlineData("issuer"), InlineData("audience"), InlineData("foreign"), InlineData("none"), InlineData("empty"), InlineData("userinfo"), InlineData("no-subject")]
    public async Task A_token_that_does_not_fit_lets_nobody_in(string what)
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (what is "foreign" or "none" or "empty") { _provider.Signing = what; }
        if (what == "userinfo") { _provider.Userinfo = OpenIdProvider.Of("2", "ada"); }
        _provider.Tweak = claims => _ = what switch
        {
            "nonce" => claims["nonce"] = "another",
            "no-nonce" => claims.Remove("nonce"),
            "expired" => claims["exp"] = now - 120,
            "future" => claims["nbf"] = now + 600,
            "issuer" => claims["iss"] = "https://login.example.com",
            "audience" => claims["aud"] = "another-client",
            "no-subject" => claims.Remove("sub"),
            _ => what,
        };
        Assert.Equal(Refused, await SignInAsync(browser));
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.StatusAsync());
        using var root = portal.Api();
        Assert.Empty((await root.GetFromJsonAsync<UserView[]>("/api/v1/users", WireJson.Options))!);
        Assert.Equal("refused: openid.failed", Assert.Single(await DirectoryTests.AuditAsync(root, "sign-in.openid")).Result);
        (_provider.Tweak, _provider.Signing, _provider.Userinfo) = (null, "right", null);
        Assert.Equal("/profile", await SignInAsync(browser));
    }

    [Fact]
    public async Task An_answer_counts_once_and_only_in_the_browser_that_asked()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        using var thief = portal.Browser();
        var answer = await AnswerAsync(browser);
        Assert.Equal(Refused, await EndAsync(thief, answer));
        Assert.Equal(HttpStatusCode.Unauthorized, await thief.StatusAsync());
        Assert.Equal(Refused, await EndAsync(browser, answer.Replace("state=", "state=x", StringComparison.Ordinal)));
        Assert.Equal(Refused, await EndAsync(browser, "/account/openid/callback?code=1"));
        Assert.Equal("/profile", await EndAsync(browser, answer));
        Assert.Equal(Refused, await EndAsync(browser, answer));
        // Who sends somebody an answer of their own gets them into no account: the cookies are not there.
        var mine = await AnswerAsync(thief);
        using var victim = portal.Browser();
        Assert.Equal(Refused, await EndAsync(victim, mine));
    }

    [Fact]
    public async Task The_cookies_of_the_way_are_for_the_server_and_come_along_from_the_provider()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        var begun = await browser.GetAsync("/account/openid");
        var cookies = begun.Headers.GetValues("Set-Cookie").Select(c => c.ToLowerInvariant()).ToList();
        Assert.Equal(2, cookies.Count);
        Assert.All(cookies, c => Assert.True(c.Contains("httponly", StringComparison.Ordinal) && c.Contains("samesite=lax", StringComparison.Ordinal) && c.Contains("path=/account/openid/callback", StringComparison.Ordinal), c));
        Assert.Contains("response_type=code", begun.Headers.Location!.Query, StringComparison.Ordinal);
        Assert.Contains("code_challenge_method=S256", begun.Headers.Location.Query, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", begun.Headers.Location.Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("//evil.example", "/"), InlineData("https://evil.example", "/"), InlineData("/\\evil.example", "/"), InlineData("/nodes?x=1", "/nodes?x=1")]
    public async Task It_leads_to_pages_of_the_portal_only(string wish, string end)
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal(end, await SignInAsync(browser, wish));
    }

    [Fact]
    public async Task Groups_of_the_provider_say_who_comes_in_and_where_somebody_belongs()
    {
        using var portal = Portal(("OpenId:OnlyGroups", "staff;chiefs"), ("OpenId:GroupMap:operators", "ops;admins"), ("OpenId:SuperuserGroup", "chiefs"));
        using var root = portal.Api();
        (await root.PostAsJsonAsync("/api/v1/user-groups", new { name = "operators" })).EnsureSuccessStatusCode();
        using var browser = portal.Browser();
        _provider.Person = OpenIdProvider.Of("1", "ada", "ops");
        Assert.Equal("/login?error=openid-not-allowed", await SignInAsync(browser));
        _provider.Person = OpenIdProvider.Of("1", "ada", "staff", "ops");
        Assert.Equal("/profile", await SignInAsync(browser));
        async Task<(string[], bool)> NowAsync() => ([.. (await root.GetFromJsonAsync<UserGroupView>("/api/v1/user-groups/operators", WireJson.Options))!.Members.Select(m => m.Name)],
            (await root.GetFromJsonAsync<UserView>("/api/v1/users/ada", WireJson.Options))!.Superuser);
        Assert.Equal((["ada"], false), await NowAsync(), Same);
        _provider.Person = OpenIdProvider.Of("1", "ada", "chiefs");
        Assert.Equal("/profile", await SignInAsync(browser));
        // Superuser it stays while it is the last one.
        Assert.Equal(([], true), await NowAsync(), Same);
        _provider.Person = OpenIdProvider.Of("1", "ada", "staff");
        Assert.Equal("/profile", await SignInAsync(browser));
        Assert.Equal(([], true), await NowAsync(), Same);
        await portal.AddAsync("root", superuser: true);
        Assert.Equal("/profile", await SignInAsync(browser));
        Assert.Equal(([], false), await NowAsync(), Same);
    }

    private static bool Same((string[] Members, bool Superuser) a, (string[] Members, bool Superuser) b) => a.Superuser == b.Superuser && a.Members.SequenceEqual(b.Members);

    [Fact]
    public async Task Disabled_accounts_and_people_without_one_are_told_so()
    {
        using var portal = Portal(("OpenId:MakeAccounts", "false"));
        using var browser = portal.Browser();
        Assert.Equal("/login?error=openid-no-account", await SignInAsync(browser));
        using var open = Portal();
        using var other = open.Browser();
        Assert.Equal("/profile", await SignInAsync(other));
        using var root = open.Api();
        await root.PatchAsJsonAsync("/api/v1/users/ada", new { active = false });
        Assert.Equal(HttpStatusCode.Unauthorized, await other.StatusAsync());
        Assert.Equal("/login?error=openid-disabled", await SignInAsync(other));
        Assert.Equal("/login?error=openid-denied", await EndAsync(other, await AnswerAsync(other, says: "no")));
    }

    [Theory]
    [InlineData(false, "/profile"), InlineData(true, "/login/code?returnUrl=%2Fprofile")]
    public async Task The_portals_own_second_factor_is_asked_for_where_it_is_wanted(bool wanted, string end)
    {
        using var portal = Portal(("OpenId:SecondFactor", $"{wanted}"));
        using var browser = portal.Browser();
        Assert.Equal("/profile", await SignInAsync(browser));
        var offer = await People.ReadAsync<SecondFactorOffer>(await browser.PostAsync("/api/v1/profile/second-factor", null));
        var app = new Authenticator(offer.Key);
        await People.ReadAsync<RecoveryCodesReply>(await browser.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await app.NextAsync())));
        using var second = portal.Browser();
        Assert.Equal(end, await SignInAsync(second));
        Assert.Equal(wanted ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, await second.StatusAsync());
        if (!wanted) { return; }
        Assert.Equal("/profile", (await portal.PostFormAsync(second, "/account/code", ("code", await app.NextAsync()), ("returnUrl", "/profile"))).Headers.Location!.OriginalString);
        using var root = portal.Api();
        Assert.Equal(("sign-in.openid", "with a code of the second factor"), (await DirectoryTests.AuditAsync(root, "sign-in")).Select(e => (e.Operation, e.Reason)).First());
        // Without a password the code alone turns it off.
        Assert.Equal(HttpStatusCode.NoContent, (await second.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest("", await app.NextAsync()))).StatusCode);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_said_to_be_and_others_sign_in()
    {
        using var portal = Portal(("OpenId:Authority", "http://127.0.0.1:9"));
        await portal.AddAsync("bob");
        using var browser = portal.Browser();
        Assert.Equal("/login?error=openid-unreachable&returnUrl=%2F", (await browser.GetAsync("/account/openid")).Headers.Location!.OriginalString);
        Assert.Equal("/", await portal.LoginAsync(browser, "bob"));
    }

    [Fact]
    public async Task Without_a_provider_there_is_no_button_and_no_way()
    {
        using var portal = new TestPortal();
        using var browser = portal.Browser();
        Assert.DoesNotContain("/account/openid", await browser.GetStringAsync("/login"), StringComparison.Ordinal);
        Assert.Equal("/login", (await browser.GetAsync("/account/openid")).Headers.Location!.OriginalString);
        Assert.NotEqual(HttpStatusCode.InternalServerError, (await browser.GetAsync("/account/openid/callback?code=1&state=2")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.StatusAsync());
    }

    [Theory]
    [InlineData("OpenId:Authority", "http://login.example.org"), InlineData("OpenId:ClientId", ""), InlineData("OpenId:Scopes", "profile")]
    public void Settings_that_cannot_be_meant_are_refused_at_the_start(string key, string value) =>
        Assert.Contains(key, Assert.ThrowsAny<Exception>(() => Portal((key, value))).ToString(), StringComparison.Ordinal);
}
