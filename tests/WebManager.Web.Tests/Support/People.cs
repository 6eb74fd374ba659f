using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Tests.Support;

/// <summary>Accounts as a superuser makes them, and people who sign in with them.</summary>
internal static class People
{
    public const string Password = "correct horse battery";

    /// <summary>An account with a password, set by its link.</summary>
    public static async Task AddAsync(this TestPortal portal, string name, bool superuser = false, string? email = null)
    {
        using var api = portal.Api();
        var link = await ReadAsync<UserLinkReply>(await api.PostAsJsonAsync("/api/v1/users", new AddUserRequest(name) { Superuser = superuser, Email = email }));
        using var browser = portal.Browser();
        var set = await portal.PostFormAsync(browser, "/account/reset", ("token", TokenOf(link.Link)), ("password", Password), ("confirm", Password));
        Assert.Equal("/login?done=password", set.Headers.Location!.OriginalString);
    }

    public static string TokenOf(string link) => link.Split("token=")[1].Trim();

    /// <summary>Where the form leads.</summary>
    public static async Task<string> LoginAsync(this TestPortal portal, HttpClient browser, string name, string password = Password) =>
        (await portal.PostFormAsync(browser, "/account/login", ("username", name), ("password", password), ("returnUrl", "/"))).Headers.Location!.OriginalString;

    public static async Task<HttpClient> BrowserOfAsync(this TestPortal portal, string name, CookieContainer? cookies = null)
    {
        var browser = portal.Browser(cookies);
        Assert.Equal("/", await portal.LoginAsync(browser, name));
        return browser;
    }

    /// <summary>The API by a token of wm login.</summary>
    public static async Task<HttpClient> ApiOfAsync(this TestPortal portal, string name)
    {
        using var anyone = portal.Browser();
        return portal.Api((await ReadAsync<LoginReply>(await anyone.PostAsJsonAsync("/api/v1/session", new LoginRequest(name, Password)))).Token);
    }

    public static async Task<T> ReadAsync<T>(HttpResponseMessage answer)
    {
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<T>(WireJson.Options))!;
    }

    public static async Task<HttpStatusCode> StatusAsync(this HttpClient client, string path = "/api/v1/cluster") => (await client.GetAsync(path)).StatusCode;
}

/// <summary>An authenticator app: each code is given out once, as the portal takes it once.</summary>
internal sealed class Authenticator(string key)
{
    private long _last = Totp.StepAt(DateTimeOffset.UtcNow) - 2;

    public async Task<string> NextAsync()
    {
        var step = Math.Max(_last + 1, Totp.StepAt(DateTimeOffset.UtcNow) - 1);
        while (step > Totp.StepAt(DateTimeOffset.UtcNow) + 1) { await Task.Delay(200); }
        return Totp.Code(key, _last = step);
    }

    public string Last => Totp.Code(key, _last);
}
