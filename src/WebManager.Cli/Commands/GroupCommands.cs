// wm group: list, show, add, remove, rename, modify, assign-nodes.
using System.CommandLine;
using WebManager.Cli.Api;
using WebManager.Cli.Output;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal static class GroupCommands
{
    public static Command Group(Surroundings around) => new Command("group", "Node groups: both copies of an instance stay within one.").With(
        List(around), Show(around), Add(around), Remove(around), Rename(around), Modify(around), Assign(around));

    private static Command List(Surroundings around) => new Command("list", "All node groups.").Does(around,
        run => run.ShowAsync("groups", CliJson.Default.GroupViewArray, all =>
        {
            var table = new Output.Table("NAME", "AUTO-RECOVER", "NODES");
            foreach (var g in all) table.Row(g.Name, g.AutoRecover ? "on" : "off", string.Join(",", g.Nodes));
            table.Write(run.Around, "There are no node groups.");
        }));

    private static Command Show(Surroundings around)
    {
        var name = Parts.Name("The node group.");
        return new Command("show", "One node group.").Does(around, run => run.ShowAsync($"groups/{Parts.Path(run.Get(name))}", CliJson.Default.GroupView, g =>
            new Details().Line("name", g.Name).Line("id", $"{g.Id}").Line("auto-recover", g.AutoRecover ? "on" : "off").Line("nodes", g.Nodes.Count == 0 ? "none" : string.Join(", ", g.Nodes)).Write(run.Around)), name);
    }

    private static Command Add(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The new group's name."), Parts.Reason(), Parts.NoWait());
        return new Command("add", "Make a node group; it has no nodes yet.").Does(around, async run =>
        {
            var body = new AddGroupRequest(run.Get(name)) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync("groups", body, CliJson.Default.AddGroupRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, reason, noWait);
    }

    private static Command Remove(Surroundings around)
    {
        var (name, noWait) = (Parts.Name("The group; it must have no nodes."), Parts.NoWait());
        return new Command("remove", "Take an empty node group away.").Does(around, async run =>
            await JobFollower.FollowAsync(run, await run.Portal.DeleteAsync($"groups/{Parts.Path(run.Get(name))}", CliJson.Default.JobAccepted, run.Ct), run.Get(noWait)), name, noWait);
    }

    private static Command Rename(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The group."), Parts.Reason(), Parts.NoWait());
        var newName = new Argument<string>("NEW_NAME") { Description = "What it is called from now on." };
        return new Command("rename", "Call a node group something else.").Does(around, async run =>
        {
            var body = new RenameGroupRequest(run.Get(newName)) { Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"groups/{Parts.Path(run.Get(name))}/rename", body, CliJson.Default.RenameGroupRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, newName, reason, noWait);
    }

    private static Command Modify(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The group."), Parts.Reason(), Parts.NoWait());
        var auto = Parts.Switch("--auto-recover", "Whether instances of its nodes are started on their secondaries by themselves.");
        return new Command("modify", "Change what holds for a node group.").Does(around, async run =>
        {
            var body = new ModifyGroupRequest { AutoRecover = Parts.IsOn(run.Get(auto)), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PatchAsync($"groups/{Parts.Path(run.Get(name))}", body, CliJson.Default.ModifyGroupRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, auto, reason, noWait);
    }

    private static Command Assign(Surroundings around)
    {
        var (name, reason, noWait) = (Parts.Name("The group."), Parts.Reason(), Parts.NoWait());
        var nodes = new Argument<string[]>("NODE") { Description = "The nodes that come into it.", Arity = ArgumentArity.OneOrMore };
        var force = new Option<bool>("--force") { Description = "Also where the two copies of an instance come into two groups." };
        return new Command("assign-nodes", "Put nodes into a group; each is in one group only.").Does(around, async run =>
        {
            var body = new AssignNodesRequest(run.Get(nodes)) { Force = run.Get(force), Reason = run.Get(reason) };
            await JobFollower.FollowAsync(run, await run.Portal.PostAsync($"groups/{Parts.Path(run.Get(name))}/assign-nodes", body, CliJson.Default.AssignNodesRequest, CliJson.Default.JobAccepted, run.Ct), run.Get(noWait));
        }, name, nodes, force, reason, noWait);
    }
}
