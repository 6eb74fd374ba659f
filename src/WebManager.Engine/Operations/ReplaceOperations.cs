// Another node for an instance's second copy, and removing what the former one still has of it (R4, H7).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Placement;

namespace WebManager.Engine.Operations;

/// <summary>
/// While the primary is alone: nobody can be promoted, so the next record simply names another secondary. It becomes promotable only when
/// the primary has promised under that very record, that is, has stored it. While both copies are good: InSyncReplacement.
/// </summary>
internal sealed class ReplaceSecondaryOperation : InstanceOperation<ReplaceSecondary>
{
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(20);

    public override Right Right => Right.ReplaceDisks;
    public override QuotaRule Quota => QuotaRule.None;

    /// <summary>While the new copy is made and the present one is good; otherwise it is the copy that is missing.</summary>
    public override CancelRule Cancel => CancelRule.Itself;

    protected override Refusal? Check(ReplaceSecondary request, Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i) ?? Mirrored(i) ?? (InSyncReplacement.Can(i, parts) ? null : Alone(i)) ?? PowerChecks.Online(i.Primary, parts) ?? Wished(request, i, now) ?? Place(request.Node, i, now, parts).Refusal;

    private static Refusal? Mirrored(Instance i) => i is { Template: DiskTemplate.Mirror, Secondary: not null }
        ? null
        : new Refusal("instance.not-mirrored", $"{i.Name} has no copy on another node.", "Only mirrored instances have a secondary.");

    /// <summary>A good copy is not given up for one that has yet to be made, and it is made while the guest runs.</summary>
    private static Refusal? Alone(Instance i) => i.FreshDisks || i.Generation is { Sync: SyncState.Alone }
        ? null
        : new Refusal("mirror.in-sync", $"The copy of {i.Name} on {i.Secondary} is good, and another one is made while {i.Name} runs on two copies that are in reach.",
            $"Start {i.Name}, or bring {i.Secondary} back. To give up the copy on {i.Secondary} all the same, set that node offline first.");

    private static Refusal? Wished(ReplaceSecondary request, Instance i, Picture now) =>
        request.Node is not { } node ? null
        : !now.Nodes.ContainsKey(node) ? Wrong("secondary.unknown", $"There is no node {Shown.Name(node)}.", $"Choose one of: {string.Join(", ", now.Nodes.Keys.Where(n => n != i.Primary && n != i.Secondary))}.")
        : node == i.Primary ? Wrong("secondary.same", $"{node} is the primary of {i.Name}.", "Choose another node, or leave it to the cluster.")
        : node == i.Secondary ? Wrong("secondary.unchanged", $"{node} is the secondary of {i.Name} already.", "Choose another node; a lost copy there is made again when the node is back.")
        : null;

    private static Refusal Wrong(string code, string message, string remedy) => new(code, message, remedy) { Field = "secondary" };

    public static Outcome<string> Place(string? node, Instance i, Picture now, EngineParts parts) =>
        Allocator.PlaceSecondary(new Demand(i.MemoryMiB, i.DiskMiB, true, i.Primary, node), i.Secondary!, Candidates.Of(now, parts.Nodes, without: i.Id));

    public override async Task<Outcome<Done>> RunAsync(ReplaceSecondary request, JobContext job, CancellationToken ct)
    {
        var id = job.Now.Find(request.Instance)!.Id;
        if (InSyncReplacement.IsMeant(job.Now.Instances[id], job)) { return await new InSyncReplacement(id, job).RunAsync(request.Node, ct); }
        if (!job.Resumed || job.Job.Step is "prepare" or "fenced")
        {
            var replaced = await ReplaceAsync(request, id, job, ct);
            if (!replaced.Ok) { return replaced.Refusal; }
        }
        return await CopyAsync(id, job, ct);
    }

    private static async Task<Outcome<Instance>> ReplaceAsync(ReplaceSecondary request, Guid id, JobContext job, CancellationToken ct)
    {
        var i = job.Now.Instances[id];
        var placed = Place(request.Node, i, job.Now, job.Parts);
        if (!placed.Ok) { return placed.Refusal; }
        var (former, node) = (i.Secondary!, placed.Value);
        await job.StepAsync("prepare", $"{node} takes the place of {former}.", ct);
        if (await ImageAsync(i, node, job, ct) is { Ok: false, Refusal: { } lacks }) { return lacks; }
        // A record that was made on a promotion: the guest of the former primary must be dead before its node is forgotten.
        if (await Fencing.AwaitAsync(job, id, ct) is { } notYet) { return notYet; }
        var made = await GuestSteps.NewGenerationAsync(job, id, i.Generation, "replaced", i.Primary, node, SyncState.Alone, start: false,
            $"{node} is the secondary now; the copy on {former} is removed when the new one is whole.", ct,
            refuses: (now, current) => Alone(current) ?? Place(node, current, now, job.Parts).Refusal);
        if (made.Ok)
        {
            job.Parts.Events.Add("instance.secondary-replaced", Severity.Warning, $"instance:{i.Name}", $"{i.Name}: {node} takes the place of {former} as its secondary{(job.Job.Caller == Caller.Watcher ? $", because {job.Job.Reason[0].Text}" : "")}.", former, node, job.Job.Id);
        }
        return made;
    }

