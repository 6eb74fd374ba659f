// wm lab: pull plugs on the virtual cluster.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class LabCommands
{
    public static Command Lab(Surroundings around) => new Command("lab", "The virtual cluster on the portal's machine.").With(
        new Command("status", "Its nodes and how many processes of each run.").Does(around, run => run.ShowAsync("lab", CliJson.Default.LabView, lab => Show(run, lab))),
        Act(around, "kill", "Kill every process of the node at once, like pulling its plug."),
        Act(around, "start", "Start the node, or what is missing of it."),
        Act(around, "freeze", "Stop every process of the node where it stands."),
        Act(around, "thaw", "Let a frozen node go on."),
        Reset(around));

    private static Command Act(Surroundings around, string verb, string help)
    {
        var name = Parts.Name("The lab node: n1, n2 ...");
        return new Command(verb, help).Does(around, async run =>
        {
            var lab = await run.Portal.PostAsync($"lab/nodes/{Parts.Path(run.Get(name))}/{verb}", CliJson.Default.LabView, run.Ct);
            if (run.Json) run.WriteJson(lab.Json);
            else Show(run, lab.Value);
        }, name);
    }

    private static Command Reset(Surroundings around)
    {
        var yes = Parts.Yes();
        return new Command("reset", "Remove all instances and make fresh nodes.").Does(around, async run =>
        {
            run.Confirm("Remove ALL instances and everything on the lab's nodes?", run.Get(yes));
            var lab = await run.Portal.PostAsync("lab/reset", CliJson.Default.LabView, run.Ct);
            if (run.Json) run.WriteJson(lab.Json);
            else Show(run, lab.Value);
        }, yes);
    }

    private static void Show(Invocation run, LabView lab)
    {
        if (!lab.Enabled)
        {
            run.Say("This portal has no lab (setting Lab:Enabled).");
            return;
        }
        var table = new Output.Table("NODE", "STATE", "PROCESSES", "ADDRESS", "CPUS", "MEMORY", "DISK");
        foreach (var n in lab.Nodes) table.Row(n.Name, n.State, $"{n.Processes}", n.Address, $"{n.Cpus}", Sizes.Format(n.MemoryMiB), Sizes.Format(n.DiskMiB));
        table.Write(run.Around, "The lab has no nodes.");
    }
}
