// wm node: list, show, add, modify, maintenance, restart-agent, power-off, remove and its tags.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class NodeCommands
{
    public static Command Node(Surroundings around) => new Command("node", "The machines that run instances.").With(List(around), Show(around), Add(around), Modify(around), NodeMaintenance.Command(around), NodeRestartAgent.Command(around), PowerOff(around), Remove(around)).With(TagCommands.OfNode(around));

    private static Command List(Surroundings around) => new Command("list", "All nodes.").Does(around,
        run => run.ShowAsync("nodes", CliJson.Default.NodeViewArray, all =>
        {
            // Versions only where they say something: when not all are the portal's.
            var versions = all.Any(NodeRestartAgent.Differs);
            var table = new Output.Table(["NAME", "HEALTH", "ADDRESS", "CPUS", "MEMORY", "FREE", "DISK", "FREE DISK", "PRIMARIES", "SECONDARIES", .. versions ? ["AGENT", "KEEPER"] : Array.Empty<string>()]);
            foreach (var n in all)
                table.Row([n.Name, NodeRestartAgent.Health(n), n.Address, $"{n.Cpus}", Sizes.Format(n.MemoryMiB), Sizes.Format(n.FreeMemoryMiB), Sizes.Format(n.DiskMiB),
                    Sizes.Format(n.FreeDiskMiB), $"{n.Primaries}", $"{n.Secondaries}", .. versions ? [n.Version ?? "-", n.KeeperVersion ?? "-"] : Array.Empty<string>()]);
            table.Write(run.Around, "There are no nodes.");
        }));

    private static Command Show(Surroundings around)
    {
        var name = Parts.Name("The node.");
        return new Command("show", "One node.").Does(around, run => run.ShowAsync($"nodes/{Parts.Path(run.Get(name))}", CliJson.Default.NodeView, n =>
            new Details().Line("name", n.Name).Line("health", n.Health).Line("address", n.Address).Line("group", n.Group).Line("tags", string.Join(", ", n.Tags ?? [])).Line("drained", n.Drained ? "yes" : "no").Line("", n.DrainedWhy)
                .Line("maintenance", NodeMaintenance.Text(n.Maintenance, run.Around.Clock)).Line("power command", n.CanPowerOff ? "yes" : "no")
                .Line("hypervisor", n.Hypervisor).Line("", n.HypervisorNote).Line("agent", NodeRestartAgent.Agent(n)).Line("", NodeRestartAgent.Restarting(n)).Line("keeper", NodeRestartAgent.Keeper(n)).Line("cpus", $"{n.Cpus}")
                .Line("memory", $"{Sizes.Format(n.MemoryMiB)}, {Sizes.Format(n.FreeMemoryMiB)} free").Line("disk", $"{Sizes.Format(n.DiskMiB)}, {Sizes.Format(n.FreeDiskMiB)} free")
                .Line("primary of", $"{n.Primaries}").Line("secondary of", $"{n.Secondaries}").Line("last contact", Text.Time(n.LastContact, run.Around.Clock))
                .Line("note", n.Note).Write(run.Around)), name);
    }

    private static Command Add(Surroundings around)
    {
        var name = Parts.Name("The new node's name.");
        return new Command("add", "Print the command that makes a machine a node; its token is good once, for an hour.").Does(around, async run =>
        {
            var reply = await run.Portal.PostAsync("nodes", new AddNodeRequest(run.Get(name)), CliJson.Default.AddNodeRequest, CliJson.Default.AddNodeReply, run.Ct);
            if (run.Json)
            {
                run.WriteJson(reply.Json);
                return;
            }
            run.Say($"Run this on {reply.Value.Name}, before {Text.Time(reply.Value.ExpiresAt, run.Around.Clock)}:");
            run.Say($"  {reply.Value.Command}");
        }, name);
    }

    private static Command Modify(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The node."), Parts.Reason(), Parts.NoWait());
        var offline = Parts.YesNo("--offline", "Whether it is gone: its instances are then recovered.");
        var drained = Parts.YesNo("--drained", "Whether it gets no new instances.");
        return new Command("modify", "Set a node aside, or take that back.").Does(around, async run =>
        {
            var body = new ModifyNodeRequest { Offline = Parts.IsOn(run.Get(offline)), Drained = Parts.IsOn(run.Get(drained)), Reason = run.Get(reason) };
            var job = await run.Portal.PatchAsync($"nodes/{Parts.Path(run.Get(name))}", body, CliJson.Default.ModifyNodeRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, offline, drained, reason, noWait);
    }

    private static Command PowerOff(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The node."), Parts.Reason(), Parts.NoWait());
        var confirm = new Option<string?>("--confirm") { Description = "The node's name once more; asked for if left out.", HelpName = "NAME" };
        return new Command("power-off", "Run the node's out-of-band power command: what runs there ends at once.").Does(around, async run =>
        {
            var typed = run.Get(confirm) ?? run.AskFor($"Power {run.Get(name)} off at once? Type its name to confirm: ", "--confirm");
            var body = new PowerOffRequest(typed) { Reason = run.Get(reason) };
            var job = await run.Portal.PostAsync($"nodes/{Parts.Path(run.Get(name))}/power-off", body, CliJson.Default.PowerOffRequest, CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, confirm, reason, noWait);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, yes, noWait) = (Parts.Name("The node; it must hold no instances."), Parts.Yes(), Parts.NoWait());
        return new Command("remove", "Take a node out of the cluster.").Does(around, async run =>
        {
            run.Confirm($"Remove node {run.Get(name)}?", run.Get(yes));
            var job = await run.Portal.DeleteAsync($"nodes/{Parts.Path(run.Get(name))}", CliJson.Default.JobAccepted, run.Ct);
            await JobFollower.FollowAsync(run, job, run.Get(noWait));
        }, name, yes, noWait);
    }
}
