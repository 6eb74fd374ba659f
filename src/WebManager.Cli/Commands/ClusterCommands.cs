// wm cluster show, wm event list, wm image list.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;

namespace WebManager.Cli.Commands;

internal static class ClusterCommands
{
    public static Command Cluster(Surroundings around) => new Command("cluster", "The cluster as a whole.").With(
        new Command("show", "Name, version, how much of it runs.").Does(around, run => run.ShowAsync("cluster", CliJson.Default.ClusterView, c =>
            new Details().Line("cluster", c.Name).Line("version", c.Version).Line("nodes", $"{c.NodesOnline} of {c.NodesAll} online")
                .Line("instances", $"{c.InstancesRunning} of {c.InstancesAll} running").Line("hypervisor", c.Hypervisor).Write(run.Around))));

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
