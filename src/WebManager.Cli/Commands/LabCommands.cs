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
        Cut(around),
        Heal(around),
        Reset(around));

    private static Command Cut(Surroundings around)
    {
        var (name, other) = (Parts.Name("The lab node: n1, n2 ..."), Maybe("OTHER", "Cut only what passes between NAME and this node."));
        return new Command("cut", "Drop all that passes the node's cable, without a word; the link stays up.").Does(around, run =>
            PostAsync(run, $"lab/nodes/{Parts.Path(run.Get(name))}/cut{From(run.Get(other))}"), name, other);
    }

    private static Command Heal(Surroundings around)
    {
        var (name, other) = (Maybe("NAME", "The lab node; without it everything is healed."), Maybe("OTHER", "Heal only the cut between NAME and this node."));
        return new Command("heal", "Let pass again what was cut.").Does(around, run =>
            PostAsync(run, run.Get(name) is { } node ? $"lab/nodes/{Parts.Path(node)}/heal{From(run.Get(other))}" : "lab/heal"), name, other);
    }

    private static Argument<string?> Maybe(string name, string help) => new(name) { Description = help, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => null };

    private static string From(string? other) => other is null ? "" : $"?from={Parts.Path(other)}";

    private static async Task PostAsync(Invocation run, string path)
    {
        var lab = await run.Portal.PostAsync(path, CliJson.Default.LabView, run.Ct);
        if (run.Json) run.WriteJson(lab.Json);
        else Show(run, lab.Value);
    }

    private static Command Act(Surroundings around, string verb, string help)
    {
        var name = Parts.Name("The lab node: n1, n2 ...");
        return new Command(verb, help).Does(around, run => PostAsync(run, $"lab/nodes/{Parts.Path(run.Get(name))}/{verb}"), name);
    }

    private static Command Reset(Surroundings around)
    {
        var yes = Parts.Yes();
        return new Command("reset", "Remove all instances and make fresh nodes.").Does(around, async run =>
        {
            run.Confirm("Remove ALL instances and everything on the lab's nodes?", run.Get(yes));
            await PostAsync(run, "lab/reset");
        }, yes);
    }

    private static void Show(Invocation run, LabView lab)
    {
        if (!lab.Enabled)
        {
            run.Say("This portal has no lab (setting Lab:Enabled).");
            return;
        }
        var table = new Output.Table("NODE", "STATE", "CUT FROM", "PROCESSES", "ADDRESS", "CPUS", "MEMORY", "DISK");
        foreach (var n in lab.Nodes) table.Row(n.Name, n.State, n.CutOff ? "everything" : string.Join(", ", n.CutFrom), $"{n.Processes}", n.Address, $"{n.Cpus}", Sizes.Format(n.MemoryMiB), Sizes.Format(n.DiskMiB));
        table.Write(run.Around, "The lab has no nodes.");
    }
}
