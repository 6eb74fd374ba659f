using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Identity;

public sealed class AccountTests
{
    private const string Password = "correct horse";
    private static readonly (string, string) s_admin = ("Portal:AdminPassword", Password);

    [Fact]
    public async Task The_first_administrator_comes_by_the_link_and_only_once()
    {
        using var portal = new TestPortal();
        var file = Path.Combine(portal.Data, "setup-link.txt");
        var token = (await File.ReadAllTextAsync(file)).Trim().Split("token=")[1];
        if (!OperatingSystem.IsWindows()) { Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)); }
        using var browser = portal.Browser();

        Assert.Equal("/setup?error=wrong-token", await SetupAsync(portal, browser, "guess", Password, Password));
        Assert.StartsWith("/setup?error=passwords-differ", await SetupAsync(portal, browser, token, Password, "other"), StringComparison.Ordinal);
        Assert.StartsWith("/setup?error=password-too-short", await SetupAsync(portal, browser, token, "short", "short"), StringComparison.Ordinal);
        Assert.Equal("/", await SetupAsync(portal, browser, token, Password, Password));
        Assert.False(File.Exists(file));
        using var late = portal.Browser();
        Assert.Equal("/setup?error=used-token", await SetupAsync(portal, late, token, Password, Password));
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/cluster")).StatusCode);
    }

    [Fact]
    public async Task Two_set_ups_at_once_make_one_administrator()
    {
        using var portal = new TestPortal();
        var token = (await File.ReadAllTextAsync(Path.Combine(portal.Data, "setup-link.txt"))).Trim().Split("token=")[1];
        using var browser = portal.Browser();
        var ends = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => SetupAsync(portal, browser, token, Password, Password, $"admin{i}")));
        Assert.Single(ends, "/");
    }

    [Fact]
    public async Task Every_failed_sign_in_says_the_same_and_five_lock_the_account()
    {
        using var portal = new TestPortal(s_admin);
        using var browser = portal.Browser();
        const string Failed = "/login?error=failed&returnUrl=%2Fnodes";
        Assert.Equal(Failed, await LoginAsync(portal, browser, "nobody", "whatever", "/nodes"));
        for (var i = 0; i < 5; i++) { Assert.Equal(Failed, await LoginAsync(portal, browser, "admin", "wrong", "/nodes")); }
        Assert.Equal(Failed, await LoginAsync(portal, browser, "admin", Password, "/nodes"));
    }

    [Theory]
    [InlineData("/nodes?x=1", "/nodes?x=1")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("", "/")]
    public async Task Signing_in_leads_to_pages_of_the_portal_only(string wish, string end)
    {
        using var portal = new TestPortal(s_admin);
        using var browser = portal.Browser();
        Assert.Equal(end, await LoginAsync(portal, browser, "admin", Password, wish));
    }

    [Fact]
    public async Task The_cookie_is_for_the_server_only_and_ends_with_signing_out()
    {
        using var portal = new TestPortal(s_admin);
        var cookies = new CookieContainer();
        using var browser = portal.Browser(cookies);
        await LoginAsync(portal, browser, "admin", Password, "/");
        Assert.True(Assert.Single(cookies.GetAllCookies(), c => c.Name == "webmanager").HttpOnly);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/cluster")).StatusCode);
        using var unsigned = new FormUrlEncodedContent([]);
        Assert.Equal("/", (await browser.PostAsync("/account/logout", unsigned)).Headers.Location!.OriginalString);   // no antiforgery field: nothing happens
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/cluster")).StatusCode);
    }

    [Fact]
    public async Task A_form_without_its_antiforgery_field_is_refused()
    {
        using var portal = new TestPortal(s_admin);
        using var browser = portal.Browser();
        using var form = new FormUrlEncodedContent([new("username", "admin"), new("password", Password)]);
        var answer = await browser.PostAsync("/account/login", form);
        Assert.StartsWith("/login?error=expired", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_serve_the_api_and_pages_ask_to_sign_in()
    {
        using var portal = new TestPortal(s_admin);
        using var anyone = portal.Browser();
        Assert.Equal(HttpStatusCode.Unauthorized, (await anyone.GetAsync("/api/v1/nodes")).StatusCode);
        Assert.Contains("/login?returnUrl=%2Fnodes", (await anyone.GetAsync("/nodes")).Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("admin", "wrong"))).StatusCode);

        var session = await (await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest("admin", Password))).Content.ReadFromJsonAsync<LoginReply>();
        using var api = portal.Api(session!.Token);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/api/v1/nodes")).StatusCode);
        using var local = portal.Api();
        Assert.Equal(HttpStatusCode.OK, (await local.GetAsync("/api/v1/nodes")).StatusCode);
        using var wrong = portal.Api("guess");
        Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync("/api/v1/nodes")).StatusCode);
        Assert.DoesNotContain(session.Token, await File.ReadAllTextAsync(Path.Combine(portal.Data, "local-token")), StringComparison.Ordinal);
    }

    private static async Task<string> SetupAsync(TestPortal portal, HttpClient browser, string token, string password, string confirm, string name = "ada") =>
        (await portal.PostFormAsync(browser, "/setup", ("token", token), ("username", name), ("password", password), ("confirm", confirm))).Headers.Location!.OriginalString;

    private static async Task<string> LoginAsync(TestPortal portal, HttpClient browser, string name, string password, string returnUrl) =>
        (await portal.PostFormAsync(browser, "/account/login", ("username", name), ("password", password), ("returnUrl", returnUrl))).Headers.Location!.OriginalString;
}
