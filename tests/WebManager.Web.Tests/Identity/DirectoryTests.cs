using System.Net;
using System.Net.Http.Json;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>Signing in with a real slapd: who comes in, as whom, and what they are here.</summary>
public sealed class DirectoryTests(DirectoryTests.Directory shared) : IClassFixture<DirectoryTests.Directory>
{
    public sealed class Directory : IAsyncLifetime
    {
        internal Slapd Slapd { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Slapd = await Slapd.StartAsync(
            Slapd.Person("ada", "Ada Lovelace") + Slapd.Person("bob", "Bob") + Slapd.Person("eve", "Eve") + Slapd.Person("o(*)k", "Odd") + Slapd.Person("local", "Reserved")
            + Slapd.Group("ops", "ada", "bob") + Slapd.Group("chiefs", "ada"));

        public ValueTask DisposeAsync()
        {
            Slapd.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private const string Failed = "/login?error=failed&returnUrl=%2F";
    private readonly Slapd _slapd = shared.Slapd;

    private TestPortal Portal(params (string, string)[] more) => new([.. _slapd.Settings, .. more]);

    private static Task<string> LoginAsync(TestPortal portal, HttpClient browser, string name, string password = Slapd.Password) => portal.LoginAsync(browser, name, password);

    [Fact]
    public async Task Who_is_in_the_directory_gets_an_account_without_a_password_here()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal("/", await LoginAsync(portal, browser, "ADA"));
        using var root = portal.Api();
        var user = (await root.GetFromJsonAsync<UserView>("/api/v1/users/ada", WireJson.Options))!;
        Assert.Equal(("ada", "Ada Lovelace", "ada@example.org", "directory", "the test directory", false, true, false),
            (user.Name, user.DisplayName, user.Email, user.Source, user.SourceName, user.HasPassword, user.Active, user.Superuser));

        // Nothing here sets a password for it.
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/api/v1/profile/password", new ChangePasswordRequest(Slapd.Password, "another horse battery")), 409, "user.password-elsewhere");
        await ApiTests.AssertProblemAsync(await root.PostAsync("/api/v1/users/ada/reset-password", null), 409, "user.password-elsewhere");
        await ApiTests.AssertProblemAsync(await browser.PatchAsJsonAsync("/api/v1/profile", new { email = "other@example.org", password = Slapd.Password }), 422, "user.email-elsewhere", "email");

        // The same person again is the same account, by the API as well.
        var session = await People.ReadAsync<LoginReply>(await portal.Browser().PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", Slapd.Password)));
        Assert.Equal("ada", session.User);
        Assert.Single((await root.GetFromJsonAsync<UserView[]>("/api/v1/users", WireJson.Options))!);
        Assert.Equal(["sign-in.directory", "sign-in.directory"], (await AuditAsync(root, "sign-in")).Where(e => e is { User: "ada", Result: "success" }).Select(e => e.Operation));
    }

    [Theory]
    [InlineData("ada", "wrong"), InlineData("ada", ""), InlineData("nobody", Slapd.Password), InlineData("*", Slapd.Password), InlineData("ad*", Slapd.Password)]
    [InlineData("ada)(uid=*", Slapd.Password), InlineData("local", Slapd.Password), InlineData("o(*)k", Slapd.Password), InlineData("", Slapd.Password)]
    public async Task Nobody_else_comes_in_and_every_failure_reads_the_same(string name, string password)
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal(Failed, await LoginAsync(portal, browser, name, password));
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.StatusAsync());
        using var root = portal.Api();
        Assert.Empty((await root.GetFromJsonAsync<UserView[]>("/api/v1/users", WireJson.Options))!);
    }

    [Fact]
    public async Task A_name_that_is_a_filter_means_itself()
    {
        // The directory knows somebody of that name; it is no name for an account, and the audit says so.
        using var portal = Portal();
        using var browser = portal.Browser();
        await LoginAsync(portal, browser, "o(*)k");
        using var root = portal.Api();
        Assert.Equal("refused: directory.name-invalid", Assert.Single(await AuditAsync(root, "sign-in")).Result);
    }

