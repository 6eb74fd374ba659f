// Starting and stopping a guest under the rules of generations (DESIGN 6): steps that several operations share.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class GuestSteps
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReplicaLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Starts the guest on the node. Mirrored: under a new generation, in sync when the copies are known to be equal and the other node
    /// can serve its copy, alone otherwise. An earlier try of this job that got through is taken as it is.
    /// </summary>
    public static async Task<Outcome<Done>> StartAsync(JobContext job, Guid id, string primary, string? secondary, CancellationToken ct)
    {
        if (job.Resumed) { await job.Nodes.CaughtUpAsync([primary], ct); }
        if (AlreadyRuns(job, id, primary)) { return Done.Value; }
        if (await Fencing.AwaitAsync(job, id, ct) is { } notYet) { return notYet; }
        var instance = job.Now.Instances[id];
        if (instance.Template != DiskTemplate.Mirror) { return await StartPlainAsync(job, instance, primary, ct); }
        if (CopiesEqual(instance) && secondary is not null && job.Nodes.HealthOf(secondary) == NodeHealth.Online)
        {
            var inSync = await StartInSyncAsync(job, id, primary, secondary, ct);
            if (inSync.Ok || inSync.Refusal.Code != ReplicaFailed) { return inSync; }
            await job.LogAsync($"{inSync.Refusal.Message} Going on with one copy.", ct);
        }
        return await StartAloneAsync(job, id, primary, secondary, ct);
    }

    private const string ReplicaFailed = "replica.failed";

    /// <summary>Equal: never written, or last ended cleanly while both confirmed each write (H3).</summary>
    private static bool CopiesEqual(Instance i) =>
        i.FreshDisks || (i.Generation is { Sync: SyncState.InSync } g && i.CleanEnd == g.Number);

    private static bool AlreadyRuns(JobContext job, Guid id, string primary)
    {
        var instance = job.Now.Instances[id];
        var report = job.Nodes.ReportOf(primary, id);
        return job.Resumed && report is { Guest: not GuestPhase.Absent }
            && (instance.Generation is null || (instance.Primary == primary && report.GuestGeneration == instance.Generation.Number));
    }

    private static async Task<Outcome<Done>> StartPlainAsync(JobContext job, Instance instance, string node, CancellationToken ct)
    {
        await job.StepAsync("start", $"Starting on {node}.", ct);
        var started = await job.OrderAsync(node, new StartGuestOrder(job.OperationId($"start/{node}/{job.Epoch}"), job.Epoch, instance.ToGuestSpec()), StartLimit, ct);
        return started.Ok ? await StartedAsync(job, node, started.Value, ct) : started.Refusal;
    }

    private static async Task<Outcome<Done>> StartInSyncAsync(JobContext job, Guid id, string primary, string secondary, CancellationToken ct)
    {
        var made = await NewGenerationAsync(job, id, job.Now.Instances[id].Generation, "start.record", primary, secondary, SyncState.InSync, start: true,
            $"Starting on {primary}, each write also confirmed by {secondary}.", ct, refuses: (_, now) => Moved(now, primary));
        if (!made.Ok) { return made.Refusal; }
        var (record, spec) = (made.Value.Generation!, made.Value.ToGuestSpec());
        var replica = await job.OrderAsync(secondary, new OpenReplicaOrder(job.OperationId($"open/{record}"), job.Epoch, record, spec), ReplicaLimit, ct);
        if (!replica.Ok) { return new Refusal(ReplicaFailed, $"{secondary} cannot serve its copy: {replica.Refusal.Message}"); }
        var stored = await job.OrderAsync(primary, new StoreGenerationOrder(job.OperationId($"store/{record}/{primary}"), job.Epoch, record), OrderLimit, ct);
        if (!stored.Ok) { return stored.Refusal; }
        var started = await LeasedAsync(job, turn => job.OrderAsync(primary,
            new StartGuestOrder(job.OperationId($"start/{record}/{turn}"), job.Epoch, spec) { Record = record, Replica = replica.Value.Replica }, StartLimit, ct), ct);
        return started.Ok ? await StartedAsync(job, primary, started.Value, ct) : started.Refusal;
    }

    /// <summary>The keeper needs one answered challenge first; that takes two beats, which are asked for at once.</summary>
    public static async Task<Outcome<StartGuestReply>> LeasedAsync(JobContext job, Func<int, Task<Outcome<StartGuestReply>>> order, CancellationToken ct)
    {
        var began = job.Parts.Clock.GetTimestamp();
        for (var turn = 1; ; turn++)
        {
            var started = await order(turn);
            if (started.Ok || started.Refusal.Code != "lease.missing" || job.Parts.Clock.GetElapsedTime(began) > TimeSpan.FromSeconds(10)) { return started; }
            await Task.Delay(TimeSpan.FromMilliseconds(50), job.Parts.Clock, ct);
        }
    }

    private static async Task<Outcome<Done>> StartAloneAsync(JobContext job, Guid id, string primary, string? secondary, CancellationToken ct)
    {
        var made = await NewGenerationAsync(job, id, job.Now.Instances[id].Generation, "start.record", primary, secondary, SyncState.Alone, start: true,
            $"Starting on {primary} with one copy; {secondary ?? "a secondary"} is made equal afterwards.", ct, refuses: (_, now) => Moved(now, primary));
        return made.Ok ? await OrderAloneAsync(job, made.Value, ct) : made.Refusal;
    }

    /// <summary>Sends the start under the instance's current alone record, which is stored and marked start ordered.</summary>
    public static async Task<Outcome<Done>> OrderAloneAsync(JobContext job, Instance instance, CancellationToken ct)
    {
        var record = instance.Generation!;
        var order = new StartGuestOrder(job.OperationId($"start/{record}"), job.Epoch, instance.ToGuestSpec()) { Record = record };
        var started = await job.OrderAsync(record.Primary, order, StartLimit, ct);
        return started.Ok ? await StartedAsync(job, record.Primary, started.Value, ct) : started.Refusal;
    }

    private static async Task<Outcome<Done>> StartedAsync(JobContext job, string node, StartGuestReply reply, CancellationToken ct)
    {
        await job.LogAsync($"Runs on {node} (process {reply.Pid}, {reply.Accelerator}).", ct);
        return Done.Value;
    }

    /// <summary>A start changes no primary: the nodes of a restored database may have named another one since the job read it (R4, R5).</summary>
    private static Refusal? Moved(Instance now, string primary) => now.Primary == primary ? null : Stale(now);

    private static Refusal Stale(Instance now) => new("generation.stale", $"{now.Name} is at another generation by now: {now.Generation}.", "Look at what there is now, then ask again.");

    /// <summary>
    /// Makes and stores the next generation; with start, also that its start was ordered, before any order leaves (R4, H8). On: the record that this was
    /// decided on; at another one by then, it is refused. So it is by Refuses, which is asked in the same transaction.
    /// </summary>
    public static Task<Outcome<Instance>> NewGenerationAsync(JobContext job, Guid id, GenerationRecord? on, string step, string primary, string? secondary, SyncState sync, bool start, string text, CancellationToken ct,
        GenerationRecord? former = null, Func<Picture, Instance, Refusal?>? refuses = null) =>
        job.StepAsync<Instance>(step, (now, changes) =>
        {
            if (!now.Instances.TryGetValue(id, out var instance)) { return new Refusal("instance.unknown", "The instance is gone."); }
            if (instance.Generation != on) { return Stale(instance); }
            if (refuses?.Invoke(now, instance) is { } refusal) { return refusal; }
            changes.Text = text;
            var record = new GenerationRecord(id, (instance.Generation?.Number ?? 0) + 1, job.Parts.Random.NewTag(), primary, secondary, sync);
            return changes.Write(instance with
            {
                Primary = primary, Secondary = secondary, Generation = record, Candidate = null,
                Mirror = sync == SyncState.InSync ? MirrorState.InSync : MirrorState.Degraded,
                StartOrdered = start ? record.Number : instance.StartOrdered,
                FreshDisks = instance.FreshDisks && !start,
                Former = former ?? instance.Former,
                OldCopies = Plan.OldCopies.After(instance, primary, secondary),
                LastRecovery = former is null ? instance.LastRecovery : job.Job.Recovery,
            });
        }, ct);

    /// <summary>Stops the guest and notes whether both copies are known to be equal now. No guest: done.</summary>
    public static async Task<Outcome<StopGuestReply>> StopAsync(JobContext job, Guid id, int seconds, CancellationToken ct)
    {
        var instance = job.Now.Instances[id];
        await job.StepAsync("stop", seconds == 0 ? $"Stopping on {instance.Primary} at once." : $"Pressing the power button on {instance.Primary}; after {seconds} s it is switched off.", ct);
        var grace = TimeSpan.FromSeconds(seconds);
        var stopped = await job.OrderAsync(instance.Primary, new StopGuestOrder(job.OperationId($"stop/{job.Epoch}"), job.Epoch, id, grace), grace + StartLimit, ct);
        if (!stopped.Ok) { return stopped; }
        var clean = stopped.Value.End == GuestEnd.Clean;
        return await job.StepAsync<StopGuestReply>("stopped", (now, changes) =>
        {
            var current = now.Instances[id];
            changes.Text = clean ? "The guest powered itself off." : "The guest is off.";
            if (clean && current.Generation?.Number == stopped.Value.Generation) { changes.Write(current with { CleanEnd = current.Generation.Number }); }
            return stopped.Value;
        }, ct);
    }
}
