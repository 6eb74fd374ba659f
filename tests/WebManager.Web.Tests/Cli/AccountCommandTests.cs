using WebManager.Cli;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Cli;

/// <summary>wm user, wm token and wm login against a whole portal.</summary>
public sealed class AccountCommandTests
{
    [Fact]
    public async Task Users_are_made_listed_changed_and_removed()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("root", superuser: true);
        using var wm = Wm(portal, portal.LocalToken);

        var (code, output, _) = await wm.RunAsync("user", "add", "ada", "--full-name", "Ada L.", "--email", "ada@example.org");
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("/reset?token=", output, StringComparison.Ordinal);
        Assert.Contains("ada@example.org", (await wm.RunAsync("user", "list")).Out, StringComparison.Ordinal);
        Assert.Contains("active:        no", (await wm.RunAsync("user", "modify", "ada", "--active", "no")).Out, StringComparison.Ordinal);
        Assert.Contains("full name:     Ada L.", (await wm.RunAsync("user", "show", "ada")).Out, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Refused, "", "wm: ada is disabled.\n  Make the account active first.\n"), await wm.RunAsync("user", "reset-password", "ada"));
        Assert.Equal((ExitCode.Refused, "", "wm: This is no e-mail address.\n  field: email\n  Give one like ada@example.org.\n"), await wm.RunAsync("user", "add", "eve", "--email", "x"));
        Assert.Equal((ExitCode.Refused, "", "wm: This is the last active superuser.\n  field: superuser\n  Make another user superuser first.\n"), await wm.RunAsync("user", "modify", "root", "--superuser", "no"));
        Assert.Equal(ExitCode.Refused, (await wm.RunAsync("user", "remove", "ada", "--typed", "bob")).Code);
        Assert.Equal((ExitCode.Ok, "User ada is removed.\n", ""), await wm.RunAsync("user", "remove", "ada", "--typed", "ada"));
        Assert.DoesNotContain("ada", (await wm.RunAsync("user", "list")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_comes_alone_on_standard_output()
    {
        using var portal = new TestPortal();
        await portal.AddAsync("ada");
        using var wm = Wm(portal);
        wm.TypedIn = People.Password + "\n";
        Assert.Equal(ExitCode.Ok, (await wm.RunAsync("login", "--user", "ada")).Code);

        var (code, token, error) = await wm.RunAsync("token", "add", "ci", "--expires", "30d", "--read-only");
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("not shown again", error, StringComparison.Ordinal);
        using var program = Wm(portal, token.Trim());
        Assert.Equal(ExitCode.Ok, (await program.RunAsync("node", "list")).Code);
        Assert.Equal((ExitCode.Refused, "", "wm: This token may only look.\n"), await program.RunAsync("token", "remove", "ci"));
        Assert.Contains("read", (await wm.RunAsync("token", "list")).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await wm.RunAsync("token", "add", "x", "--expires", "soon")).Code);
        Assert.Equal(ExitCode.Ok, (await wm.RunAsync("token", "remove", "ci")).Code);
        Assert.Equal(ExitCode.Refused, (await program.RunAsync("node", "list")).Code);
    }

    [Fact]
    public async Task Login_asks_for_the_code_of_a_second_factor()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /session", 401, """{"title":"This account has a second factor: its code is needed, too.","code":"auth.code-required","field":"code"}""");
        using var wm = new WmRun(portal) { TypedIn = "secret word\n123456\n" };
        Assert.Equal(ExitCode.Refused, (await wm.RunAsync("login", "--user", "ann")).Code);
        Assert.Equal("""{"user":"ann","password":"secret word","code":"123456"}""", portal.Requests.Last().Body);
    }

    private static WmRun Wm(TestPortal portal, string? token = null)
    {
        var wm = new WmRun();
        wm.Environment["WEBMANAGER_URL"] = portal.Address.ToString();
        if (token is not null) { wm.Environment["WEBMANAGER_TOKEN"] = token; }
        return wm;
    }
}