    [Fact]
    public async Task Without_a_search_account_the_name_is_part_of_a_distinguished_name()
    {
        using var portal = new TestPortal(("Ldap:Url", _slapd.Url), ("Ldap:BindDn", "uid={name},ou=people,dc=example,dc=org"));
        using var browser = portal.Browser();
        Assert.Equal(Failed, await LoginAsync(portal, browser, "ada,ou=people,dc=example,dc=org"));
        Assert.Equal(Failed, await LoginAsync(portal, browser, "ada", ""));
        Assert.Equal(Failed, await LoginAsync(portal, browser, "ada", "wrong"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada", "\0"))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.PostAsJsonAsync("/api/v1/session", new LoginRequest("ada\0", Slapd.Password))).StatusCode);
        Assert.Equal("/", await LoginAsync(portal, browser, "ada"));
    }

    [Fact]
    public async Task Five_wrong_tries_lock_the_account_here_whatever_the_directory_says()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal("/", await LoginAsync(portal, browser, "ada"));
        using var guesser = portal.Browser();
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => LoginAsync(portal, guesser, "ada", $"guess {i}")));
        Assert.Equal(Failed, await LoginAsync(portal, guesser, "ada"));
        using var root = portal.Api();
        Assert.Equal("refused: auth.locked", (await AuditAsync(root, "sign-in"))[0].Result);
    }

    [Fact]
    public async Task An_account_of_the_portals_own_keeps_its_name_and_its_password()
    {
        using var portal = Portal();
        await portal.AddAsync("ada");
        using var browser = portal.Browser();
        Assert.Equal(Failed, await LoginAsync(portal, browser, "ada"));
        Assert.Equal("/", await LoginAsync(portal, browser, "ada", People.Password));
        using var root = portal.Api();
        Assert.Null((await root.GetFromJsonAsync<UserView>("/api/v1/users/ada", WireJson.Options))!.Source);
    }

    [Fact]
    public async Task A_name_that_the_directory_gives_to_somebody_else_opens_nobodys_account()
    {
        _slapd.Change(Slapd.Person("moving", "First"));
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal("/", await LoginAsync(portal, browser, "moving"));
        _slapd.Change($"dn: uid=moving,ou=people,dc=example,dc=org\nchangetype: delete\n\n{Slapd.Person("moving", "Second")}");
        using var other = portal.Browser();
        Assert.Equal(Failed, await LoginAsync(portal, other, "moving"));
        using var root = portal.Api();
        Assert.Equal("refused: directory.name-taken", (await AuditAsync(root, "sign-in"))[0].Result);
        Assert.Equal("First", (await root.GetFromJsonAsync<UserView>("/api/v1/users/moving", WireJson.Options))!.DisplayName);
    }

    [Fact]
    public async Task Mapped_groups_follow_the_directory_and_others_stay()
    {
        using var portal = Portal(("Ldap:GroupBase", "ou=groups,dc=example,dc=org"), ("Ldap:GroupMap:operators", "ops"), ("Ldap:GroupMap:absent", "cn=ops,ou=groups,dc=example,dc=org"));
        using var root = portal.Api();
        foreach (var group in new[] { "operators", "friends" }) { (await root.PostAsJsonAsync("/api/v1/user-groups", new { name = group })).EnsureSuccessStatusCode(); }
        async Task BothAsync()
        {
            foreach (var name in new[] { "bob", "eve" }) { Assert.Equal("/", await LoginAsync(portal, portal.Browser(), name)); }
        }

        await BothAsync();
        Assert.Equal(["bob"], await MembersAsync(root, "operators"));
        foreach (var group in new[] { "operators", "friends" }) { (await root.PutAsJsonAsync($"/api/v1/user-groups/{group}/members/eve", new { })).EnsureSuccessStatusCode(); }
        var line = Assert.Single(await AuditAsync(root, "user-group.set-member"), e => e.User == "directory");
        Assert.Contains("bob signs in", line.Reason, StringComparison.Ordinal);

        _slapd.Change("dn: cn=ops,ou=groups,dc=example,dc=org\nchangetype: modify\ndelete: member\nmember: uid=bob,ou=people,dc=example,dc=org\n");
        await BothAsync();
        Assert.Empty(await MembersAsync(root, "operators"));
        Assert.Equal(["eve"], await MembersAsync(root, "friends"));
    }

