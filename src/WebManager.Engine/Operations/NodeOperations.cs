// Nodes come and go, are set aside, and are powered off.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>Filed after the join token was checked and before the certificate is handed out.</summary>
internal sealed class AddNodeOperation : Operation<AddNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(AddNode request) => [$"2:node:{request.Node}"];

    /// <summary>The group it joins.</summary>
    public override IEnumerable<string> SharedLocks(AddNode request, Picture now) => [$"1:group:{NodeGroup.FirstName}"];

    public override Refusal? Check(AddNode request, Picture now, EngineParts parts) =>
        Rules.Name(request.Node, "node")
        ?? (now.Nodes.ContainsKey(request.Node) ? new Refusal("node.exists", $"There is already a node {request.Node}.", "Remove it first, or choose another name.") { Field = "node" } : null)
        ?? (IsAddress(request.Address) ? null : new Refusal("address.invalid", $"{Shown.Name(request.Address)} is no host:port.", "Use an address the portal can reach, like 10.0.0.5:7443.") { Field = "address" })
        ?? (now.Nodes.Values.FirstOrDefault(n => n.Address == request.Address) is { } other ? new Refusal("address.taken", $"Node {other.Name} has the address {request.Address}.", "Choose another port or address.") { Field = "address" } : null);

    private static bool IsAddress(string address) =>
        address.LastIndexOf(':') is > 0 and var colon && int.TryParse(address.AsSpan(colon + 1), out var port) && port is > 0 and < 65536
        && Uri.CheckHostName(address[..colon]) != UriHostNameType.Unknown;

    public override async Task<Outcome<Done>> RunAsync(AddNode request, JobContext job, CancellationToken ct)
    {
        if (job.Now.Nodes.ContainsKey(request.Node)) { return Done.Value; }   // an earlier try of this job
        var node = new Node(request.Node, request.Address, job.Parts.Clock.GetUtcNow(), 1);
        await job.StepAsync<Done>("add", (now, changes) =>
        {
            changes.Text = $"Node {request.Node} at {request.Address} belongs to the cluster.";
            if (!now.Groups.ContainsKey(node.Group)) { node = node with { Group = now.Groups.Values.MinBy(g => g.Name, StringComparer.Ordinal)!.Id }; }   // "default" was removed
            changes.Raw.Nodes.Add(node);
            return Done.Value;
        }, ct);
        job.Nodes.Add(node);
        return Done.Value;
    }
}

internal sealed class RemoveNodeOperation : Operation<RemoveNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(RemoveNode request) => [$"2:node:{request.Node}"];

    public override Refusal? Check(RemoveNode request, Picture now, EngineParts parts)
    {
        if (!now.Nodes.ContainsKey(request.Node)) { return new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" }; }
        var held = now.On(request.Node).Select(i => i.Name).ToList();
        return held.Count == 0 ? null
            : new Refusal("node.not-empty", $"Node {request.Node} holds {string.Join(", ", held.Take(10))}{(held.Count > 10 ? $" and {held.Count - 10} more" : "")}.", "Move or remove these instances first.") { Field = "node" };
    }

    public override async Task<Outcome<Done>> RunAsync(RemoveNode request, JobContext job, CancellationToken ct)
    {
        var removed = await job.StepAsync<Done>("remove", (now, changes) =>
        {
            if (Check(request, now, job.Parts) is { Code: "node.not-empty" } refusal) { return refusal; }
            changes.Text = $"Node {request.Node} no longer belongs to the cluster.";
            changes.Raw.NodesRemoved.Add(request.Node);
            foreach (var i in now.OldCopiesOn(request.Node)) { changes.Write(i with { OldCopies = [.. i.OldCopies.Where(n => n != request.Node)] }); }
            return Done.Value;
        }, ct);
        if (removed.Ok) { await job.Nodes.RemoveAsync(request.Node); }
        return removed;
    }
}

internal sealed class ModifyNodeOperation : Operation<ModifyNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(ModifyNode request) => [$"2:node:{request.Node}"];

    public override Refusal? Check(ModifyNode request, Picture now, EngineParts parts)
    {
        if (!now.Nodes.ContainsKey(request.Node)) { return new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" }; }
        if (request is { Offline: null, Drained: null }) { return new Refusal("node.nothing-to-change", "Nothing was given to change.", "Give offline or drained."); }
        if (request.Offline != true || parts.Nodes.HealthOf(request.Node) != NodeHealth.Online) { return null; }
        // A node that answers is not gone, whatever a person says (H16): its guests run.
        var running = now.Instances.Values.Where(i => i.Primary == request.Node && i.Wanted == AdminState.Up).Select(i => i.Name).ToList();
        return running.Count == 0 ? null
            : new Refusal("node.answers", $"Node {request.Node} answers and runs {string.Join(", ", running.Take(10))}{(running.Count > 10 ? $" and {running.Count - 10} more" : "")}.", "Fail these over or stop them first, or power the node off.") { Field = "offline" };
    }

    public override async Task<Outcome<Done>> RunAsync(ModifyNode request, JobContext job, CancellationToken ct)
    {
        var changed = await job.StepAsync<Done>("modify", (now, changes) =>
        {
            if (Check(request, now, job.Parts) is { } refusal) { return refusal; }
            var node = now.Nodes[request.Node];
            var (offline, drained) = (request.Offline ?? node.Offline, request.Drained ?? node.Drained);
            changes.Text = $"{node.Name} is {(offline ? "offline" : "not offline")} and {(drained ? "drained" : "takes new instances")}.";
            changes.Raw.Nodes.Add(node with { Offline = offline, Drained = drained, DrainedWhy = request.Drained is null ? node.DrainedWhy : null, Revision = node.Revision + 1 });
            return Done.Value;
        }, ct);
        if (changed.Ok && request.Offline == true)
        {
            job.Parts.Events.Add("node.offline", Severity.Warning, $"node:{request.Node}", $"{request.Node} was set offline by {job.Job.Caller.Name}.", "no", "yes", job.Job.Id);
        }
        return changed;
    }
}

/// <summary>A person's word with the node's name typed once more. Whether it counts as confirmed is decided by the node's silence (PowerDesk).</summary>
internal sealed class PowerOffNodeOperation : Operation<PowerOffNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(PowerOffNode request) => [$"2:node:{request.Node}"];

    public override Refusal? Check(PowerOffNode request, Picture now, EngineParts parts) =>
        !now.Nodes.ContainsKey(request.Node) ? new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" }
        : request.Confirm != request.Node ? new Refusal("confirm.differs", $"The name typed to confirm is not {request.Node}.", "Type the node's name.") { Field = "confirm" }
        : !parts.Power.Can(request.Node) ? new Refusal("power.no-command", $"No power command is set up for {request.Node}.", "Set Engine:Fencing in the portal's configuration.")
        : null;

    public override async Task<Outcome<Done>> RunAsync(PowerOffNode request, JobContext job, CancellationToken ct)
    {
        await job.StepAsync("power-off", $"Running the power command of {request.Node}.", ct);
        var off = await job.Parts.Power.OffAsync(request.Node, job.Job.Id, ct);
        if (!off.Ok) { return off; }
        var silent = await job.Nodes.UntilAsync(() => job.Parts.Power.OffFor(request.Node) is not null, job.Parts.Heartbeat.Suspect, ct);
        await job.LogAsync(silent ? "The command succeeded and the node is silent since." : "The command succeeded, but the node still answers: that counts for nothing.", ct);
        return silent ? Done.Value : new Refusal("power.still-answers", $"The power command of {request.Node} says it is off, but the node still answers.", "Look at the command and the node.");
    }
}
