// Tags of the cluster and its nodes, with Ganeti's rules for what a tag may be.
using System.Text.RegularExpressions;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

public static partial class TagRules
{
    public const int Longest = 128, MostOfOneObject = 4096;

    [GeneratedRegex(@"\A[A-Za-z0-9_.+*/:@-]{1,128}\z")]
    private static partial Regex Valid();

    public static Refusal? Adding(IReadOnlyList<string> tags, IReadOnlyList<string> present) =>
        tags.Count == 0 ? None
        : tags.FirstOrDefault(t => !Valid().IsMatch(t)) is { } bad
            ? new Refusal("tag.invalid", $"{Shown.Name(bad)} is no tag.", $"Use 1 to {Longest} letters (a-z, A-Z), digits and the characters _ . + * / : @ - without spaces, like rack:a.") { Field = "tags" }
        : present.Union(tags).Count() > MostOfOneObject
            ? new Refusal("tag.too-many", $"That makes more than {MostOfOneObject} tags.", "Remove some first.") { Field = "tags" }
        : null;

    public static Refusal? Removing(IReadOnlyList<string> tags, IReadOnlyList<string> present) =>
        tags.Count == 0 ? None
        : tags.Except(present).FirstOrDefault() is { } missing ? new Refusal("tag.absent", $"There is no tag {Shown.Name(missing)} on it.", present.Count == 0 ? "It has none." : "Give tags that it has.") { Field = "tags" }
        : null;

    public static IReadOnlyList<string> With(IReadOnlyList<string> present, IReadOnlyList<string> tags) => [.. present.Union(tags).Order(StringComparer.Ordinal)];
    public static IReadOnlyList<string> Without(IReadOnlyList<string> present, IReadOnlyList<string> tags) => [.. present.Except(tags)];

    private static Refusal None => new("tag.none", "No tag was given.", "Give at least one.") { Field = "tags" };
}

internal abstract class NodeTagsOperation<TRequest> : Operation<TRequest> where TRequest : NodeRequest
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(TRequest request) => [$"2:node:{request.Node}"];

    protected abstract Refusal? Wrong(TRequest request, IReadOnlyList<string> present);
    protected abstract IReadOnlyList<string> After(TRequest request, IReadOnlyList<string> present);

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => now.Nodes.TryGetValue(request.Node, out var node)
        ? Wrong(request, node.Tags)
        : new Refusal("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" };

    public override async Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct) =>
        await job.StepAsync<Done>("tags", (now, changes) =>
        {
            if (!now.Nodes.TryGetValue(request.Node, out var node)) { return new Refusal("node.unknown", "The node is gone."); }
            var tags = After(request, node.Tags);
            changes.Text = tags.Count == 0 ? $"{node.Name} has no tags." : $"The tags of {node.Name}: {string.Join(", ", tags)}.";
            if (!tags.SequenceEqual(node.Tags)) { changes.Raw.Nodes.Add(node with { Tags = tags, Revision = node.Revision + 1 }); }
            return Done.Value;
        }, ct);
}

internal sealed class AddNodeTagsOperation : NodeTagsOperation<AddNodeTags>
{
    protected override Refusal? Wrong(AddNodeTags request, IReadOnlyList<string> present) => TagRules.Adding(request.Tags, present);
    protected override IReadOnlyList<string> After(AddNodeTags request, IReadOnlyList<string> present) => TagRules.With(present, request.Tags);
}

internal sealed class RemoveNodeTagsOperation : NodeTagsOperation<RemoveNodeTags>
{
    protected override Refusal? Wrong(RemoveNodeTags request, IReadOnlyList<string> present) => TagRules.Removing(request.Tags, present);
    protected override IReadOnlyList<string> After(RemoveNodeTags request, IReadOnlyList<string> present) => TagRules.Without(present, request.Tags);
}

internal abstract class ClusterTagsOperation<TRequest> : Operation<TRequest> where TRequest : ClusterRequest
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override IEnumerable<string> Locks(TRequest request) => ["0:cluster"];

    protected abstract Refusal? Wrong(TRequest request, IReadOnlyList<string> present);
    protected abstract IReadOnlyList<string> After(TRequest request, IReadOnlyList<string> present);

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => Wrong(request, now.Cluster.Tags);

    public override async Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct) =>
        await job.StepAsync<Done>("tags", (now, changes) =>
        {
            var tags = After(request, now.Cluster.Tags);
            changes.Text = tags.Count == 0 ? "The cluster has no tags." : $"The cluster's tags: {string.Join(", ", tags)}.";
            if (!tags.SequenceEqual(now.Cluster.Tags)) { changes.Raw.Cluster = now.Cluster with { Tags = tags, Revision = now.Cluster.Revision + 1 }; }
            return Done.Value;
        }, ct);
}

internal sealed class AddClusterTagsOperation : ClusterTagsOperation<AddClusterTags>
{
    protected override Refusal? Wrong(AddClusterTags request, IReadOnlyList<string> present) => TagRules.Adding(request.Tags, present);
    protected override IReadOnlyList<string> After(AddClusterTags request, IReadOnlyList<string> present) => TagRules.With(present, request.Tags);
}

internal sealed class RemoveClusterTagsOperation : ClusterTagsOperation<RemoveClusterTags>
{
    protected override Refusal? Wrong(RemoveClusterTags request, IReadOnlyList<string> present) => TagRules.Removing(request.Tags, present);
    protected override IReadOnlyList<string> After(RemoveClusterTags request, IReadOnlyList<string> present) => TagRules.Without(present, request.Tags);
}
