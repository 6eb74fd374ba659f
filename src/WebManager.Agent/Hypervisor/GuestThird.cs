// The orders on a third copy: another secondary takes the former one's place while both copies in force stay good (R4, H7).
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>
/// Up to the swap to three everything may fail freely: the guest goes on with its pair. From then on nothing is dropped here unasked; a lost
/// copy makes the guest wait, and the engine says with which two it goes on.
/// </summary>
public sealed class GuestThird(QemuGuest guest, GuestMirror mirror, QmpClient qmp, MirrorGraph graph, GuestParts parts, CancellationToken leaving)
{
    private ThirdRun? _run;
    private CancellationTokenSource? _stop;
    private Task _copying = Task.CompletedTask;
    private Task _going = Task.CompletedTask;
    private bool _pauses;

    public bool PausesBriefly => _pauses || _run is { PausesBriefly: true };

    public bool IsJoined => guest.Third is { Phase: ThirdPhase.Joined };

    public async Task<Outcome<Done>> AddAsync(GenerationRecord candidate, ReplicaAddress replica, CancellationToken ct)
    {
        using var turn = await mirror.TurnAsync(ct);
        if (guest.Third is { Phase: not ThirdPhase.Failed } now)
            return now.Is(candidate) ? Done.Value : new Refusal("mirror.copying", "A copy for another candidate runs.", "Cancel it first.");
        if (guest.Mirror != MirrorPhase.InSync) return new Refusal("mirror.not-in-sync", $"The guest's mirror is {guest.Mirror}.", "Wait until it is in sync.");
        await _copying;
        var run = new ThirdRun(qmp, graph, candidate, replica, parts);
        if (await run.BeginAsync(CancellationToken.None) is { } refusal)
        {
            await run.DisposeAsync();
            return refusal;
        }
        (_run, _stop) = (run, CancellationTokenSource.CreateLinkedTokenSource(leaving));
        Show(candidate, t => t with { Percent = 0 }, new GuestNews("mirror.progress", $"Copying to {candidate.Secondary} has begun."));
        _copying = CopyAsync(run, _stop.Token);
        return Done.Value;
    }

    private void Show(GenerationRecord candidate, Func<ThirdCopy, ThirdCopy> how, GuestNews? news, ThirdPhase phase = ThirdPhase.Copying) =>
        guest.Change(s => s with { Third = how(new ThirdCopy(candidate.Number, candidate.Tag, phase)) }, news);

    private async Task CopyAsync(ThirdRun run, CancellationToken ct)
    {
        ThirdEnd end;
        try
        {
            await run.CopyAsync(tally => Show(run.Record, t => t with { Percent = tally.Percent, Copy = tally.Report(null) }, null), ct);
            using var turn = await mirror.TurnAsync(ct);
            end = await run.FinishAsync(() => guest.MayBeOn(new ThirdPlace(run.Record, run.Replica)), ct);
            if (end.Why is null) Show(run.Record, t => t with { Copy = end.Copy }, new GuestNews("mirror.joined", $"The guest is on three copies: {run.Tally.Words}; it stood still for {end.Copy!.PausedMs} ms."), ThirdPhase.Joined);
            else if (!end.Stuck) guest.MayBeOn(null);
            await CleanUpAsync(run, end.Why is null);
        }
        catch (Exception e)
        {
            if (leaving.IsCancellationRequested) return;
            end = new ThirdEnd(e is OperationCanceledException ? "The copy was cancelled." : e.Message);
            await CleanUpAsync(run, joined: false);
        }
        finally
        {
            await run.DisposeAsync();
            _run = null;
        }
        if (end.Why is not { } why) return;
        if (end.Stuck) guest.Change(s => s.Break(why), null);
        await mirror.RefreshPhaseAsync();
        Show(run.Record, t => t with { Text = why }, new GuestNews(end.Stuck ? "mirror.broken" : "mirror.progress", why, Trouble: true), ThirdPhase.Failed);
    }

