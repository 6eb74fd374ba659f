// wm instance change-owner.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceOwner
{
    public static Command Change(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The instance's name or id."), Parts.Reason(), Parts.NoWait());
        var owner = new Argument<string>("OWNER") { Description = "user:NAME, usergroup:NAME or a name; nobody." };
        var force = Force();
        return new Command("change-owner", "Give it to another owner: the charge and the rights go along; it runs on.").Does(around, async run =>
        {
            var body = new ChangeOwnerRequest(run.Get(owner)) { Force = run.Get(force), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"instances/{Parts.Path(run.Get(name))}/change-owner", body, CliJson.Default.ChangeOwnerRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, owner, force, reason, noWait);
    }

    public static Option<bool> Force() => new("--force") { Description = "Even over the owner's quota; administrators only." };
}
