using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>The audit's lines about the door, and what tokens with less than their user's rights may see of it.</summary>
public sealed class SignInAuditTests
{
    [Fact]
    public async Task Who_came_in_and_who_did_not_stands_in_the_audit_with_the_way_and_the_address()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var browser = portal.Browser();
        await portal.LoginAsync(browser, "ada", "a guess");
        await portal.LoginAsync(browser, "nobody at all", "a password in the wrong field");
        Assert.Equal("/", await portal.LoginAsync(browser, "ada"));
        var (field, value) = await portal.AntiforgeryOfAsync(browser);
        using var form = new FormUrlEncodedContent([new(field, value)]);
        await browser.PostAsync("/account/logout", form);
        using var wm = await portal.ApiOfAsync("ada");
        Assert.Equal(HttpStatusCode.NoContent, (await wm.DeleteAsync("/api/v1/session")).StatusCode);

        using var root = portal.Api();
        var lines = (await DirectoryTests.AuditAsync(root, "sign-")).Select(e => (e.User, e.Face, e.Operation, e.Subject, e.Result)).Reverse();
        Assert.Equal(
        [
            ("anonymous", "portal", "sign-in.password", "user:ada", "refused: auth.failed"),
            ("anonymous", "portal", "sign-in.password", "sign-in", "refused: auth.failed"),
            ("ada", "portal", "sign-in.password", "user:ada", "success"),
            ("ada", "portal", "sign-out", "user:ada", "success"),
            ("ada", "api", "sign-in.password", "user:ada", "success"),
            ("ada", "api", "sign-out", "user:ada", "success"),
        ], lines);
        Assert.All(await DirectoryTests.AuditAsync(root, "sign-"), e => Assert.Contains("127.0.0.1", e.Address!, StringComparison.Ordinal));
        Assert.DoesNotContain("nobody at all", await root.GetStringAsync("/api/v1/audit/export?format=json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_factor_stands_beside_the_way_and_its_failures_count_as_refusals()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var api = await portal.ApiOfAsync("ada");
        var offer = await People.ReadAsync<SecondFactorOffer>(await api.PostAsync("/api/v1/profile/second-factor", null));
        var app = new Authenticator(offer.Key);
        await People.ReadAsync<RecoveryCodesReply>(await api.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await app.NextAsync())));
        using var browser = portal.Browser();
        await portal.LoginAsync(browser, "ada");
        await portal.PostFormAsync(browser, "/account/code", ("code", "000000"));
        await portal.PostFormAsync(browser, "/account/code", ("code", await app.NextAsync()));
        using var root = portal.Api();
        // The password alone was no sign-in: it has no line.
        Assert.Equal([("success", "with a code of the second factor"), ("refused: auth.code-wrong", "The code is wrong."), ("success", null)],
            (await DirectoryTests.AuditAsync(root, "sign-in")).Select(e => (e.Result, e.Reason)));
    }

    [Theory]   // path, what a superuser's read-only token gets, what one for some instances gets
    [InlineData("GET", "backup", "backup.forbidden", "backup.forbidden")]
    [InlineData("GET", "audit", null, "audit.forbidden"), InlineData("GET", "audit/export", null, "audit.forbidden"), InlineData("GET", "audit/verify", null, "audit.forbidden")]
    [InlineData("POST", "lab/reset", "lab.forbidden", "lab.forbidden"), InlineData("POST", "lab/heal", "lab.forbidden", "lab.forbidden"), InlineData("POST", "lab/nodes/n1/kill", "lab.forbidden", "lab.forbidden")]
    [InlineData("POST", "lab/nodes/n1/cut", "lab.forbidden", "lab.forbidden"), InlineData("POST", "lab/nodes/n1/start", "lab.forbidden", "lab.forbidden")]
    public async Task A_superusers_lesser_tokens_take_no_backup_pull_no_plug_and_see_only_their_own(string method, string path, string? readOnly, string limited)
    {
        using var folder = new TempFolder();
        await OpenIdPageTests.SeedAsync(folder, "web1");
        using var portal = new TestPortal(("Portal:Data", folder.Path));
        using var root = portal.Api(await portal.UserAsync("root", administrator: true));
        async Task<HttpClient> TokenAsync(AddTokenRequest request) => portal.Api((await People.ReadAsync<AddTokenReply>(await root.PostAsJsonAsync("/api/v1/tokens", request))).Token);
        using var looks = await TokenAsync(new AddTokenRequest("looks") { ReadOnly = true });
        using var some = await TokenAsync(new AddTokenRequest("some") { Instances = ["web1"] });
        Task<HttpResponseMessage> AskAsync(HttpClient client) => client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/api/v1/" + path));
        await ApiTests.AssertProblemAsync(await AskAsync(some), 403, limited);
        if (readOnly is null) { Assert.Equal(HttpStatusCode.OK, (await AskAsync(looks)).StatusCode); }
        else { await ApiTests.AssertProblemAsync(await AskAsync(looks), 403, readOnly); }
    }

    [Fact]
    public async Task A_passkey_is_offered_to_the_accounts_person_only()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var browser = await portal.BrowserOfAsync("ada");
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/account/passkeys/offer", new { }), 422, "user.password-wrong", "password");
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/account/passkeys/offer", new { password = "a guess" }), 422, "user.password-wrong", "password");
        // The options of a sign-in, which anybody gets, are no offer.
        await browser.PostAsync("/account/passkey/ask", null);
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/account/passkeys", new { name = "mine", credential = "{}" }), 409, "passkey.not-accepted");
        Assert.Equal(HttpStatusCode.OK, (await browser.PostAsJsonAsync("/account/passkeys/offer", new { password = People.Password })).StatusCode);
    }
}
