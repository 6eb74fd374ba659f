// A node is set aside for a while, and taken back: the state is stored first, then its instances move one after another, each by a job of its own.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

internal sealed class MaintainNodeOperation : Operation<MaintainNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>After the move under way; the node stays in maintenance, what had not moved stays where it is.</summary>
    public override CancelRule Cancel => CancelRule.Itself;

    /// <summary>Not the node's own lock: a drain may take hours, and setting the node offline must not wait for it.</summary>
    public override IEnumerable<string> Locks(MaintainNode request) => [$"2:node:{request.Node}:maintenance"];

    public override Refusal? Check(MaintainNode request, Picture now, EngineParts parts) =>
        !now.Nodes.TryGetValue(request.Node, out var node) ? new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" }
        : request.On ? Enters(request, node, now, parts) : Leaves(request, node);

    private static Refusal? Leaves(MaintainNode request, Node node) =>
        request.Return || request.Rebuild ? new Refusal("maintenance.only-on", "Return and rebuild are chosen when the maintenance begins.", "Leave them out: what was chosen then holds.") { Field = request.Return ? "return" : "rebuild" }
        : Maintenance.In(node) ? null : new Refusal("maintenance.already-off", $"Node {node.Name} is not in maintenance.");

    private static Refusal? Enters(MaintainNode request, Node node, Picture now, EngineParts parts)
    {
        if (Maintenance.In(node))
        {
            return MaintenancePlanner.Leaving(node.Name, now, parts).Any(m => m.Kind != MoveKind.Stays) ? null
                : new Refusal("maintenance.already-on", $"Node {node.Name} is in maintenance already, and nothing on it can move.");
        }
        return Answers(node, parts) ?? LastOne(node, now, parts) ?? NoRoom(node, now, parts);
    }

    private static Refusal? Answers(Node node, EngineParts parts) => parts.Nodes.HealthOf(node.Name) switch
    {
        NodeHealth.Online => null,
        NodeHealth.Offline => new Refusal("node.offline", $"Node {node.Name} was set offline: it runs nothing that could move away.", "Set it online first, or leave it offline while you work on it."),
        NodeHealth.Lost => new Refusal("node.not-online", $"Node {node.Name} is lost: its instances are recovered, they cannot be moved away alive.", "Bring it back first, or set it offline while you work on it."),
        NodeHealth.Suspect or NodeHealth.Joining => new Refusal("node.not-online", $"Node {node.Name} does not answer at the moment.", "Try again when it is online, or look at its page."),
    };

    private static Refusal? LastOne(Node node, Picture now, EngineParts parts)
    {
        var others = now.Nodes.Values.Where(n => n.Name != node.Name).Select(n => (n.Name, Why: Maintenance.In(n) ? "in maintenance" : parts.Nodes.HealthOf(n.Name) is var h and not NodeHealth.Online ? h.ToString().ToLowerInvariant() : null)).ToList();
        return others.Any(o => o.Why is null) ? null
            : new Refusal("maintenance.last-node", others.Count == 0 ? $"{node.Name} is the only node." : $"{node.Name} is the last node that takes instances: {string.Join(", ", others.Select(o => $"{o.Name} is {o.Why}"))}.", "Take another node out of maintenance, or bring it back, first.");
    }

    /// <summary>What runs must have a place elsewhere. What cannot move for a reason of its own is no hindrance: it is listed, and stays.</summary>
    private static Refusal? NoRoom(Node node, Picture now, EngineParts parts)
    {
        var leave = MaintenancePlanner.Leaving(node.Name, now, parts).Where(m => m is { Wanted: true, Kind: MoveKind.Stays, Why.Code: "node.no-memory" or "node.in-maintenance" }).Select(m => $"{m.Instance}: {m.Why!.Message}");
        var expected = now.Instances.Values.Where(i => i.Secondary == node.Name && i.Wanted == AdminState.Up && Maintenance.In(i.Primary, now)).Select(i => $"{i.Name}: it moves here from {i.Primary}, which is in maintenance.");
        var all = leave.Concat(expected).ToList();
        return all.Count == 0 ? null
            : new Refusal("maintenance.no-room", $"The other nodes cannot take what runs on {node.Name}. {string.Join(" ", all.Take(10))}{(all.Count > 10 ? $" And {all.Count - 10} more." : "")}",
                "Make room there, take the other node out of maintenance, or make another node the secondary of these instances.");
    }

    public override async Task<Outcome<Done>> RunAsync(MaintainNode request, JobContext job, CancellationToken ct)
    {
        var begun = job.Resumed ? Done.Value : request.On ? await EnterAsync(request, job, ct) : await LeaveAsync(request, job, ct);
        if (!begun.Ok) { return begun; }
        var moves = new MaintenanceMoves(job, request);
        return request.On ? await moves.AwayAsync(ct) : await moves.BackAsync(ct);
    }

    private async Task<Outcome<Done>> EnterAsync(MaintainNode request, JobContext job, CancellationToken ct)
    {
        var again = false;
        var begun = await job.StepAsync<Done>("enter", (now, changes) =>
        {
            if (Check(request, now, job.Parts) is { } refusal) { return refusal; }
            var node = now.Nodes[request.Node];
            var was = Maintenance.In(node) ? node.Maintenance : null;
            again = was is not null;
            var homes = now.Instances.Values.Where(i => i.Primary == node.Name).Select(i => i.Id);
            var asked = new NodeMaintenance(job.Job.Caller.Name, job.Parts.Clock.GetUtcNow(), job.Job.Reason[0].Text, request.Return, request.Rebuild) { Homes = [.. homes] };
            // Asked for once more: what was chosen before holds, too.
            var maintenance = was is null ? asked : was with { Return = was.Return || request.Return, Rebuild = was.Rebuild || request.Rebuild, Homes = [.. was.Homes.Union(homes)] };
            changes.Text = again ? $"{node.Name} is in maintenance already; what is left is moved." : $"{node.Name} is in maintenance from now on: nothing new is placed there.";
            changes.Raw.Nodes.Add(node with { Maintenance = maintenance, Revision = node.Revision + 1 });
            return Done.Value;
        }, ct);
        if (begun.Ok && !again) { Tell(request.Node, $"{request.Node} was taken into maintenance by {job.Job.Caller.Name}.", "off", "on", job); }
        return begun;
    }

    private async Task<Outcome<Done>> LeaveAsync(MaintainNode request, JobContext job, CancellationToken ct)
    {
        var ended = await job.StepAsync<Done>("leave", (now, changes) =>
        {
            if (Check(request, now, job.Parts) is { } refusal) { return refusal; }
            var node = now.Nodes[request.Node];
            changes.Text = $"{node.Name} is a node like any other again.";
            changes.Raw.Nodes.Add(node with { Maintenance = node.Maintenance!.Return ? node.Maintenance with { Ending = true } : null, Revision = node.Revision + 1 });
            return Done.Value;
        }, ct);
        if (ended.Ok) { Tell(request.Node, $"{request.Node} was taken out of maintenance by {job.Job.Caller.Name}.", "on", "off", job); }
        return ended;
    }

    private static void Tell(string node, string text, string from, string to, JobContext job) =>
        job.Parts.Events.Add("node.maintenance", Severity.Info, $"node:{node}", text, from, to, job.Job.Id);
}
