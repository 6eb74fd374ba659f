// wm login, wm logout.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class SessionCommands
{
    public static Command Login(Surroundings around)
    {
        var user = new Option<string?>("--user") { Description = "Your user name; asked for if left out.", HelpName = "USER" };
        var code = new Option<string?>("--code") { Description = "The code of your second factor, or a recovery code; asked for if it is needed.", HelpName = "CODE" };
        return new Command("login", "Sign in; the token is kept for the next commands. The password is asked for, or read from standard input. So is the code of a second factor.")
            .Does(around, run => LoginAsync(run, run.Get(user), run.Get(code)), user, code);
    }

    private static async Task LoginAsync(Invocation run, string? user, string? code)
    {
        // A stored or local token is not needed to sign in, and a stale one must not be in the way.
        var access = Access.Find(run.Around, run.Url) with { Token = null };
        if (string.IsNullOrEmpty(user)) user = Ask(run, "User: ", run.Around.In.ReadLine);
        var password = run.Around.CanAsk ? Ask(run, $"Password of {user}: ", run.Around.ReadSecret) : run.Around.In.ReadLine();
        if (string.IsNullOrEmpty(user) || string.IsNullOrEmpty(password)) throw new WmException(ExitCode.Usage, "A user name and a password are needed.");

        using var portal = new PortalClient(access);
        var reply = await SignInAsync(run, portal, new LoginRequest(user, password) { Code = code });
        Access.Store(run.Around, new StoredLogin(access.Portal.ToString(), reply.Value.User, reply.Value.Token));
        if (run.Json) run.WriteJson(reply.Json);
        else run.Say($"Signed in as {reply.Value.User} at {access.Portal}.");
    }

    private static async Task<Answer<LoginReply>> SignInAsync(Invocation run, PortalClient portal, LoginRequest request)
    {
        Task<Answer<LoginReply>> Send(LoginRequest r) => portal.PostAsync("session", r, CliJson.Default.LoginRequest, CliJson.Default.LoginReply, run.Ct);
        try { return await Send(request); }
        catch (WmException wanted) when (wanted.Code == "auth.code-required")
        {
            var code = Ask(run, "Code of your second factor: ", run.Around.In.ReadLine);
            if (string.IsNullOrWhiteSpace(code)) throw;
            return await Send(request with { Code = code.Trim() });
        }
    }

    private static string? Ask(Invocation run, string question, Func<string?> answer)
    {
        if (run.Around.CanAsk) run.Around.Error.Write(question);
        return answer();
    }

    public static Command Logout(Surroundings around) =>
        new Command("logout", "Forget the stored token, here and in the portal.").Does(around, LogoutAsync);

    private static async Task LogoutAsync(Invocation run)
    {
        var file = Access.LoginFile(run.Around);
        var login = ReadIfSound(run.Around);
        File.Delete(file);
        if (login is not null)
        {
            try
            {
                using var portal = new PortalClient(new Access(new Uri(login.Url), login.Token));
                await portal.DeleteAsync("session", run.Ct);
            }
            catch (WmException failure)
            {
                run.Around.Error.WriteLine($"wm: The token is forgotten here; the portal could not be told ({failure.Message})");
            }
        }
        if (!run.Json) run.Say(login is null ? "You were not signed in." : "Signed out.");
    }

    private static StoredLogin? ReadIfSound(Surroundings around)
    {
        try
        {
            return Access.ReadLogin(around);
        }
        catch (WmException)
        {
            return null;
        }
    }
}
