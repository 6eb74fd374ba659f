// Node groups: made, removed, renamed, their recovery switch, and which nodes are in them.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>One transaction on the newest picture. The lock's name is the group's as asked for; what it decides it decides in the transaction.</summary>
internal abstract class GroupOperation<TRequest> : Operation<TRequest> where TRequest : GroupRequest
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(TRequest request) => [$"1:group:{request.Group}"];

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => now.FindGroup(request.Group) is { } group
        ? Check(request, group, now)
        : new Refusal("group.unknown", $"There is no node group {Shown.Name(request.Group)}.", $"There are: {string.Join(", ", Names(now).Take(20))}.") { Field = "group" };

    protected abstract Refusal? Check(TRequest request, NodeGroup group, Picture now);

    /// <summary>Puts what follows into the changes; only after the check has passed on the same picture.</summary>
    protected abstract void Change(TRequest request, NodeGroup group, Picture now, StepChanges changes);

    public override async Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct)
    {
        var step = request.Name[(request.Name.IndexOf('.') + 1)..];
        if (job.Job.Step == step) { return Done.Value; }   // begun anew: it was done with the step
        return await job.StepAsync<Done>(step, (now, changes) =>
        {
            if (Check(request, now, job.Parts) is { } refusal) { return refusal; }
            Change(request, now.FindGroup(request.Group)!, now, changes);
            return Done.Value;
        }, ct);
    }

    private static IEnumerable<string> Names(Picture now) => now.Groups.Values.Select(g => g.Name).Order(StringComparer.Ordinal);
}

internal static class GroupNames
{
    public static Refusal? Free(string name, string field, Picture now) => Rules.Name(name, field)
        ?? (now.Groups.Values.Any(g => g.Name == name) ? new Refusal("group.exists", $"There is already a node group {name}.", "Choose another name.") { Field = field } : null);
}

internal sealed class AddGroupOperation : Operation<AddGroup>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(AddGroup request) => [$"1:group:{request.Group}"];
    public override Refusal? Check(AddGroup request, Picture now, EngineParts parts) => GroupNames.Free(request.Group, "group", now);

    public override async Task<Outcome<Done>> RunAsync(AddGroup request, JobContext job, CancellationToken ct)
    {
        var id = job.OperationId("group");   // the same when the job is begun anew
        return await job.StepAsync<Done>("add", (now, changes) =>
        {
            if (now.Groups.ContainsKey(id)) { return Done.Value; }
            if (GroupNames.Free(request.Group, "group", now) is { } taken) { return taken; }
            changes.Text = $"Node group {request.Group} is there, with no nodes yet.";
            changes.Raw.Groups.Add(new NodeGroup(id, request.Group, job.Parts.Clock.GetUtcNow(), 1));
            return Done.Value;
        }, ct);
    }
}

internal sealed class RemoveGroupOperation : GroupOperation<RemoveGroup>
{
    protected override Refusal? Check(RemoveGroup request, NodeGroup group, Picture now)
    {
        var nodes = now.Nodes.Values.Where(n => n.Group == group.Id).Select(n => n.Name).ToList();
        return nodes.Count > 0 ? new Refusal("group.not-empty", $"In node group {group.Name} there are {Shown.Some(nodes)}.", "Assign these nodes to another group first.") { Field = "group" }
            : now.Groups.Count == 1 ? new Refusal("group.last", $"{group.Name} is the only node group, and every node is in one.", "Rename it instead, or add another first.") { Field = "group" }
            : null;
    }

    protected override void Change(RemoveGroup request, NodeGroup group, Picture now, StepChanges changes)
    {
        changes.Text = $"Node group {group.Name} is gone.";
        changes.Raw.GroupsRemoved.Add(group.Id);
    }
}

internal sealed class RenameGroupOperation : GroupOperation<RenameGroup>
{
    public override IEnumerable<string> Locks(RenameGroup request) => [$"1:group:{request.Group}", $"1:group:{request.NewName}"];

    protected override Refusal? Check(RenameGroup request, NodeGroup group, Picture now) => GroupNames.Free(request.NewName, "newName", now);