    // The guest runs on: what is left of the passes may not turn that into a failure.
    private async Task CleanUpAsync(ThirdRun run, bool joined)
    {
        try { await (joined ? run.CleanUpAsync() : run.AbandonAsync()); }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException) { parts.Log.GuestTrouble(guest.Instance, "mirror.progress", e.Message); }
    }

    public async Task<Outcome<Done>> DropAsync(GenerationRecord candidate, CancellationToken ct)
    {
        if (guest.Third is not { } third || !third.Is(candidate)) return Done.Value;
        await StopAsync();
        using var turn = await mirror.TurnAsync(ct);
        if (!IsJoined)
        {
            guest.Change(s => s with { Third = null }, null);
            return Done.Value;
        }
        return await PausedAsync(graph.Third, graph.BackToPairsAsync, () =>
        {
            guest.MayBeOn(null);
            // The new copy was the reason to wait; if the other one is lost too, the first write tells.
            guest.Change(s => s with { Third = null, MirrorText = null, Mirror = s is { Mirror: MirrorPhase.Broken, Third.Lost: true, LocalFault: null } ? MirrorPhase.InSync : s.Mirror }, null);
        }, "The guest is on its pair again.", ct);
    }

    /// <summary>The record under which the guest runs from here on. If it is the candidate's, the former secondary's copy is left.</summary>
    public void Recorded(GenerationRecord record)
    {
        if (!IsJoined || !guest.Third!.Is(record) || !_going.IsCompleted) return;
        _going = GoAsync(record, leaving);
    }

    private async Task GoAsync(GenerationRecord record, CancellationToken ct)
    {
        try
        {
            using var turn = await mirror.TurnAsync(ct);
            if (IsJoined && guest.ThirdPlace is { } place) await LeaveFormerAsync(record, place, ct);
        }
        catch (OperationCanceledException)
        {
            // The agent lets go of the guest; its next run goes on from here.
        }
    }

    private async Task LeaveFormerAsync(GenerationRecord record, ThirdPlace place, CancellationToken ct)
    {
        var left = await PausedAsync(graph.Copies, async t =>
        {
            await graph.LeaveFormerAsync(t);
            // In the pause: a write under way would be on this node's image, and in neither half of the marks.
            await new DiskBitmaps(qmp, graph.Disks).BeginAsync(record, t);
        }, () =>
        {
            guest.IsOn(new CopyPlace(place.Replica, record.Secondary!, DiskBitmaps.EqualUnder(record)));
            guest.Change(s => s with
            {
                Third = null, CopyFault = null, Suspected = null, MirrorText = null,
                Mirror = s is { Mirror: MirrorPhase.Broken, LocalFault: null } or { Mirror: MirrorPhase.InSync } ? MirrorPhase.InSync : s.Mirror,
            }, null);
        }, $"The guest is on this node's copy and that on {record.Secondary} under {record}.", ct);
        if (!left.Ok) guest.Change(s => s.Break(left.Refusal.Message), new GuestNews("mirror.broken", left.Refusal.Message, Trouble: true));
    }

    // A copy that answers nothing hangs the pause: it is cut off then, and the guest waits for the engine's word.
    private async Task<Outcome<Done>> PausedAsync(IReadOnlyList<CopyNodes> leaves, Func<CancellationToken, Task> work, Action done, string news, CancellationToken ct)
    {
        using var hangs = new CancellationTokenSource(parts.Options.OldestWrite, parts.Clock);
        var yank = Task.CompletedTask;
        // One that the keeper has stopped answers nothing either, which is no fault of its copies.
        using var guard = hangs.Token.Register(() => yank = guest.Halted ? Task.CompletedTask : graph.YankAsync(CancellationToken.None));
        guest.Change(s => s with { Gone = [.. s.Gone, .. leaves.Select(c => c.Turn).Distinct().Except(s.Gone)] }, null);
        _pauses = true;
        try
        {
            await qmp.ExecuteAsync("stop", null, ct);
            await work(CancellationToken.None);
            done();
            await qmp.ExecuteAsync("cont", null, CancellationToken.None);
            guest.Change(s => s, new GuestNews("mirror.changed", news));
            return Done.Value;
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException)
        {
            return new Refusal("mirror.swap-failed", $"The guest's copies could not be changed: {e.Message}", "Order it again.");
        }
        finally
        {
            guard.Unregister();
            await yank;
            _pauses = false;
            await mirror.RefreshPhaseAsync();
        }
    }

    /// <summary>
    /// For a guest found again: a copy that was not joined is dropped, nobody would finish it; one that was stays until the engine decides.
    /// True: it may stand still in a pause of ours, and may go on.
    /// </summary>
    public async Task<bool> RecallAsync(CancellationToken ct)
    {
        if (guest is not { ThirdPlace: { } place, Start.Record: { Sync: SyncState.InSync } runs })
        {
            if (graph.Third.Count > 0 && await graph.OnTriosAsync(ct) is false) await graph.DropThirdAsync(ct);
            return false;
        }
        var (on, decided) = (await graph.OnTriosAsync(ct), runs.SameAs(place.Candidate));
        if (on is null && !decided) await graph.BackToPairsAsync(ct);
        if (on is true || decided) Show(place.Candidate, t => t, null, ThirdPhase.Joined);
        else
        {
            await graph.DropThirdAsync(ct);
            guest.MayBeOn(null);
        }
        return true;
    }

    /// <summary>Ends a copy that is under way; answers when it has come to its end.</summary>
    public async Task StopAsync()
    {
        if (_stop is { } stop) await stop.CancelAsync();
        await _copying;
    }

    public Task LeaveAsync() => Task.WhenAll(_copying, _going);
}