    [Fact]
    public async Task Members_of_a_group_alone_come_in_and_those_of_another_are_superusers()
    {
        (string, string)[] rules = [("Ldap:GroupBase", "ou=groups,dc=example,dc=org"), ("Ldap:OnlyGroups", "CN=Chiefs, ou=groups, dc=example,dc=org; other"), ("Ldap:SuperuserGroup", "chiefs")];
        using var portal = Portal(rules);
        using var browser = portal.Browser();
        Assert.Equal(Failed, await LoginAsync(portal, browser, "eve"));
        Assert.Equal("/", await LoginAsync(portal, browser, "ada"));
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync("/api/v1/users"));
        using var root = portal.Api();
        Assert.Contains("refused: directory.not-allowed", (await AuditAsync(root, "sign-in")).Select(e => e.Result));
    }

    [Fact]
    public async Task Disabled_and_second_factor_hold_as_for_everybody()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        Assert.Equal("/", await LoginAsync(portal, browser, "bob"));
        var offer = await People.ReadAsync<SecondFactorOffer>(await browser.PostAsync("/api/v1/profile/second-factor", null));
        var app = new Authenticator(offer.Key);
        await People.ReadAsync<RecoveryCodesReply>(await browser.PostAsJsonAsync("/api/v1/profile/second-factor/confirm", new CodeRequest(await app.NextAsync())));
        using var second = portal.Browser();
        Assert.Equal("/login/code?returnUrl=%2F", await LoginAsync(portal, second, "bob"));
        Assert.Equal(HttpStatusCode.Unauthorized, await second.StatusAsync());
        Assert.Equal("/", (await portal.PostFormAsync(second, "/account/code", ("code", await app.NextAsync()), ("returnUrl", "/"))).Headers.Location!.OriginalString);

        // The directory's password is what proves it here, too.
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest("wrong", app.Last)), 422, "user.password-wrong", "password");
        Assert.Equal(HttpStatusCode.NoContent, (await browser.PostAsJsonAsync("/api/v1/profile/second-factor/off", new SecondFactorOffRequest(Slapd.Password, await app.NextAsync()))).StatusCode);

        using var root = portal.Api();
        await root.PatchAsJsonAsync("/api/v1/users/bob", new { active = false });
        Assert.Equal(HttpStatusCode.Unauthorized, await browser.StatusAsync());
        Assert.Equal(Failed, await LoginAsync(portal, browser, "bob"));
        Assert.Equal("refused: user.disabled", (await AuditAsync(root, "sign-in"))[0].Result);
    }

    [Fact]
    public async Task Passkeys_of_the_portal_are_not_for_people_of_the_directory()
    {
        using var portal = Portal();
        using var browser = portal.Browser();
        await LoginAsync(portal, browser, "bob");
        await ApiTests.AssertProblemAsync(await browser.PostAsJsonAsync("/account/passkeys/offer", new { password = Slapd.Password }), 409, "passkey.elsewhere");
    }

    internal static async Task<IReadOnlyList<AuditView>> AuditAsync(HttpClient root, string operation) =>
        (await root.GetFromJsonAsync<AuditPage>($"/api/v1/audit?limit=1000&operation={operation}", WireJson.Options))!.Entries;

    private static async Task<IEnumerable<string>> MembersAsync(HttpClient root, string group) =>
        (await root.GetFromJsonAsync<UserGroupView>($"/api/v1/user-groups/{group}", WireJson.Options))!.Members.Select(m => m.Name);
}
