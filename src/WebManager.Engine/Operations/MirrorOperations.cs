// Loss of sync and its return (R1, R2): leave to go on alone, and making the secondary's copy equal again.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal sealed class DegradeInstanceOperation : InstanceOperation<DegradeInstance>
{
    public override Right Right => Right.WatcherOnly;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(DegradeInstance request, Instance i, Picture now, EngineParts parts) =>
        i.Generation is null ? new Refusal("instance.not-mirrored", $"{i.Name} is not mirrored.")
        : i.Generation.Number < request.Generation ? new Refusal("generation.stale", $"{i.Name} has no generation {request.Generation}.")
        : PowerChecks.Online(i.Primary, parts);

    public override async Task<Outcome<Done>> RunAsync(DegradeInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        var record = instance.Generation!;
        if (record.Number == request.Generation)
        {
            var made = await GuestSteps.NewGenerationAsync(job, instance.Id, record, "alone", record.Primary, record.Secondary, SyncState.Alone, start: false,
                $"The copy on {record.Secondary} is out; {record.Primary} may go on alone.", ct);
            if (!made.Ok) { return made.Refusal; }
            record = made.Value.Generation!;
        }
        // A record made on a person's word: the guest here waits as a start would (H16).
        return await Fencing.AwaitAsync(job, instance.Id, ct) ?? await LeaveAsync(job, record, ct);
    }

    /// <summary>Tells the primary; from its answer on the guest writes again.</summary>
    public static Task<Outcome<Done>> LeaveAsync(JobContext job, GenerationRecord record, CancellationToken ct) =>
        job.OrderAsync(record.Primary, new DegradeOrder(job.OperationId($"degrade/{record}"), job.Epoch, record), TimeSpan.FromSeconds(20), ct);
}

internal sealed class ResyncInstanceOperation : InstanceOperation<ResyncInstance>
{
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CopyLimit = TimeSpan.FromHours(24);

    public override Right Right => Right.InstanceModify;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(ResyncInstance request, Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i)
        ?? (i.Secondary is null || i.Generation is null ? new Refusal("instance.not-mirrored", $"{i.Name} has no copy on another node.") : null)
        ?? (i.Generation!.Sync == SyncState.InSync ? new Refusal("mirror.in-sync", $"{i.Name} is in sync already.") : null)
        ?? PowerChecks.Online(i.Primary, parts) ?? PowerChecks.Online(i.Secondary!, parts)
        ?? (PowerChecks.Runs(i, parts) ? null : new Refusal("instance.not-running", $"{i.Name} is copied while it runs.", "Start it; the copy is made then."));

    public override async Task<Outcome<Done>> RunAsync(ResyncInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        if (!Promised(job, instance.Id))
        {
            var begun = await BeginAsync(instance, job, ct);
            if (!begun.Ok) { return begun; }
            var copied = await FollowAsync(instance.Id, job, ct);
            if (!copied.Ok) { return copied; }
        }
        return await RecordAsync(instance.Id, job, ct);
    }

    private static InstanceReport? Report(JobContext job, Guid id) => job.Nodes.ReportOf(job.Now.Instances[id].Primary, id);

    /// <summary>The primary has promised under the record that is still current (R2).</summary>
    private static bool Promised(JobContext job, Guid id) =>
        job.Now.Instances[id].Generation is { } g && Report(job, id) is { } r && r.GuestGeneration == g.Number && r.Mirror switch
        {
            MirrorPhase.Promised => true,
            // Writing both is not yet a promise; having stored that record as in sync is, for that was allowed only after it.
            MirrorPhase.InSync => r.Stored is { Sync: SyncState.InSync } stored && stored.SameAs(g),
            MirrorPhase.None or MirrorPhase.Broken or MirrorPhase.Alone or MirrorPhase.Copying => false,
        };

