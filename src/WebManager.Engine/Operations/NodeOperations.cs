// Nodes come and go.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>Filed after the join token was checked and before the certificate is handed out.</summary>
internal sealed class AddNodeOperation : Operation<AddNode>
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(AddNode request) => [$"2:node:{request.Node}"];

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
        await job.StepAsync<Done>("add", (_, changes) =>
        {
            changes.Text = $"Node {request.Node} at {request.Address} belongs to the cluster.";
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
            return Done.Value;
        }, ct);
        if (removed.Ok) { await job.Nodes.RemoveAsync(request.Node); }
        return removed;
    }
}
