using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

public sealed partial class LinkTests
{
    [Fact]
    public async Task A_link_sets_one_password_and_no_second_one()
    {
        using var portal = new TestPortal();
        using var root = portal.Api();
        var link = await People.ReadAsync<UserLinkReply>(await root.PostAsJsonAsync("/api/v1/users", new AddUserRequest("ada")));
        Assert.InRange(link.ExpiresAt - DateTimeOffset.UtcNow, TimeSpan.FromDays(2.9), TimeSpan.FromDays(3));
        var token = People.TokenOf(link.Link);
        using var looker = portal.Browser();
        using var browser = portal.Browser();
        Assert.Equal(HttpStatusCode.OK, (await looker.GetAsync($"/reset?token={token}")).StatusCode);   // looking uses nothing up
        Assert.StartsWith("/reset?error=passwords-differ", await SetAsync(portal, browser, token, People.Password, "other"), StringComparison.Ordinal);
        Assert.StartsWith("/reset?error=password-weak", await SetAsync(portal, browser, token, "short", "short"), StringComparison.Ordinal);

        var ends = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => SetAsync(portal, browser, token, $"{People.Password} {i}", $"{People.Password} {i}")));
        Assert.Single(ends, "/login?done=password");
        Assert.Equal("/reset?error=link-invalid", await SetAsync(portal, browser, token, People.Password, People.Password));
        Assert.Contains("not valid", await looker.GetStringAsync($"/reset?token={token}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_superusers_link_ends_what_was_open_and_the_newest_counts()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var open = await portal.BrowserOfAsync("ada");
        using var root = portal.Api();
        var first = await People.ReadAsync<UserLinkReply>(await root.PostAsync("/api/v1/users/ada/reset-password", null));
        var second = await People.ReadAsync<UserLinkReply>(await root.PostAsync("/api/v1/users/ada/reset-password", null));
        Assert.InRange(second.ExpiresAt - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
        using var browser = portal.Browser();
        Assert.Equal("/reset?error=link-invalid", await SetAsync(portal, browser, People.TokenOf(first.Link), People.Password, People.Password));
        Assert.Equal(HttpStatusCode.OK, await open.StatusAsync());
        Assert.Equal("/login?done=password", await SetAsync(portal, browser, People.TokenOf(second.Link), "another horse battery", "another horse battery"));
        Assert.Equal(HttpStatusCode.Unauthorized, await open.StatusAsync());
    }

    [Fact]
    public async Task A_disabled_users_link_does_not_count()
    {
        using var portal = new TestPortal();
        using var root = portal.Api();
        var link = await People.ReadAsync<UserLinkReply>(await root.PostAsJsonAsync("/api/v1/users", new AddUserRequest("ada")));
        await root.PatchAsJsonAsync("/api/v1/users/ada", new { active = false });
        using var browser = portal.Browser();
        Assert.Equal("/reset?error=link-invalid", await SetAsync(portal, browser, People.TokenOf(link.Link), People.Password, People.Password));
    }

    [Fact]
    public async Task Forgotten_passwords_go_by_mail_and_nobody_learns_who_has_an_account()
    {
        await using var mail = new SmtpSink();
        using var portal = new TestPortal(mail.Settings);
        await portal.AddAsync("ada", email: "ada@example.org");
        var welcome = await mail.NextAsync();
        Assert.Contains("RCPT TO:<ada@example.org>", welcome, StringComparison.Ordinal);
        await portal.AddAsync("bob");
        using var browser = portal.Browser();
        foreach (var who in new[] { "nobody", "bob", "ADA@example.org" })
        {
            Assert.Equal("/forgot?sent=true", (await portal.PostFormAsync(browser, "/account/forgot", ("who", who))).Headers.Location!.OriginalString);
        }
        var letter = await mail.NextAsync();
        Assert.Contains("RCPT TO:<ada@example.org>", letter, StringComparison.Ordinal);
        var token = Token().Match(letter.Replace("=\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal)).Groups[1].Value;
        Assert.Equal("/login?done=password", await SetAsync(portal, browser, token, "another horse battery", "another horse battery"));
        Assert.Equal("/", await portal.LoginAsync(browser, "ada", "another horse battery"));
        Assert.Equal(0, mail.Waiting);
    }

    [Fact]
    public async Task Registration_is_off_until_it_is_switched_on()
    {
        using var portal = new TestPortal();
        using var browser = portal.Browser();
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync("/register")).StatusCode);
        Assert.DoesNotContain("/register", await browser.GetStringAsync("/login"), StringComparison.Ordinal);
        using var poster = portal.Browser();
        Assert.Equal(HttpStatusCode.Forbidden, (await RegisterAsync(portal, poster, "ada", "ada@example.org", People.Password)).StatusCode);
        using var root = portal.Api();
        Assert.Equal(HttpStatusCode.NotFound, await root.StatusAsync("/api/v1/users/ada"));
    }

    [Fact]
    public async Task Who_registers_signs_in_without_any_right()
    {
        using var portal = new TestPortal(("Portal:Registration", "true"));
        using var browser = portal.Browser();
        using var looker = portal.Browser();
        Assert.Contains("/register", await looker.GetStringAsync("/login"), StringComparison.Ordinal);
        async Task<string> TryAsync(string name, string email, string password) => (await RegisterAsync(portal, browser, name, email, password)).Headers.Location!.OriginalString;
        Assert.StartsWith("/register?error=name-invalid", await TryAsync("a b", "ada@example.org", People.Password), StringComparison.Ordinal);
        Assert.StartsWith("/register?error=name-invalid", await TryAsync("local", "ada@example.org", People.Password), StringComparison.Ordinal);
        Assert.StartsWith("/register?error=email-invalid", await TryAsync("ada", "ada", People.Password), StringComparison.Ordinal);
        Assert.StartsWith("/register?error=password-weak", await TryAsync("ada", "ada@example.org", "short"), StringComparison.Ordinal);
        Assert.Equal("/login?done=registered", await TryAsync("ada", "ada@example.org", People.Password));
        Assert.StartsWith("/register?error=exists", await TryAsync("ADA", "b@example.org", People.Password), StringComparison.Ordinal);
        using var ada = await portal.BrowserOfAsync("ada");
        Assert.Equal(HttpStatusCode.Forbidden, await ada.StatusAsync("/api/v1/users"));
    }

    [Fact]
    public async Task Where_there_is_mail_registering_tells_nobody_but_the_mailbox_whether_a_name_is_taken()
    {
        await using var mail = new SmtpSink();
        using var portal = new TestPortal([.. mail.Settings, ("Portal:Registration", "true")]);
        await portal.AddAsync("bob");
        using var browser = portal.Browser();
        async Task<string> TryAsync(string name, string email) => (await RegisterAsync(portal, portal.Browser(), name, email, "")).Headers.Location!.OriginalString;
        Assert.Equal("/login?done=registered-mail", await TryAsync("BOB", "eve@example.org"));
        Assert.Contains("There is an account of that name already.", Plain(await mail.NextAsync()), StringComparison.Ordinal);
        Assert.Equal("/login?done=registered-mail", await TryAsync("ada", "ada@example.org"));
        var token = Token().Match(Plain(await mail.NextAsync())).Groups[1].Value;
        Assert.StartsWith("/login?error=failed", await portal.LoginAsync(browser, "ada", ""), StringComparison.Ordinal);
        Assert.Equal("/login?done=password", await SetAsync(portal, browser, token, People.Password, People.Password));
        Assert.Equal("/", await portal.LoginAsync(browser, "ada"));
        Assert.Equal("/", await portal.LoginAsync(portal.Browser(), "bob"));
        // What cannot be a name or an address is said at once, and no address gets letter after letter.
        Assert.StartsWith("/register?error=name-invalid", await TryAsync("a b", "x@example.org"), StringComparison.Ordinal);
        Assert.Equal("/login?done=registered-mail", await TryAsync("grace", "ada@example.org"));
        using var root = portal.Api();
        Assert.Equal(HttpStatusCode.NotFound, await root.StatusAsync("/api/v1/users/grace"));
        Assert.Equal(0, mail.Waiting);
    }

    [Fact]
    public async Task People_of_a_directory_are_told_by_mail_where_their_password_lives()
    {
        await using var mail = new SmtpSink();
        using var slapd = await Slapd.StartAsync(Slapd.Person("ada", "Ada Lovelace"));
        using var portal = new TestPortal([.. mail.Settings, .. slapd.Settings]);
        using var browser = portal.Browser();
        Assert.Equal("/", await portal.LoginAsync(browser, "ada", Slapd.Password));
        Assert.Equal("/forgot?sent=true", (await portal.PostFormAsync(portal.Browser(), "/account/forgot", ("who", "ada"))).Headers.Location!.OriginalString);
        var letter = Plain(await mail.NextAsync());
        Assert.Contains("RCPT TO:<ada@example.org>", letter, StringComparison.Ordinal);
        Assert.Contains("The password of ada comes from the test directory. Change it there.", letter, StringComparison.Ordinal);
        Assert.DoesNotContain("token=", letter, StringComparison.Ordinal);
    }

    /// <summary>Without the marks of quoted-printable.</summary>
    private static string Plain(string letter) => letter.Replace("=\n", "", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);

    private static Task<HttpResponseMessage> RegisterAsync(TestPortal portal, HttpClient browser, string name, string email, string password) =>
        portal.PostFormAsync(browser, "/account/register", ("username", name), ("email", email), ("password", password), ("confirm", password));

    private static async Task<string> SetAsync(TestPortal portal, HttpClient browser, string token, string password, string confirm) =>
        (await portal.PostFormAsync(browser, "/account/reset", ("token", token), ("password", password), ("confirm", confirm))).Headers.Location!.OriginalString;

    [GeneratedRegex("token=([A-Za-z0-9_-]{43})")]
    private static partial Regex Token();
}