    private static async Task<Outcome<Done>> BeginAsync(Instance i, JobContext job, CancellationToken ct)
    {
        var record = i.Generation!;
        await job.StepAsync("copy", $"Making the {i.DiskMiB} MiB on {record.Secondary} equal to those on {record.Primary}.", ct);
        var disks = await job.OrderAsync(record.Secondary!, new CreateDisksOrder(job.OperationId($"disks/{record}"), job.Epoch, i.ToGuestSpec()), OrderLimit, ct);
        if (!disks.Ok) { return disks; }
        var replica = await OpenAsync(i, record, job, ct);
        if (!replica.Ok && replica.Refusal.Code == "replica.spent")
        {
            // An export is opened once per generation (R1); a new try needs a new one.
            var made = await GuestSteps.NewGenerationAsync(job, i.Id, record, "copy.record", record.Primary, record.Secondary, SyncState.Alone, start: false, "A new generation for a new try.", ct);
            if (!made.Ok) { return made.Refusal; }
            record = made.Value.Generation!;
            var adopted = await DegradeInstanceOperation.LeaveAsync(job, record, ct);
            if (!adopted.Ok) { return adopted; }
            replica = await OpenAsync(i, record, job, ct);
        }
        if (!replica.Ok) { return replica.Refusal; }
        var order = new ResyncOrder(job.OperationId($"resync/{record}"), job.Epoch, record, i.ToGuestSpec(), replica.Value.Replica);
        return await job.OrderAsync(record.Primary, order, OrderLimit, ct);
    }

    private static Task<Outcome<OpenReplicaReply>> OpenAsync(Instance i, GenerationRecord record, JobContext job, CancellationToken ct) =>
        job.OrderAsync(record.Secondary!, new OpenReplicaOrder(job.OperationId($"open/{record}"), job.Epoch, record, i.ToGuestSpec()), OrderLimit, ct);

    private static async Task<Outcome<Done>> FollowAsync(Guid id, JobContext job, CancellationToken ct)
    {
        var seen = false;
        bool Ended()
        {
            var (i, r) = (job.Now.Instances[id], Report(job, id));
            seen |= r?.Mirror is MirrorPhase.Copying or MirrorPhase.Promised;
            return Promised(job, id) || job.Nodes.HealthOf(i.Primary) != NodeHealth.Online || r is null or { Guest: GuestPhase.Absent }
                || (seen && r.Mirror is MirrorPhase.Alone or MirrorPhase.Broken);
        }
        // The copy may have begun and failed between two reports.
        await job.Nodes.UntilAsync(() => seen || Ended(), TimeSpan.FromSeconds(5), ct);
        if (seen) { await job.Nodes.UntilAsync(Ended, CopyLimit, ct); }
        if (Promised(job, id)) { return await DoneAsync(id, job, ct); }
        var text = Report(job, id)?.MirrorText ?? "the primary or the copy went away";
        return new Refusal("mirror.copy-failed", $"The copy did not come to its end: {text.TrimEnd('.')}.", "It is tried again by itself.");
    }

    private static async Task<Outcome<Done>> DoneAsync(Guid id, JobContext job, CancellationToken ct)
    {
        const double MiB = 1024 * 1024;
        if (Report(job, id)?.Copy is { PausedMs: { } paused } copy)
        {
            var compared = copy.ComparedBytes > 0 ? $"{copy.ComparedBytes / MiB:0.#} MiB compared" : "only changed blocks";
            await job.LogAsync($"{compared}, {copy.MovedBytes / MiB:0.#} MiB copied in {copy.Milliseconds / 1000.0:0.0} s; the guest stood still for {paused} ms.", ct);
        }
        return Done.Value;
    }

    private static async Task<Outcome<Done>> RecordAsync(Guid id, JobContext job, CancellationToken ct)
    {
        var recorded = await job.StepAsync<Instance>("in-sync", (now, changes) =>
        {
            var i = now.Instances[id];
            if (!Promised(job, id)) { return new Refusal("generation.stale", "Something changed while the copy ended."); }
            changes.Text = $"{i.Secondary} has every write; both confirm from here.";
            return changes.Write(i with { Generation = i.Generation! with { Sync = SyncState.InSync }, Mirror = MirrorState.InSync });
        }, ct);
        if (!recorded.Ok) { return recorded.Refusal; }
        var record = recorded.Value.Generation!;
        foreach (var node in new[] { record.Secondary!, record.Primary })
        {
            var stored = await job.OrderAsync(node, new StoreGenerationOrder(job.OperationId($"store/{record}/{node}"), job.Epoch, record), OrderLimit, ct);
            if (!stored.Ok) { await job.LogAsync($"{node} will hear of it with the next beat: {stored.Refusal.Message}", ct); }
        }
        return Done.Value;
    }
}
