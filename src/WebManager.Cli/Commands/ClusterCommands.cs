// wm cluster show, modify, unfreeze and its tags; wm event list, wm image list.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class ClusterCommands
{
    public static Command Cluster(Surroundings around) => new Command("cluster", "The cluster as a whole.").With(
        new Command("show", "Name, version, how much of it runs.").Does(around, run => run.ShowAsync("cluster", CliJson.Default.ClusterView, c =>
            new Details().Line("cluster", c.Name).Line("version", c.Version).Line("nodes", $"{c.NodesOnline} of {c.NodesAll} online")
                .Line("instances", $"{c.InstancesRunning} of {c.InstancesAll} running").Line("hypervisor", c.Hypervisor)
                .Line("auto-recover", c.AutoRecover ? "on" : "off").Line("auto-replace", c.ReplaceAfterSeconds > 0 ? $"after {TimeSpan.FromSeconds(c.ReplaceAfterSeconds).TotalMinutes:0.##} minutes" : "off").Line("tags", string.Join(", ", c.Tags ?? [])).Line("frozen", c.FrozenAt is { } at ? $"since {Text.Time(at, run.Around.Clock)}: {c.FrozenText}" : null).Write(run.Around))),
        Modify(around), Unfreeze(around), QueueCommands.Queue(around)).With(TagCommands.OfCluster(around));

    private static Command Modify(Surroundings around)
    {
        var auto = Parts.Switch("--auto-recover", "Whether instances of a lost node are started on their secondaries by themselves.");
        var replace = Parts.OffOrMinutes("--auto-replace", "After how long another node takes the place of a lost secondary.", 7 * 24 * 60);
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        return new Command("modify", "Change what holds for the whole cluster.").Does(around, async run =>
        {
            var body = new ModifyClusterRequest { AutoRecover = Parts.IsOn(run.Get(auto)), ReplaceAfterSeconds = run.Get(replace) * 60, Reason = run.Get(reason) };
            var job = await run.Portal.PatchAsync("cluster", body, CliJson.Default.ModifyClusterRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, auto, replace, reason, noWait);
    }

    private static Command Unfreeze(Surroundings around)
    {
        var (reason, noWait) = (Parts.Reason(), Parts.NoWait());
        return new Command("unfreeze", "Let automatic recovery go on after many nodes were lost at once.").Does(around, async run =>
        {
            var job = await run.Portal.PostAsync("cluster/unfreeze", new ReasonRequest { Reason = run.Get(reason) }, CliJson.Default.ReasonRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, reason, noWait);
    }

    public static Command Event(Surroundings around)
    {
        var limit = Parts.Int("--limit", "How many (50).", "N", 1, 1000);
        return new Command("event", "What happened to nodes and instances.").With(
            new Command("list", "The newest events, newest first.").Does(around,
                run => run.ShowAsync($"events?limit={run.Get(limit) ?? 50}", CliJson.Default.EventViewArray, all =>
                {
                    var table = new Output.Table("ID", "TIME", "SEVERITY", "SUBJECT", "TEXT");
                    foreach (var e in all) table.Row($"{e.Id}", Text.Time(e.At, run.Around.Clock), e.Severity, e.Subject, e.Text);
                    table.Write(run.Around, "Nothing has happened yet.");
                }), limit));
    }

    public static Command Image(Surroundings around) => new Command("image", "What instances are made from.").With(
        new Command("list", "The images.").Does(around, run => run.ShowAsync("images", CliJson.Default.ImageViewArray, all =>
        {
            var table = new Output.Table("NAME", "VERSION", "MIN MEMORY", "PARAMETERS", "DESCRIPTION");
            foreach (var i in all) table.Row(i.Name, i.Version, Sizes.Format(i.MinMemoryMiB), string.Join(",", i.OsParams ?? []), i.Description);
            table.Write(run.Around, "There are no images.");
        })));
}
