// wm instance: everything but add and create.
using System.CommandLine;
using System.Globalization;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class InstanceCommands
{
    public static Command Instance(Surroundings around) => new Command("instance", "Virtual machines.").With(
        InstanceAdd.Add(around), InstanceCreate.Create(around), List(around), Show(around), InstanceModify.Modify(around),
        Act(around, "start", "Start it."),
        Act(around, "stop", "Shut it down; the owner then wants it down.", "after which it is switched off (30)"),
        Act(around, "reboot", "Shut it down and start it.", "after which it is switched off (30)"),
        Remove(around),
        Act(around, "failover", "Start it anew on its secondary node.", "it has to shut down (30)"),
        Migrate(around),
        Act(around, "resync", "Make the copy on the secondary node equal to its disks."),
        InstanceReplace.Replace(around), InstanceOwner.Change(around), Confirm(around), Serial(around),
        InstanceFound.List(around), InstanceFound.Adopt(around)).With(TagCommands.OfInstance(around));

    private static Command List(Surroundings around) => new Command("list", "All instances that you may see.").Does(around,
        run => run.ShowAsync("instances", CliJson.Default.InstanceViewArray, all =>
        {
            var table = new Output.Table("NAME", "STATUS", "PRIMARY", "SECONDARY", "MIRROR", "IP", "VCPUS", "MEMORY", "DISK", "IMAGE", "OWNER");
            foreach (var i in all)
                table.Row(i.Name, i.Status, i.Primary, i.Secondary, Mirror(i), i.Ip, $"{i.Vcpus}", Sizes.Format(i.MemoryMiB), Disks(i), i.Image, i.Owner);
            table.Write(run.Around, "There are no instances. Make one: wm instance add NAME --image tiny-linux --memory 64M");
        }));

    private static Command Show(Surroundings around)
    {
        var name = Parts.Name("The instance's name or id.");
        return new Command("show", "One instance.").Does(around, run => run.ShowAsync($"instances/{Parts.Path(run.Get(name))}", CliJson.Default.InstanceView, i =>
            new Details().Line("name", i.Name).Line("status", i.Status).Line("note", i.Text).Line("wanted", i.Wanted).Line("owner", i.Owner).Line("tags", i.Tags is { Count: > 0 } tags ? string.Join(", ", tags) : null).Line("image", i.Image)
                .Line("vcpus", $"{i.Vcpus}").Line("memory", Sizes.Format(i.MemoryMiB)).Line("template", i.Template).Line("disks", Disks(i))
                .Line("primary", i.Primary).Line("secondary", i.Secondary).Line("mirror", Mirror(i)).Line("old copies", i.OldCopies is { Count: > 0 } old ? string.Join(", ", old) : null).Line("ip", i.Ip).Line("mac", i.Mac)
                .Line("started", Text.Time(i.StartedAt, run.Around.Clock)).Line("created", Text.Time(i.CreatedAt, run.Around.Clock))
                .Line("priority", i.Priority).Line("auto-recover", i.AutoRecover ? "on" : "off").Line("job", i.Job is { } job ? $"{job}" : null).Line("generation", $"{i.Generation}").Line("id", $"{i.Id}").Recovery(i.LastRecovery, run.Around.Clock).Write(run.Around)), name);
    }

    private static Command Act(Surroundings around, string verb, string help, string? timeoutHelp = null)
    {
        var (name, noWait, reason) = (Parts.Name("The instance's name or id."), Parts.NoWait(), Parts.Reason());
        var timeout = timeoutHelp is null ? null : Parts.Int("--timeout", $"Seconds {timeoutHelp}.", "S", 0, 3600);
        var command = new Command(verb, help).Does(around, async run =>
        {
            var body = new InstanceActionRequest { TimeoutSeconds = timeout is null ? null : run.Get(timeout), Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync($"instances/{Parts.Path(run.Get(name))}/{verb}", body, CliJson.Default.InstanceActionRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, noWait, reason);
        if (timeout is not null) command.Options.Add(timeout);
        return command;
    }

    private static Command Migrate(Surroundings around)
    {
        var (name, noWait, reason) = (Parts.Name("The instance's name or id."), Parts.NoWait(), Parts.Reason());
        var failover = new Option<bool>("--allow-failover") { Description = "If it does not run, fail it over instead." };
        return new Command("migrate", "Move it to its secondary node while it runs.").Does(around, async run =>
        {
            var body = new MigrateInstanceRequest { AllowFailover = run.Get(failover), Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync($"instances/{Parts.Path(run.Get(name))}/migrate", body, CliJson.Default.MigrateInstanceRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, failover, noWait, reason);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, yes, noWait, reason) = (Parts.Name("The instance's name or id."), Parts.Yes(), Parts.NoWait(), Parts.Reason());
        return new Command("remove", "Delete it with its disks.").Does(around, async run =>
        {
            run.Confirm($"Remove instance {run.Get(name)} and its disks?", run.Get(yes));
            var query = run.Get(reason) is { } why ? $"?reason={Parts.Path(why)}" : "";
            var job = await run.Portal.DeleteAsync($"instances/{Parts.Path(run.Get(name))}{query}", CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, yes, noWait, reason);
    }

    private static Command Confirm(Surroundings around)
    {
        var (name, noWait, reason) = (Parts.Name("The instance's name or id."), Parts.NoWait(), Parts.Reason());
        var off = new Option<string>("--off") { Description = "The one of its two nodes that is powered off for certain.", Required = true, HelpName = "NODE" };
        var typed = new Option<string?>("--typed") { Description = "The node's name once more, instead of being asked for it.", HelpName = "NODE" };
        return new Command("confirm", "For an instance in doubt: one of its nodes is off, go on with the copy on the other.").Does(around, async run =>
        {
            var node = run.Get(off)!;
            run.ConfirmTyped($"If {node} still runs, {run.Get(name)} runs twice. What {node} alone may have written is lost.", node, run.Get(typed));
            var body = new ConfirmInstanceRequest(node) { Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync($"instances/{Parts.Path(run.Get(name))}/confirm", body, CliJson.Default.ConfirmInstanceRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, off, typed, noWait, reason);
    }

    private static Command Serial(Surroundings around)
    {
        var name = Parts.Name("The instance's name or id.");
        var last = Parts.Int("--last", "How many lines (50).", "N", 1, 10000);
        return new Command("serial", "The last lines of its serial console.").Does(around,
            run => run.ShowAsync($"instances/{Parts.Path(run.Get(name))}/serial?last={run.Get(last) ?? 50}", CliJson.Default.SerialView, s =>
            {
                foreach (var line in s.Lines) run.Say(line);
            }), name, last);
    }

    private static string Disks(InstanceView i) => i.DisksMiB is { Count: > 0 } disks ? string.Join(",", disks.Select(Sizes.Format)) : "-";

    private static string? Mirror(InstanceView i) => i.Mirror is null or "none" ? null
        : i.MirrorPercent is { } percent ? string.Create(CultureInfo.InvariantCulture, $"{i.Mirror} {percent:0}%") : i.Mirror;
}
