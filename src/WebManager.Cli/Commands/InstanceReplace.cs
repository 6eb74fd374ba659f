// wm instance replace-disks: another node for the second copy, in Ganeti's words.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceReplace
{
    public static Command Replace(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The instance's name or id."), Parts.Reason(), Parts.NoWait());
        var node = new Option<string?>("--new-secondary", "-n") { Description = "The node that gets the copy.", HelpName = "NODE" };
        var auto = new Option<bool>("--auto") { Description = "Let the cluster choose the node." };
        var command = new Command("replace-disks", "Give it another secondary node. The copy on a good one stays good until the new one is whole. Waits until then.").Does(around, async run =>
        {
            var body = new ReplaceSecondaryRequest { Secondary = run.Get(node), Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync($"instances/{Parts.Path(run.Get(name))}/replace-secondary", body, CliJson.Default.ReplaceSecondaryRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, node, auto, reason, noWait);
        command.Validators.Add(r =>
        {
            if (r.GetValue(auto) == (r.GetValue(node) is not null)) r.AddError("Give either --new-secondary NODE or --auto.");
        });
        return command;
    }
}
