using System.Diagnostics;
using System.Net.Http.Json;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>A slapd that is gone, silent, or not the one it should be.</summary>
public sealed class DirectoryAwayTests : IAsyncLifetime
{
    private const string Failed = "/login?error=failed&returnUrl=%2F";
    private Slapd _slapd = null!;

    public async ValueTask InitializeAsync() => _slapd = await Slapd.StartAsync(Slapd.Person("ada", "Ada Lovelace"));

    public ValueTask DisposeAsync()
    {
        _slapd.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Accounts_of_the_portals_own_sign_in_while_the_directory_is_gone()
    {
        using var portal = new TestPortal(_slapd.Settings);
        await portal.AddAsync("root", superuser: true);
        using var browser = portal.Browser();
        Assert.Equal("/", await portal.LoginAsync(browser, "ada", Slapd.Password));
        _slapd.Stop();
        using var other = portal.Browser();
        Assert.Equal(Failed, await portal.LoginAsync(other, "ada", Slapd.Password));
        Assert.Equal("/", await portal.LoginAsync(portal.Browser(), "root"));
        using var root = portal.Api();
        Assert.Equal(("refused: directory.unreachable", "user:ada"), (await DirectoryTests.AuditAsync(root, "sign-in.directory")).Select(e => (e.Result, e.Subject)).First());
        Assert.True((await browser.GetAsync("/api/v1/cluster")).IsSuccessStatusCode);   // who is in stays in

        // A directory that is away is nobody's wrong try.
        for (var i = 0; i < 6; i++) { await portal.LoginAsync(other, "ada", Slapd.Password); }
        await _slapd.StartAsync();
        Assert.Equal("/", await portal.LoginAsync(other, "ada", Slapd.Password));
    }

    [Fact]
    public async Task A_silent_directory_holds_nobody_up_for_longer_than_the_limit()
    {
        using var portal = new TestPortal([.. _slapd.Settings, ("Ldap:Limit", "00:00:08"), ("Limits:SignInsPerAddress", "0"), ("Limits:SignInsPerName", "0")]);
        await portal.AddAsync("root", superuser: true);
        using var browser = portal.Browser();
        _slapd.Freeze();
        // More than there are places to wait, each with a name of its own.
        var since = Stopwatch.StartNew();
        var waiting = Enumerable.Range(0, 20).Select(i => portal.LoginAsync(portal.Browser(), $"somebody{i}", Slapd.Password)).ToList();
        Assert.Equal("/", await portal.LoginAsync(browser, "root"));
        Assert.DoesNotContain(waiting, w => w.IsCompleted);   // all of them still wait
        Assert.All(await Task.WhenAll(waiting), end => Assert.Equal(Failed, end));
        Assert.InRange(since.Elapsed, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(15));
        _slapd.Thaw();
        await Testing.E2E.Until.TrueAsync(async () => await portal.LoginAsync(portal.Browser(), "ada", Slapd.Password) == "/", TimeSpan.FromSeconds(20), "ada comes in again");
    }

    [Theory]
    [InlineData(true, "/"), InlineData(false, Failed)]
    public async Task Over_tls_only_a_directory_with_a_certificate_of_the_named_ca_is_believed(bool trusted, string end)
    {
        using var portal = new TestPortal([.. _slapd.Settings, ("Ldap:StartTls", "true"), ("Ldap:CaFile", trusted ? _slapd.CaFile : "/etc/ssl/certs/ca-certificates.crt")]);
        using var browser = portal.Browser();
        Assert.Equal(end, await portal.LoginAsync(browser, "ada", Slapd.Password));
    }

    [Theory]
    [InlineData("Ldap:Url", "ldap://directory.example.org"), InlineData("Ldap:Url", "http://127.0.0.1"), InlineData("Ldap:Filter", "uid={name}"), InlineData("Ldap:Filter", "(uid=ada)")]
    [InlineData("Ldap:CaFile", "/nowhere/ca.pem"), InlineData("Ldap:SearchPassword", ""), InlineData("Ldap:BindDn", "{name}@example.org")]
    public void Settings_that_cannot_be_meant_are_refused_at_the_start(string key, string value)
    {
        var wrong = Assert.ThrowsAny<Exception>(() => new TestPortal([.. _slapd.Settings, (key, value)]));
        Assert.Contains(key, wrong.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_search_account_is_told_to_administrators_only()
    {
        using var portal = new TestPortal([.. _slapd.Settings, ("Ldap:SearchPassword", "wrong")]);
        using var browser = portal.Browser();
        Assert.Equal(Failed, await portal.LoginAsync(browser, "ada", Slapd.Password));
        using var root = portal.Api();
        Assert.Equal("refused: directory.search-account", (await DirectoryTests.AuditAsync(root, "sign-in"))[0].Result);
        Assert.Empty((await root.GetFromJsonAsync<UserView[]>("/api/v1/users", Contracts.WireJson.Options))!);
    }
}
