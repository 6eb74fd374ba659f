// Tags of the cluster, its nodes and its instances, with Ganeti's rules for what a tag may be.
using System.Text.RegularExpressions;
using WebManager.Contracts;
using WebManager.Engine.Access;
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

    /// <summary>The owner's tag is the owner's: whoever could set it could make another one pay.</summary>
    public static Refusal? Own(IReadOnlyList<string> tags) => tags.FirstOrDefault(t => t.StartsWith(OwnerTags.Reserved, StringComparison.Ordinal)) is { } reserved
        ? new Refusal("tag.reserved", $"{Shown.Name(reserved)} is the portal's own: tags that begin with {OwnerTags.Reserved} follow the owner by themselves.", "Leave it out; change the owner instead.") { Field = "tags" }
        : null;

    public static Refusal? Removing(IReadOnlyList<string> tags, IReadOnlyList<string> present) =>
        tags.Count == 0 ? None
        : tags.Except(present).FirstOrDefault() is { } missing ? new Refusal("tag.absent", $"There is no tag {Shown.Name(missing)} on it.", present.Count == 0 ? "It has none." : "Give tags that it has.") { Field = "tags" }
        : null;

    public static IReadOnlyList<string> With(IReadOnlyList<string> present, IReadOnlyList<string> tags) => [.. present.Union(tags).Order(StringComparer.Ordinal)];
    public static IReadOnlyList<string> Without(IReadOnlyList<string> present, IReadOnlyList<string> tags) => [.. present.Except(tags)];

    private static Refusal None => new("tag.none", "No tag was given.", "Give at least one.") { Field = "tags" };
}

/// <summary>The tags of one object, read and written on the newest picture.</summary>
internal abstract class TagsOperation<TRequest>(bool adds) : Operation<TRequest> where TRequest : OperationRequest, ITagsRequest
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>Null: there is no such object.</summary>
    protected abstract IReadOnlyList<string>? Present(TRequest request, Picture now);
    protected abstract Refusal Unknown(TRequest request);
    protected abstract string Object(TRequest request);
    protected abstract void Put(TRequest request, IReadOnlyList<string> tags, Picture now, StepChanges changes);

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => Present(request, now) is not { } present ? Unknown(request)
        : adds ? TagRules.Adding(request.Tags, present) : TagRules.Removing(request.Tags, present);

    public override async Task<Outcome<Done>> RunAsync(TRequest request, JobContext job, CancellationToken ct) =>
        await job.StepAsync<Done>("tags", (now, changes) =>
        {
            if (Present(request, now) is not { } present) { return Unknown(request); }
            var tags = adds ? TagRules.With(present, request.Tags) : TagRules.Without(present, request.Tags);
            changes.Text = tags.Count == 0 ? $"No tags are left on {Object(request)}." : $"The tags of {Object(request)}: {string.Join(", ", tags)}.";
            if (!tags.SequenceEqual(present)) { Put(request, tags, now, changes); }
            return Done.Value;
        }, ct);
}

internal sealed class NodeTagsOperation<TRequest>(bool adds) : TagsOperation<TRequest>(adds) where TRequest : NodeRequest, ITagsRequest
{
    public override IEnumerable<string> Locks(TRequest request) => [$"2:node:{request.Node}"];
    protected override IReadOnlyList<string>? Present(TRequest request, Picture now) => now.Nodes.GetValueOrDefault(request.Node)?.Tags;
    protected override Refusal Unknown(TRequest request) => new("node.unknown", $"There is no node {Shown.Name(request.Node)}.") { Field = "node" };
    protected override string Object(TRequest request) => request.Node;

    protected override void Put(TRequest request, IReadOnlyList<string> tags, Picture now, StepChanges changes)
    {
        var node = now.Nodes[request.Node];
        changes.Raw.Nodes.Add(node with { Tags = tags, Revision = node.Revision + 1 });
    }
}

internal sealed class ClusterTagsOperation<TRequest>(bool adds) : TagsOperation<TRequest>(adds) where TRequest : ClusterRequest, ITagsRequest
{
    public override Right Right => Right.ClusterTags;
    public override IEnumerable<string> Locks(TRequest request) => ["0:cluster"];
    protected override IReadOnlyList<string> Present(TRequest request, Picture now) => now.Cluster.Tags;
    protected override Refusal Unknown(TRequest request) => throw new InvalidOperationException("There is always a cluster.");
    protected override string Object(TRequest request) => "the cluster";
    protected override void Put(TRequest request, IReadOnlyList<string> tags, Picture now, StepChanges changes) =>
        changes.Raw.Cluster = now.Cluster with { Tags = tags, Revision = now.Cluster.Revision + 1 };
}

internal sealed class InstanceTagsOperation<TRequest>(bool adds) : TagsOperation<TRequest>(adds) where TRequest : InstanceRequest, ITagsRequest
{
    public override Right Right => Right.InstanceTags;
    public override IEnumerable<string> Locks(TRequest request) => [$"3:instance:{request.Instance}"];

    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) =>
        now.Find(request.Instance) is { Doubt: not null } doubted ? Rules.InDoubt(doubted) : TagRules.Own(request.Tags) ?? base.Check(request, now, parts);

    protected override IReadOnlyList<string>? Present(TRequest request, Picture now) => now.Find(request.Instance)?.Tags;
    protected override Refusal Unknown(TRequest request) => new("instance.unknown", $"There is no instance {Shown.Name(request.Instance)}.") { Field = "instance" };
    protected override string Object(TRequest request) => request.Instance;
    protected override void Put(TRequest request, IReadOnlyList<string> tags, Picture now, StepChanges changes) => changes.Write(now.Find(request.Instance)! with { Tags = tags });
}
