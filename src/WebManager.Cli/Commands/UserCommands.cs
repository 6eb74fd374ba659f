// wm user: list, show, add, modify, reset-password, reset-second-factor, sign-out, remove.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class UserCommands
{
    public static Command User(Surroundings around) => new Command("user", "Accounts of people; for superusers.").With(
        List(around), Show(around), Add(around), Modify(around), ResetPassword(around),
        Act(around, "reset-second-factor", "Take the second factor away, for who lost the authenticator.", "Take the second factor of {0} away?", "reset-second-factor", "The password alone signs {0} in now."),
        SignOut(around), Remove(around));

    private static Command List(Surroundings around) => new Command("list", "All users.").Does(around,
        run => run.ShowAsync("users", CliJson.Default.UserViewArray, all =>
        {
            var table = new Output.Table("NAME", "FULL NAME", "E-MAIL", "ACTIVE", "SUPERUSER", "SECOND FACTOR", "LAST SIGN-IN");
            foreach (var u in all) table.Row(u.Name, u.DisplayName, u.Email, YesNo(u.Active), YesNo(u.Superuser), YesNo(u.SecondFactor), Text.Time(u.LastSignIn, run.Around.Clock));
            table.Write(run.Around, "There are no users.");
        }));

    private static Command Show(Surroundings around)
    {
        var name = Parts.Name("The user.");
        return new Command("show", "One user.").Does(around, run => run.ShowAsync($"users/{Parts.Path(run.Get(name))}", CliJson.Default.UserView, u => Print(run, u)), name);
    }

    private static void Print(Invocation run, UserView u) => new Details().Line("name", u.Name).Line("id", u.Id).Line("full name", u.DisplayName).Line("e-mail", u.Email)
        .Line("active", YesNo(u.Active)).Line("superuser", YesNo(u.Superuser)).Line("password", u.Source is not null ? $"in {u.SourceName}" : u.HasPassword ? "set" : "not set yet").Line("second factor", YesNo(u.SecondFactor))
        .Line("passkeys", $"{u.Passkeys}").Line("created", Text.Time(u.CreatedAt, run.Around.Clock)).Line("last sign-in", Text.Time(u.LastSignIn, run.Around.Clock)).Write(run.Around);

    private static Command Add(Surroundings around)
    {
        var (name, display, email) = (Parts.Name("The new user's name."), FullName(), Email());
        var super = new Option<bool>("--superuser") { Description = "May do everything." };
        return new Command("add", "Make an account; prints the link by which the person sets a password.").Does(around, async run =>
        {
            var body = new AddUserRequest(run.Get(name)) { DisplayName = run.Get(display), Email = run.Get(email), Superuser = run.Get(super) };
            PrintLink(run, await run.Portal.PostAsync("users", body, CliJson.Default.AddUserRequest, CliJson.Default.UserLinkReply, run.Ct));
        }, name, display, email, super);
    }

    private static Command Modify(Surroundings around)
    {
        var (name, display, email) = (Parts.Name("The user."), FullName(), Email());
        var (active, super) = (Parts.YesNo("--active", "Whether the user may sign in; no ends all that is open."), Parts.YesNo("--superuser", "Whether the user may do everything."));
        return new Command("modify", "Change an account. An empty text takes a value away.").Does(around, async run =>
        {
            var body = new ModifyUserRequest { DisplayName = run.Get(display), Email = run.Get(email), Active = Parts.IsOn(run.Get(active)), Superuser = Parts.IsOn(run.Get(super)) };
            var answer = await run.Portal.PatchAsync($"users/{Parts.Path(run.Get(name))}", body, CliJson.Default.ModifyUserRequest, CliJson.Default.UserView, run.Ct);
            if (run.Json) run.WriteJson(answer.Json);
            else Print(run, answer.Value);
        }, name, display, email, active, super);
    }

    private static Command ResetPassword(Surroundings around)
    {
        var name = Parts.Name("The user.");
        return new Command("reset-password", "Print a one-time link to set a new password.").Does(around, async run =>
            PrintLink(run, await run.Portal.PostAsync($"users/{Parts.Path(run.Get(name))}/reset-password", CliJson.Default.UserLinkReply, run.Ct)), name);
    }

    private static Command Act(Surroundings around, string verb, string help, string question, string path, string done)
    {
        var (name, yes) = (Parts.Name("The user."), Parts.Yes());
        return new Command(verb, help).Does(around, async run =>
        {
            var user = run.Get(name);
            run.Confirm(string.Format(null, question, user), run.Get(yes));
            await run.Portal.PostAsync($"users/{Parts.Path(user)}/{path}", run.Ct);
            if (!run.Json) run.Say(string.Format(null, done, user));
        }, name, yes);
    }

    private static Command SignOut(Surroundings around)
    {
        var name = Parts.Name("The user.");
        return new Command("sign-out", "End all sessions of a user; tokens with a name stay.").Does(around, async run =>
        {
            await run.Portal.DeleteAsync($"users/{Parts.Path(run.Get(name))}/sessions", run.Ct);
            if (!run.Json) run.Say($"{run.Get(name)} is signed out everywhere.");
        }, name);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, typed) = (Parts.Name("The user."), new Option<string?>("--typed") { Description = "The name once more, instead of being asked for it.", HelpName = "NAME" });
        return new Command("remove", "Remove an account for good.").Does(around, async run =>
        {
            var user = run.Get(name);
            run.ConfirmTyped($"The account {user}, its tokens and passkeys will be gone.", user, run.Get(typed));
            await run.Portal.DeleteAsync($"users/{Parts.Path(user)}", run.Ct);
            if (!run.Json) run.Say($"User {user} is removed.");
        }, name, typed);
    }

    private static void PrintLink(Invocation run, Answer<UserLinkReply> answer)
    {
        if (run.Json) { run.WriteJson(answer.Json); return; }
        run.Say($"{answer.Value.Name} sets a password here, once, until {Text.Time(answer.Value.ExpiresAt, run.Around.Clock)}:");
        run.Say(answer.Value.Link);
        if (answer.Value.Mailed) run.Say("It was also mailed.");
    }

    private static Option<string?> FullName() => new("--full-name") { Description = "What the person is called.", HelpName = "TEXT" };
    private static Option<string?> Email() => new("--email") { Description = "Where letters go.", HelpName = "ADDRESS" };
    private static string YesNo(bool yes) => yes ? "yes" : "no";
}