    protected override void Change(RenameGroup request, NodeGroup group, Picture now, StepChanges changes)
    {
        changes.Text = $"Node group {group.Name} is called {request.NewName} now.";
        changes.Raw.Groups.Add(group with { Name = request.NewName, Revision = group.Revision + 1 });
    }
}

internal sealed class ModifyGroupOperation : GroupOperation<ModifyGroup>
{
    protected override Refusal? Check(ModifyGroup request, NodeGroup group, Picture now) =>
        request.AutoRecover is null ? new Refusal("group.nothing-to-change", "Nothing was given to change.", "Give autoRecover.") : null;

    protected override void Change(ModifyGroup request, NodeGroup group, Picture now, StepChanges changes)
    {
        changes.Text = $"Automatic recovery {(request.AutoRecover == true ? "on" : "off")} for node group {group.Name}.";
        if (group.RecoveryOff == request.AutoRecover) { changes.Raw.Groups.Add(group with { RecoveryOff = request.AutoRecover != true, Revision = group.Revision + 1 }); }
    }

    public override async Task<Outcome<Done>> RunAsync(ModifyGroup request, JobContext job, CancellationToken ct)
    {
        var before = job.Now.FindGroup(request.Group);
        var changed = await base.RunAsync(request, job, ct);
        if (changed.Ok && before is not null && request.AutoRecover is { } on && before.RecoveryOff == on)
        {
            job.Parts.Events.Add("recovery.switched", on ? Severity.Info : Severity.Warning, $"group:{before.Name}", $"{job.Job.Caller.Name} switched automatic recovery {(on ? "on" : "off")} for node group {before.Name}.", on ? "off" : "on", on ? "on" : "off", job.Job.Id);
        }
        return changed;
    }
}

internal sealed class AssignNodesOperation : GroupOperation<AssignNodes>
{
    public override IEnumerable<string> Locks(AssignNodes request) => request.Nodes.Select(n => $"2:node:{n}");

    /// <summary>It only has to stay.</summary>
    public override IEnumerable<string> SharedLocks(AssignNodes request, Picture now) => base.Locks(request);

    protected override Refusal? Check(AssignNodes request, NodeGroup group, Picture now)
    {
        if (request.Nodes.Count == 0) { return new Refusal("group.no-nodes", "No node was given.", "Give at least one.") { Field = "nodes" }; }
        if (request.Nodes.FirstOrDefault(n => !now.Nodes.ContainsKey(n)) is { } unknown)
        {
            return new Refusal("node.unknown", $"There is no node {Shown.Name(unknown)}.", $"Choose from: {Shown.Some([.. now.Nodes.Keys])}.") { Field = "nodes" };
        }
        var split = Split(request, group, now);
        return split.Count == 0 || request.Force ? null
            : new Refusal("group.splits", $"The two copies of {Shown.Some(split)} would be in two node groups.", "Assign the other nodes of these instances too, give them another secondary first, or force it (force, wm: --force).") { Field = "nodes" };
    }

    /// <summary>Instances whose pair is in one group now and would not be.</summary>
    private static List<string> Split(AssignNodes request, NodeGroup group, Picture now)
    {
        var moved = request.Nodes.ToHashSet(StringComparer.Ordinal);
        Guid? After(string node) => moved.Contains(node) ? group.Id : now.Nodes.GetValueOrDefault(node)?.Group;
        return [.. now.Instances.Values
            .Where(i => i.Secondary is { } s && After(i.Primary) != After(s) && now.Nodes.GetValueOrDefault(i.Primary)?.Group == now.Nodes.GetValueOrDefault(s)?.Group)
            .Select(i => i.Name).Order(StringComparer.Ordinal)];
    }

    protected override void Change(AssignNodes request, NodeGroup group, Picture now, StepChanges changes)
    {
        var split = Split(request, group, now);
        changes.Text = $"In node group {group.Name} now: {Shown.Some([.. request.Nodes.Distinct(StringComparer.Ordinal)])}.{(split.Count == 0 ? "" : $" In two groups now, which was forced: {Shown.Some(split)}.")}";
        foreach (var node in request.Nodes.Distinct(StringComparer.Ordinal).Select(n => now.Nodes[n]).Where(n => n.Group != group.Id))
        {
            changes.Raw.Nodes.Add(node with { Group = group.Id, Revision = node.Revision + 1 });
        }
    }
}
