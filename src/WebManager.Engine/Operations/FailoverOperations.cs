// Wanted failover, and recovery of an instance whose primary fell silent (R4).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

internal sealed class FailoverInstanceOperation : InstanceOperation<FailoverInstance>
{
    public override Right Right => Right.Migrate;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(FailoverInstance request, Instance i, Picture now, EngineParts parts) => Rules.Timeout(request.TimeoutSeconds) ?? Possible(i, now, parts);

    public static Refusal? Possible(Instance i, Picture now, EngineParts parts) =>
        Ready(i, now, parts) ?? Whole(i) ?? (i.Wanted == AdminState.Up ? Room.Lacks(i, i.Secondary!, now) : null);

    /// <summary>There is a secondary that takes instances, and both nodes can be told.</summary>
    public static Refusal? Ready(Instance i, Picture now, EngineParts parts) =>
        PowerChecks.Ready(i) ?? Mirrored(i) ?? Maintenance.Closed(i.Secondary!, now) ?? PowerChecks.Online(i.Secondary!, parts) ?? PowerChecks.Online(i.Primary, parts);

    private static Refusal? Mirrored(Instance i) => i is { Template: DiskTemplate.Mirror, Secondary: not null }
        ? null
        : new Refusal("instance.not-mirrored", $"{i.Name} has no copy on another node.", "Only mirrored instances can move to their other node.");

    private static Refusal? Whole(Instance i) => i.FreshDisks || i.Generation is { Sync: SyncState.InSync }
        ? null
        : new Refusal("mirror.not-in-sync", $"The copy of {i.Name} on {i.Secondary} is not whole.", "Wait until it is in sync again.");

    public override Task<Outcome<Done>> RunAsync(FailoverInstance request, JobContext job, CancellationToken ct) => GoAsync(request.Instance, request.TimeoutSeconds, job, ct);

    public static async Task<Outcome<Done>> GoAsync(string name, int timeoutSeconds, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(name)!;
        if (job.Resumed && job.Job.Step is "swapped") { return await TellAsync(job, instance, ct); }
        if (job.Resumed && job.Job.Step is "start.record") { return await StartAsync(job, instance.Id, ct); }
        if (Whole(instance) is { } outdated) { return outdated; }   // asked again: a job that is carried on comes past its check
        var stopped = await GuestSteps.StopAsync(job, instance.Id, timeoutSeconds, ct);
        if (!stopped.Ok) { return stopped.Refusal; }
        instance = job.Now.Find(name)!;
        if (Whole(instance) is { } changed) { return changed; }
        var (from, to) = (instance.Primary, instance.Secondary!);
        var equal = instance.FreshDisks || (instance.Generation is { Sync: SyncState.InSync } g && instance.CleanEnd == g.Number);
        // The old primary was reaped under its generation, so the other copy may take over at once (R4).
        var made = await GuestSteps.NewGenerationAsync(job, instance.Id, instance.Generation, "swapped", to, from, equal ? SyncState.InSync : SyncState.Alone, start: false, $"{to} is the primary now.", ct);
        if (!made.Ok) { return made.Refusal; }
        if (equal) { await NoteEqualAsync(job, instance.Id, ct); }
        return await TellAsync(job, made.Value, ct);
    }

    private static async Task<Outcome<Done>> TellAsync(JobContext job, Instance instance, CancellationToken ct)
    {
        var record = instance.Generation!;
        foreach (var node in new[] { record.Primary, record.Secondary! })
        {
            var stored = await job.OrderAsync(node, new StoreGenerationOrder(job.OperationId($"store/{record}/{node}"), job.Epoch, record), TimeSpan.FromSeconds(10), ct);
            if (!stored.Ok && node == record.Primary) { return stored.Refusal; }
        }
        return await StartAsync(job, instance.Id, ct);
    }

    /// <summary>Nothing has written since the clean end, so the new record's copies are as equal as the old one's.</summary>
    private static Task<Outcome<Instance>> NoteEqualAsync(JobContext job, Guid id, CancellationToken ct) =>
        job.Parts.State.ChangeAsync<Instance>((now, changes) => new StepChanges(changes).Write(now.Instances[id] with { CleanEnd = now.Instances[id].Generation!.Number }), ct);

    private static async Task<Outcome<Done>> StartAsync(JobContext job, Guid id, CancellationToken ct)
    {
        var instance = job.Now.Instances[id];
        return instance.Wanted == AdminState.Up ? await GuestSteps.StartAsync(job, id, instance.Primary, instance.Secondary, ct) : Done.Value;
    }
}

