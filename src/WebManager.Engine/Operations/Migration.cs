// One live migration, step by step: nothing runs at the target before the source said that it is reaped and rested since its pause (R4, H9).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal sealed class Migration(JobContext job, Instance i)
{
    public const string Receive = "receive", Send = "send", Moved = "moved", Halted = "halted";

    private static readonly TimeSpan SendLimit = TimeSpan.FromHours(4);
    private static readonly TimeSpan ReceiveLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CancelAwayLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);
    private const int SwitchTries = 3;

    /// <summary>An answer that is on its way is there by then.</summary>
    private static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(5);

    private readonly GenerationRecord _old = i.Generation!;
    private int _cancels;
    private SwitchGuestReply? _switched;
    private long _switchedAt, _recordedAt, _openedAt;

    public async Task<Outcome<Done>> RunAsync(CancellationToken ct)
    {
        if (job.Resumed)
        {
            await job.Nodes.CaughtUpAsync([i.Primary, i.Secondary!], ct);
            if (job.Job.Step == Moved) { return GoesOn() ? await ToldAsync(_old, ct) : await TakeOverAsync(_old, ct); }
            if (job.Job.Step == Halted) { return await StartAnewAsync(_old, new Refusal("migrate.interrupted", "The portal was restarted meanwhile."), ct); }
        }
        // Once the export is closed there is no way back: the source may have been reaped, and a repeated switch is answered as the first one was.
        var begun = job.Resumed && job.Nodes.ReportOf(_old.Secondary, i.Id)?.ExportGeneration != _old.Number;
        var sent = begun ? Done.Value : await SendAsync(ct);
        var switched = sent.Ok ? await SwitchAsync(ct) : sent.Refusal;
        if (!switched.Ok) { return await GiveUpAsync(switched.Refusal, ct); }
        (_switched, _switchedAt) = (switched.Value, job.Parts.Clock.GetTimestamp());
        var moved = await GuestSteps.NewGenerationAsync(job, i.Id, _old, Moved, _old.Secondary!, _old.Primary, SyncState.InSync, start: true, $"The guest has left {_old.Primary}; {_old.Secondary} is the primary now.", ct);
        _recordedAt = job.Parts.Clock.GetTimestamp();
        return moved.Ok ? await TakeOverAsync(moved.Value.Generation!, ct) : await GiveUpAsync(moved.Refusal, ct);
    }

    /// <summary>It was taken over before the portal was restarted.</summary>
    private bool GoesOn() => job.Nodes.ReportOf(_old.Primary, i.Id) is { Guest: GuestPhase.Running or GuestPhase.Paused } r && r.GuestGeneration == _old.Number;

    /// <summary>Until the guest is paused before the last of it. An earlier try, before a restart of the portal, is given up: its guest goes on.</summary>
    private async Task<Outcome<Done>> SendAsync(CancellationToken ct)
    {
        if (job.Resumed) { await CancelAsync(ct); }
        var (from, to) = (_old.Primary, _old.Secondary!);
        await job.StepAsync(Receive, $"{to} makes ready for the guest.", ct);
        var ready = await job.OrderAsync(to, new ReceiveGuestOrder(job.OperationId($"receive/{_old}/{job.Epoch}"), job.Epoch, _old, i.ToGuestSpec()), ReceiveLimit, ct);
        if (!ready.Ok) { return ready.Refusal; }
        if (job.CancelAsked) { return job.Canceled(); }
        await job.StepAsync(Send, $"Sending the memory to {to} while the guest runs on {from}.", ct);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sending = SentAsync(new SendGuestOrder(job.OperationId($"send/{_old}/{job.Epoch}"), job.Epoch, _old, ready.Value.Address), ends.Token);
        var silent = SilentAsync(to, ends.Token);
        var first = await Task.WhenAny(sending, silent);
        ends.Cancel();
        await silent;
        var sent = await sending;
        ct.ThrowIfCancellationRequested();
        if (first != silent || sent.Ok) { return sent; }
        if (job.CancelAsked) { return job.Canceled(); }
        return job.Nodes.HealthOf(to) != NodeHealth.Online
            ? new Refusal("node.unreachable", $"Node {to} does not answer any more.", "Wait until it is back.")
            : new Refusal("migration.failed", $"{from} sends nothing any more, and its word about it was lost.", "Try again.");
    }

    private async Task<Outcome<Done>> SentAsync(SendGuestOrder order, CancellationToken ct)
    {
        try { return await job.OrderAsync(_old.Primary, order, SendLimit, ct); }
        catch (OperationCanceledException) { return new Refusal("migrate.interrupted", "The sending was given up."); }
    }

    /// <summary>
    /// Ends when the target falls silent, and when the source has said for a while that it sends nothing any more: the answer to a call of hours
    /// may be lost. Tells now and then how far the sending is.
    /// </summary>
    private async Task SilentAsync(string target, CancellationToken ct)
    {
        var seen = false;
        bool Ended()
        {
            var sends = job.Nodes.ReportOf(_old.Primary, i.Id)?.Migration is not null;
            seen |= sends;
            return job.CancelAsked || job.Nodes.HealthOf(target) != NodeHealth.Online || (seen && !sends);
        }
        try
        {
            while (!await job.Nodes.UntilAsync(Ended, TellEvery, ct))
            {
                if (job.Nodes.ReportOf(_old.Primary, i.Id)?.Migration is { Phase: MigrationPhase.Sending } m) { await job.LogAsync($"{m.Percent:0} % of the memory is there, {MiB(m.MovedBytes)} MiB sent.", ct); }
            }
            if (!job.CancelAsked && job.Nodes.HealthOf(target) == NodeHealth.Online) { await Task.Delay(AnswerWait, job.Parts.Clock, ct); }
        }
        catch (OperationCanceledException) { }
    }

    /// <summary>The guest stands still from here: no step is stored before it is known where it goes on.</summary>
    private async Task<Outcome<SwitchGuestReply>> SwitchAsync(CancellationToken ct)
    {
        var released = await job.OrderAsync(_old.Secondary!, new ReleaseReplicaOrder(job.OperationId($"release/{_old}"), job.Epoch, _old), OrderLimit, ct);
        if (!released.Ok) { return released.Refusal; }
        var order = new SwitchGuestOrder(job.OperationId($"switch/{_old}"), job.Epoch, _old);
        var switched = await job.OrderAsync(_old.Primary, order, OrderLimit, ct);
        // An answer that was lost is asked for again: without it nobody knows whether the guest is still there.
        for (var turn = 1; turn < SwitchTries && switched is { Ok: false, Refusal.Code: "node.unreachable" } && job.Nodes.HealthOf(_old.Primary) == NodeHealth.Online; turn++)
        {
            await job.Nodes.CaughtUpAsync([_old.Primary], ct);
            switched = await job.OrderAsync(_old.Primary, order, OrderLimit, ct);
        }
        return switched;
    }

    private async Task<Outcome<Done>> TakeOverAsync(GenerationRecord record, CancellationToken ct)
    {
        var (to, from, spec) = (record.Primary, record.Secondary!, i.ToGuestSpec());
        var storing = job.OrderAsync(to, new StoreGenerationOrder(job.OperationId($"store/{record}/{to}"), job.Epoch, record), OrderLimit, ct);
        var replica = await job.OrderAsync(from, new OpenReplicaOrder(job.OperationId($"open/{record}"), job.Epoch, record, spec), OrderLimit, ct);
        var stored = await storing;
        if (!stored.Ok) { return await StartAnewAsync(record, stored.Refusal, ct); }
        if (!replica.Ok) { return await StartAnewAsync(record, replica.Refusal, ct); }
        _openedAt = job.Parts.Clock.GetTimestamp();
        var taken = await GuestSteps.LeasedAsync(job, turn => job.OrderAsync(to,
            new TakeOverOrder(job.OperationId($"take-over/{record}/{turn}"), job.Epoch, record, spec, replica.Value.Replica), OrderLimit, ct), ct);
        return taken.Ok ? await ToldAsync(record, ct) : await StartAnewAsync(record, taken.Refusal, ct);
    }

    private async Task<Outcome<Done>> ToldAsync(GenerationRecord record, CancellationToken ct)
    {
        var how = "";
        if (_switched is { } told)
        {
            var now = job.Parts.Clock.GetTimestamp();
            long Ms(long from, long to) => (long)job.Parts.Clock.GetElapsedTime(from, to).TotalMilliseconds;
            how = $" {MiB(told.MovedBytes)} MiB of memory moved; the guest stood still for {told.PausedMs + Ms(_switchedAt, now)} ms: {told.PausedMs} until it had left {record.Secondary}, " +
                $"{Ms(_switchedAt, _recordedAt)} for the record, {Ms(_recordedAt, _openedAt)} for its other copy, {Ms(_openedAt, now)} until {record.Primary} went on with it.";
        }
        await job.LogAsync($"Runs on {record.Primary}.{how}", ct);
        job.Parts.Events.Add("instance.migrated", Severity.Info, $"instance:{i.Name}", $"{i.Name} moved from {record.Secondary} to {record.Primary} while it ran.{how}", record.Secondary, record.Primary, job.Job.Id);
        return Done.Value;
    }

    /// <summary>The source is gone and the target cannot go on: when it is certain that nothing runs under the record, the guest is started from its disks.</summary>
    private async Task<Outcome<Done>> StartAnewAsync(GenerationRecord record, Refusal why, CancellationToken ct)
    {
        var node = record.Primary;
        await job.StepAsync(Halted, $"The guest cannot go on on {node}: {why.Message} It is started anew.", ct);
        await CancelAsync(node, CancelLimit, ct);
        var stopped = await job.OrderAsync(node, new StopGuestOrder(job.OperationId($"halt/{record}"), job.Epoch, i.Id, TimeSpan.Zero), OrderLimit, ct);
        if (!stopped.Ok) { return stopped.Refusal; }
        var started = await GuestSteps.StartAsync(job, i.Id, node, record.Secondary, ct);
        return started.Ok ? new Refusal("migrate.started-anew", $"{i.Name} could not go on on {node} where it was, so it was started anew there: {why.Message}") : started;
    }

    /// <summary>The guest goes on at the source, or is recovered or started anew by the watcher, whatever it finds.</summary>
    private async Task<Outcome<Done>> GiveUpAsync(Refusal why, CancellationToken ct)
    {
        await CancelAsync(ct);
        return new Refusal(why.Code, $"{i.Name} stays on {_old.Primary}: {why.Message}", why.Remedy);
    }

    /// <summary>The target may be what is gone: a guest that waits for leave to go on alone does not wait for that long.</summary>
    private Task CancelAsync(CancellationToken ct) => Task.WhenAll(CancelAsync(_old.Primary, CancelLimit, ct), CancelAsync(_old.Secondary!, CancelAwayLimit, ct));

    private async Task CancelAsync(string node, TimeSpan limit, CancellationToken ct)
    {
        // Each has its own id: one that was carried out once would do nothing the next time.
        var done = await job.OrderAsync(node, new CancelMigrationOrder(job.OperationId($"cancel/{node}/{job.Epoch}/{++_cancels}"), job.Epoch, i.Id), limit, ct);
        if (!done.Ok) { await job.LogAsync($"What is left of it on {node} is cleared when that node answers: {done.Refusal.Message}", ct); }
    }

    private static string MiB(long bytes) => (bytes / (1024.0 * 1024)).ToString("0.#", System.Globalization.CultureInfo.InvariantCulture);
}