    /// <summary>The guest is started from it when the secondary takes over.</summary>
    public static async Task<Outcome<Done>> ImageAsync(Instance i, string node, JobContext job, CancellationToken ct)
    {
        var image = job.Parts.Images.Images.FirstOrDefault(m => m.Name == i.Image);
        if (image is null) { return new Refusal("image.unknown", $"Image {i.Image} is gone, so {i.Name} could not run on {node}.", "Bring the image back."); }
        return job.Nodes.Find(node) is { Hello: not null } watch ? await ImageOnNode.EnsureAsync(job, image, watch, ct) : new Refusal("node.unreachable", $"Node {node} does not answer.");
    }

    private static async Task<Outcome<Done>> CopyAsync(Guid id, JobContext job, CancellationToken ct)
    {
        var i = job.Now.Instances[id];
        if (i.Generation is not { Sync: SyncState.Alone } record) { return Done.Value; }   // begun anew after it was whole
        if (!PowerChecks.Runs(i, job.Parts)) { return await PrepareAsync(i, record, job, ct); }
        if (job.Resumed) { await job.Nodes.CaughtUpAsync([i.Primary], ct); }
        if (job.Nodes.ReportOf(i.Primary, id)?.GuestGeneration < record.Number && await DegradeInstanceOperation.LeaveAsync(job, record, ct) is { Ok: false, Refusal: { } untold })
        {
            await job.LogAsync($"{record.Primary} will hear of it with the next beat: {untold.Message}", ct);
        }
        var copied = await new ResyncInstanceOperation().RunAsync(new ResyncInstance(i.Name), job, ct);
        return copied.Ok ? copied : copied.Refusal with { Message = $"{record.Secondary} is the secondary now, but its copy is not whole yet. {copied.Refusal.Message}" };
    }

    /// <summary>What does not run is copied after its next start; never written disks are equal as soon as they are there.</summary>
    private static async Task<Outcome<Done>> PrepareAsync(Instance i, GenerationRecord record, JobContext job, CancellationToken ct)
    {
        var order = new CreateDisksOrder(job.OperationId($"disks/{record}"), job.Epoch, i.ToGuestSpec());
        var made = await job.OrderAsync(record.Secondary!, order, OrderLimit, ct);
        await job.LogAsync(!made.Ok ? $"Its disks on {record.Secondary} are made with its next start: {made.Refusal.Message}" : i.FreshDisks ? "It was never started, so there is nothing to copy." : "It does not run; its disks are copied after its next start.", ct);
        return Done.Value;
    }
}

/// <summary>The order carries the record in force: a node that has heard of a newer one, in which it may be needed again, refuses.</summary>
internal sealed class CleanInstanceOperation : InstanceOperation<CleanInstance>
{
    /// <summary>Short: a recovery would have to wait for it. What is not done by then the node ends by itself.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public override Right Right => Right.WatcherOnly;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(CleanInstance request, Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i) ?? (Plan.OldCopies.MayGo(i, request.Node) ? null : new Refusal("copy.needed", $"The copy of {i.Name} on {request.Node} may still be needed.")) ?? PowerChecks.Online(request.Node, parts);

    public override async Task<Outcome<Done>> RunAsync(CleanInstance request, JobContext job, CancellationToken ct)
    {
        var i = job.Now.Find(request.Instance)!;
        if (!Plan.OldCopies.MayGo(i, request.Node)) { return Done.Value; }   // carried on: it is one of its nodes again
        await job.StepAsync("clean", $"Removing the old copy on {request.Node}.", ct);
        var record = i.Generation!;
        var order = new RemoveInstanceOrder(job.OperationId($"clean/{request.Node}/{record}"), job.Epoch, i.Id) { Record = record };
        var removed = await job.OrderAsync(request.Node, order, Limit, ct);
        if (!removed.Ok) { return removed; }
        job.AtEnd = (now, changes) =>
        {
            if (now.Instances.TryGetValue(i.Id, out var current) && current.OldCopies.Contains(request.Node)) { changes.Write(current with { OldCopies = [.. current.OldCopies.Where(n => n != request.Node)] }); }
        };
        return Done.Value;
    }
}