internal sealed class RecoverInstanceOperation : InstanceOperation<RecoverInstance>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    public override Right Right => Right.WatcherOnly;
    public override QuotaRule Quota => QuotaRule.None;

    protected override Refusal? Check(RecoverInstance request, Instance i, Picture now, EngineParts parts) =>
        Promoted(request, i) ? null
        : i.Generation?.Number != request.Generation ? new Refusal("generation.stale", $"{i.Name} is at another generation by now.")
        : i.Generation.Sync != SyncState.InSync ? new Refusal("mirror.not-in-sync", $"The copy of {i.Name} on {i.Secondary} is not whole; it is not used by itself.", "Bring the primary back.")
        : i.Wanted == AdminState.Down || i.Stage != LifeStage.Ready ? new Refusal("instance.not-wanted", $"{i.Name} is not wanted running.")
        : (request.DiskFault is null ? Answers(i, parts) : DiskRecovery.NotNeeded(i, parts)) ?? PowerChecks.Online(i.Secondary!, parts) ?? RecoveryPolicy.HeldBack(i, now, parts.Nodes.SilenceOf(i.Primary));

    private static Refusal? Answers(Instance i, EngineParts parts) =>
        parts.Nodes.HealthOf(i.Primary) == NodeHealth.Online ? new Refusal("recover.not-needed", $"Node {i.Primary} answers again.") : null;

    /// <summary>This job's own promotion was stored before a crash of the engine.</summary>
    private static bool Promoted(RecoverInstance request, Instance i) =>
        i.Generation is { } g && g.Number == request.Generation + 1 && g.Sync == SyncState.Alone && i.StartOrdered == g.Number;

    public override async Task<Outcome<Done>> RunAsync(RecoverInstance request, JobContext job, CancellationToken ct)
    {
        var instance = job.Now.Find(request.Instance)!;
        RecoveryNotes.Begin(job, instance);
        if (!Promoted(request, instance))
        {
            var promoted = request.DiskFault is { } fault ? await DiskRecovery.PromoteAsync(instance, fault, job, ct) : await PromoteAsync(instance, job, ct);
            if (!promoted.Ok) { return promoted.Refusal; }
            instance = promoted.Value;
        }
        return await FinishAsync(instance, request.DiskFault, job, ct);
    }

    /// <summary>
    /// Both other voters stop answering the primary; once its lease must have run out, the next generation is stored: by the engine here, by the
    /// secondary next. Until then a primary that is heard again, by either, keeps its instance.
    /// </summary>
    private static async Task<Outcome<Instance>> PromoteAsync(Instance i, JobContext job, CancellationToken ct)
    {
        var (old, primary) = (i.Generation!, job.Nodes.Find(i.Primary));
        if (await HandoverSteps.EndAsync(i, () => PowerOffAsync(primary, job, ct), job, ct) is { } open) { return open; }
        await job.StepAsync("stand-down", $"{old.Primary} is silent; it is no longer answered for {i.Name}.", ct);
        primary?.StandDown(old);
        var refusal = await HeardAsync(old, primary, job, ct);
        if (refusal is null)
        {
            var promoted = await GuestSteps.NewGenerationAsync(job, i.Id, old, "promote", old.Secondary!, old.Primary, SyncState.Alone, start: true, $"{old.Secondary} is the primary now; its copy has every acknowledged write.", ct, former: old, refuses: (now, instance) => MayNot(now, instance, job));
            if (promoted.Ok) { return promoted; }
            refusal = promoted.Refusal;
        }
        // If this is lost, the reconciler takes it back.
        await job.OrderAsync(old.Secondary!, new StandUpOrder(job.OperationId($"stand-up/{job.Epoch}"), job.Epoch, old, StandDownId(job)), Limit, ct);
        primary?.StandUp(old);
        return refusal;
    }

    /// <summary>Another one for each run of the engine: a node answers a repeated id with what it did then, and what it did then may have been taken back.</summary>
    private static Guid StandDownId(JobContext job) => job.OperationId($"stand-down/{job.Epoch}");

    /// <summary>Asked in the transaction of the promotion: what holds recovery back may have come meanwhile.</summary>
    private static Refusal? MayNot(Picture now, Instance i, JobContext job)
    {
        if (RecoveryPolicy.HeldBack(i, now, job.Nodes.SilenceOf(i.Primary)) is { } held) { return held; }
        if (HandoverSteps.IsOpen(i)) { return HandoverSteps.StillOpen(i); }
        if (job.Parts.Faults.LostTogether() is { Count: > 0 } lost) { return new Refusal("recover.frozen", $"{string.Join(", ", lost)} were lost at once; recovery freezes.", "An administrator releases it."); }
        RecoveryNotes.Promoted(job);
        return null;
    }

    /// <summary>Null when neither voter hears the primary until its lease is over, or its power-off is confirmed.</summary>
    private static async Task<Refusal?> HeardAsync(GenerationRecord old, Loop.NodeWatch? primary, JobContext job, CancellationToken ct)
    {
        var limits = job.Parts.Heartbeat;
        var heard = await job.OrderAsync(old.Secondary!, new StandDownOrder(StandDownId(job), job.Epoch, old), Limit, ct);
        if (heard.Ok && primary is not null)
        {
            if (!Hears(heard.Value, limits)) { await PowerOffAsync(primary, job, ct); }
            await job.Nodes.UntilAsync(() => primary.Health == NodeHealth.Online || primary.SinceChallenge >= limits.Isolation || job.Parts.Power.OffFor(old.Primary) is not null, limits.Isolation, ct);
            heard = await job.OrderAsync(old.Secondary!, new PeerSilenceRequest(old.Instance, old.Primary), Limit, ct);
        }
        if (!heard.Ok) { return heard.Refusal; }
        if (primary is { Health: NodeHealth.Online }) { return new Refusal("recover.not-needed", $"Node {old.Primary} answers again."); }
        return Hears(heard.Value, limits)
            ? new Refusal("recover.primary-heard", $"{old.Secondary} still hears {old.Primary}, so the instance runs on there.", "Look at the network between the portal and the node.")
            : null;
    }

    /// <summary>Runs the node's power command, if it has one. A beat later, so that nodes lost together are known as such: those are not powered off (S40).</summary>
    private static async Task PowerOffAsync(Loop.NodeWatch? primary, JobContext job, CancellationToken ct)
    {
        if (primary is null || !job.Parts.Power.Can(primary.Name)) { return; }
        var limits = job.Parts.Heartbeat;
        await job.Nodes.UntilAsync(() => primary.Health == NodeHealth.Online || primary.Silence >= limits.Suspect + limits.Every, limits.Every, ct);
        if (primary.Health != NodeHealth.Online && job.Parts.Faults.LostTogether(limits.Suspect).Count == 0) { job.Parts.Power.BeginOnce(primary.Name, job.Job.Id, CancellationToken.None); }
    }

    /// <summary>Still: within the beats that the engine itself missed.</summary>
    private static bool Hears(StandDownReply reply, HeartbeatOptions limits) => reply.SinceHeardMs is { } ago && ago < (limits.Suspect / 2).TotalMilliseconds;

    private static async Task<Outcome<Done>> FinishAsync(Instance i, string? fault, JobContext job, CancellationToken ct)
    {
        var record = i.Generation!;
        if (await Fencing.AwaitAsync(job, i.Id, ct) is { } notYet) { return notYet; }
        await job.StepAsync("start", $"Starting on {record.Primary}.", ct);
        var started = await GuestSteps.OrderAloneAsync(job, job.Now.Instances[i.Id], ct);
        // Spent: it was started before a crash of the engine; the watcher sees to the rest.
        if (!started.Ok && started.Refusal.Code != "generation.spent") { return started; }
        RecoveryNotes.Started(job);
        job.AtEnd = (now, changes) => { if (now.Instances.TryGetValue(i.Id, out var ended) && job.Job.Recovery is { } t) { changes.Write(ended with { LastRecovery = t }); } };
        Tell(i, fault, job);
        return Done.Value;
    }

    private static void Tell(Instance i, string? fault, JobContext job)
    {
        var took = job.Parts.Clock.GetUtcNow() - job.Job.ReceivedAt;
        job.Parts.Events.Add("instance.recovered", Severity.Warning, $"instance:{i.Name}", $"{i.Name} runs on {i.Primary} again, {took.TotalSeconds:0.0} s after {(fault is null ? $"{i.Secondary} was found silent" : $"its disk on {i.Secondary} failed")}.", i.Secondary, i.Primary, job.Job.Id);
    }
}
