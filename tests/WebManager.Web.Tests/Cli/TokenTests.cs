using WebManager.Cli;
using Xunit;

namespace WebManager.Web.Tests.Cli;

/// <summary>Which token goes to which portal.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task Environment_goes_before_the_login_before_the_local_token()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 200, "[]").On("POST /session", 200, """{"token":"stored","user":"ann"}""");
        using var wm = new WmRun(portal) { TypedIn = "secret word\n" };

        await wm.RunAsync("node", "list");
        await File.WriteAllTextAsync(Path.Combine(wm.Home, "local-token"), "local\n");
        await wm.RunAsync("node", "list");
        await wm.RunAsync("login", "--user", "ann");
        await wm.RunAsync("node", "list");
        wm.Environment["WEBMANAGER_TOKEN"] = "given";
        await wm.RunAsync("node", "list");

        Assert.Equal([null, "Bearer local", null, "Bearer stored", "Bearer given"], portal.Requests.Select(r => r.Token));
    }

    [Fact]
    public async Task Login_reads_the_password_from_standard_input_and_keeps_the_token_to_its_owner()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /session", 200, """{"token":"stored","user":"ann"}""");
        using var wm = new WmRun(portal) { TypedIn = "secret word\n" };
        var (code, output, _) = await wm.RunAsync("login", "--user", "ann");
        Assert.Equal(0, code);
        Assert.DoesNotContain("secret", output);
        Assert.Equal("""{"user":"ann","password":"secret word"}""", Assert.Single(portal.Requests).Body);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(wm.LoginFile));
    }

    [Fact]
    public async Task A_stored_token_does_not_go_to_another_portal()
    {
        await using var mine = await FakePortal.StartAsync();
        await using var other = await FakePortal.StartAsync();
        mine.On("POST /session", 200, """{"token":"stored","user":"ann"}""");
        other.On("GET /nodes", 200, "[]");
        using var wm = new WmRun(mine) { TypedIn = "secret word\n" };
        await wm.RunAsync("login", "--user", "ann");
        await wm.RunAsync("node", "list", "--url", other.Url);
        Assert.Null(Assert.Single(other.Requests).Token);
    }

    [Fact]
    public async Task Logout_forgets_the_token()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("POST /session", 200, """{"token":"stored","user":"ann"}""").On("DELETE /session", 204, "");
        using var wm = new WmRun(portal) { TypedIn = "secret word\n" };
        await wm.RunAsync("login", "--user", "ann");
        Assert.Equal((0, "Signed out.\n", ""), await wm.RunAsync("logout"));
        Assert.False(File.Exists(wm.LoginFile));
    }

    [Fact]
    public async Task Without_a_token_the_answer_says_how_to_get_one()
    {
        await using var portal = await FakePortal.StartAsync();
        portal.On("GET /nodes", 401, "");
        using var wm = new WmRun(portal);
        var (code, _, error) = await wm.RunAsync("node", "list");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Equal("wm: You are not signed in.\n  Sign in with wm login, or set WEBMANAGER_TOKEN.\n", error);
    }
}
