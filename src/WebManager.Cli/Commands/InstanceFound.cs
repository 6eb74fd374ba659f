// wm instance found, wm instance adopt.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceFound
{
    public static Command List(Surroundings around) => new Command("found", "Instances that nodes have and no record names, as after a restored backup.").Does(around,
        run => run.ShowAsync("found", CliJson.Default.FoundViewArray, all =>
        {
            var table = new Output.Table("NAME", "STATE", "PRIMARY", "SECONDARY", "OWNER", "MEMORY", "DISK", "IMAGE", "ID", "NOTE");
            foreach (var f in all)
                table.Row(f.Name, f.Runs ? "runs" : "stopped", f.Primary, f.Secondary, f.Owner is null ? null : f.OwnerHere ? f.Owner : $"{f.Owner} (not here)",
                    f.MemoryMiB == 0 ? "-" : Sizes.Format(f.MemoryMiB), f.DiskMiB == 0 ? "-" : Sizes.Format(f.DiskMiB), f.Image, $"{f.Id}", f.Why);
            table.Write(run.Around, "Nothing was found: every instance on the nodes has its record here.");
        }));

    public static Command Adopt(Surroundings around)
    {
        var names = new Argument<string[]>("NAME") { Description = "What was found (wm instance found), by name or id.", Arity = ArgumentArity.ZeroOrMore, DefaultValueFactory = _ => [] };
        var all = new Option<bool>("--all") { Description = "All that was found." };
        var owner = new Option<string?>("--owner") { Description = "Who owns them and is charged: user:NAME, usergroup:NAME or a name; nobody if left out.", HelpName = "OWNER" };
        var fromTags = new Option<bool>("--owner-from-tags") { Description = "Each to the owner that its tags name." };
        var rename = new Option<string?>("--name") { Description = "What it is to be called; for one only.", HelpName = "NEW" };
        var addresses = new Option<bool>("--new-addresses") { Description = "Other MAC and IP addresses than it had; only while it does not run." };
        var (force, reason, noWait) = (InstanceOwner.Force(), Parts.Reason(), Parts.NoWait());
        return new Command("adopt", "Take up what was found: its guest runs on, its disks stay as they are.").Does(around, async run =>
        {
            var found = (await run.Portal.GetAsync("found", CliJson.Default.FoundViewArray, run.Ct)).Value;
            var picked = run.Get(all) ? [.. found] : run.Get(names).Select(n => Pick(found, n)).ToList();
            if (run.Get(all) == run.Get(names).Length > 0) throw new WmException(ExitCode.Usage, "Give names, or --all.");
            if (run.Get(rename) is not null && picked.Count != 1) throw new WmException(ExitCode.Usage, "--name is for one only.");
            if (picked.Count == 0) run.Say("Nothing was found.");
            await InstanceOwner.EachAsync(run, [.. picked.Select(f => $"{f.Id}")], async id =>
            {
                var body = new AdoptRequest { Name = run.Get(rename), Owner = run.Get(owner), OwnerFromTags = run.Get(fromTags), NewAddresses = run.Get(addresses), Force = run.Get(force), Reason = run.Get(reason) };
                await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"found/{id}/adopt", body, CliJson.Default.AdoptRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
            });
        }, names, all, owner, fromTags, rename, addresses, force, reason, noWait);
    }

    private static FoundView Pick(FoundView[] found, string nameOrId)
    {
        var hits = found.Where(f => f.Name == nameOrId || $"{f.Id}" == nameOrId).ToList();
        return hits.Count == 1 ? hits[0] : throw new WmException(ExitCode.Refused, hits.Count == 0 ? $"Nothing named {nameOrId} was found." : $"{hits.Count} are named {nameOrId}.", remedy: hits.Count == 0 ? "See wm instance found." : "Give the id.");
    }
}
