using System.Net;
using System.Net.Http.Json;
using System.Text;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

public sealed class SecondFactorTests
{
    [Theory]   // RFC 6238, appendix B, the last six digits
    [InlineData(59, "287082"), InlineData(1111111109, "081804"), InlineData(1234567890, "005924"), InlineData(20000000000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code) =>
        Assert.Equal(code, Totp.Code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds))));

    [Fact]
    public async Task The_password_alone_opens_nothing_and_a_code_works_once()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        var (app, codes) = await TurnOnAsync(portal);
        using var browser = portal.Browser();

        Assert.Equal("/login/code?returnUrl=%2F", await portal.LoginAsync(browser, "ada"));
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.StatusAsync());
        Assert.Contains("/login?returnUrl", (await browser.GetAsync("/profile")).Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.StartsWith("/login/code?error=wrong-code", await CodeAsync(portal, browser, "000000"), StringComparison.Ordinal);
        Assert.StartsWith("/login/code?error=wrong-code", await CodeAsync(portal, browser, app.Last), StringComparison.Ordinal);   // the one that turned it on
        Assert.Equal("/", await CodeAsync(portal, browser, await app.NextAsync()));
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync());

        using var later = portal.Browser();
        await portal.LoginAsync(later, "ada");
        Assert.StartsWith("/login/code?error=wrong-code", await CodeAsync(portal, later, app.Last), StringComparison.Ordinal);
        Assert.Equal("/", await CodeAsync(portal, later, codes[0].ToLowerInvariant()));
        using var last = portal.Browser();
        await portal.LoginAsync(last, "ada");
        Assert.StartsWith("/login/code?error=wrong-code", await CodeAsync(portal, last, codes[0]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_without_the_step_before_leads_back_to_the_start()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        var (app, _) = await TurnOnAsync(portal);
        using var anyone = portal.Browser();
        Assert.StartsWith("/login?error=expired", await CodeAsync(portal, anyone, await app.NextAsync()), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, await anyone.StatusAsync());
    }

    [Fact]
    public async Task A_step_from_before_a_new_password_does_not_count()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var owner = await portal.BrowserOfAsync("ada");
        var (app, _) = await TurnOnAsync(portal, owner);
        using var thief = portal.Browser();
        Assert.StartsWith("/login/code", await portal.LoginAsync(thief, "ada"), StringComparison.Ordinal);
        await owner.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(People.Password, "another horse battery"));
        Assert.StartsWith("/login?error=expired", await CodeAsync(portal, thief, await app.NextAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guessing_codes_locks_the_account_also_when_all_come_at_once()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        var (app, _) = await TurnOnAsync(portal);
        using var browser = portal.Browser();
        await portal.LoginAsync(browser, "ada");
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => CodeAsync(portal, browser, $"{i:D6}")));
        Assert.StartsWith("/login/code?error=wrong-code", await CodeAsync(portal, browser, await app.NextAsync()), StringComparison.Ordinal);
        using var again = portal.Browser();
        Assert.StartsWith("/login?error=failed", await portal.LoginAsync(again, "ada"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_asks_for_the_code_too()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        var (app, _) = await TurnOnAsync(portal);
        using var anyone = portal.Browser();
        await ApiTests.AssertProblemAsync(await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", People.Password)), 401, "auth.code-required", "code");
        await ApiTests.AssertProblemAsync(await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", "wrong") { Code = await app.NextAsync() }), 401, "auth.failed");
        await ApiTests.AssertProblemAsync(await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", People.Password) { Code = "123" }), 401, "auth.code-wrong", "code");
        var reply = await People.ReadAsync<LoginReply>(await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", People.Password) { Code = await app.NextAsync() }));
        using var api = portal.Api(reply.Token);
        Assert.Equal(HttpStatusCode.OK, await api.StatusAsync());
    }

    [Fact]
    public async Task Turning_it_off_takes_password_and_code_or_a_superuser()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var owner = await portal.BrowserOfAsync("ada");
        var (app, codes) = await TurnOnAsync(portal, owner);
        await ApiTests.AssertProblemAsync(await owner.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest("guess", codes[0])), 422, "user.password-wrong", "password");
        await ApiTests.AssertProblemAsync(await owner.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest(People.Password, "000000")), 422, "user.code-wrong", "code");
        await ApiTests.AssertProblemAsync(await owner.PostAsync("/api/v1/profile/second-factor", null), 409, "user.second-factor-on");
        Assert.Equal(HttpStatusCode.NoContent, (await owner.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest(People.Password, await app.NextAsync()))).StatusCode);
        using var simple = await portal.BrowserOfAsync("ada");

        await TurnOnAsync(portal, simple);
        using var root = portal.Api();
        Assert.Equal(HttpStatusCode.NoContent, (await root.PostAsync("/api/v1/users/ada/reset-second-factor", null)).StatusCode);
        using var after = await portal.BrowserOfAsync("ada");
        Assert.Equal(HttpStatusCode.OK, await after.StatusAsync());
    }

    [Fact]
    public async Task Keys_and_recovery_codes_are_not_readable_in_the_database()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var owner = await portal.BrowserOfAsync("ada");
        var offer = await People.ReadAsync<SecondFactorOffer>(await owner.PostAsync("/api/v1/profile/second-factor", null));
        var codes = await People.ReadAsync<RecoveryCodesReply>(await owner.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await new Authenticator(offer.Key).NextAsync())));
        var stored = new StringBuilder();
        foreach (var file in Directory.GetFiles(portal.Data, "webmanager.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            stored.Append(await reader.ReadToEndAsync());
        }
        Assert.Contains("ada", stored.ToString(), StringComparison.Ordinal);
        Assert.All(codes.Codes.Append(offer.Key), secret => Assert.DoesNotContain(secret, stored.ToString(), StringComparison.Ordinal));
    }

    private static async Task<(Authenticator App, IReadOnlyList<string> Codes)> TurnOnAsync(TestPortal portal, HttpClient? owner = null)
    {
        using var own = owner is null ? await portal.BrowserOfAsync("ada") : null;
        var client = owner ?? own!;
        var offer = await People.ReadAsync<SecondFactorOffer>(await client.PostAsync("/api/v1/profile/second-factor", null));
        var app = new Authenticator(offer.Key);
        return (app, (await People.ReadAsync<RecoveryCodesReply>(await client.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await app.NextAsync())))).Codes);
    }

    private static async Task<string> CodeAsync(TestPortal portal, HttpClient browser, string code) =>
        (await portal.PostFormAsync(browser, "/account/code", ("code", code), ("returnUrl", "/"))).Headers.Location!.OriginalString;
}
