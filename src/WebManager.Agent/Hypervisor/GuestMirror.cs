// The orders on a guest's copies, one at a time; the guest's picture follows from what they did.
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Migration;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

public sealed class GuestMirror(QemuGuest guest, GuestParts parts) : IAsyncDisposable
{
    private readonly SemaphoreSlim _order = new(1, 1);
    private readonly CancellationTokenSource _leaving = new();
    private QmpClient _qmp = null!;
    private MigrationQmp _migration = null!;
    private MirrorGraph _graph = null!;
    private MirrorCopy? _copy;
    private CancellationTokenSource? _copyStop;
    private Task _copying = Task.CompletedTask;
    private Task _watching = Task.CompletedTask;
    private bool _copyOnLeave;

    private bool Mirrored => guest.Start.Record is not null;

    /// <summary>A pause that is part of an order's normal course.</summary>
    public bool PausesBriefly => _copy is { PausesBriefly: true } || Third is { PausesBriefly: true } || Probing;

    public GuestThird Third { get; private set; } = null!;

    /// <summary>The watch on the oldest write stops the guest for a moment to see whether its I/O can end.</summary>
    public bool Probing { get; set; }

    public void Attach(QmpClient qmp)
    {
        (_qmp, _migration) = (qmp, new MigrationQmp(qmp));
        _graph = new MirrorGraph(qmp, guest.Start.Guest.Template == DiskTemplate.Mirror ? guest.Start.Guest.Disks : [], parts.Tls);
        Third = new GuestThird(guest, this, qmp, _graph, parts, _leaving.Token);
        var faults = new DiskFaults(guest, this, qmp, parts).RunAsync(_leaving.Token);
        _watching = !Mirrored ? faults : Task.WhenAll(faults, new WriteWatch(guest, this, qmp, _graph, parts).RunAsync(_leaving.Token), new FlushMarks(guest, qmp, _graph, parts).RunAsync(_leaving.Token));
    }

    /// <summary>Before the guest's first write: both copies are equal now, and what changes from here on is marked.</summary>
    public async Task StartedInSyncAsync(CancellationToken ct)
    {
        var record = guest.Start.Record!;
        _graph.StartedInSync(record.Number);
        await MarkedFromHereAsync(record, guest.Start.Replica!, ct);
    }

    private async Task MarkedFromHereAsync(GenerationRecord record, ReplicaAddress replica, CancellationToken ct)
    {
        try { await new DiskBitmaps(_qmp, _graph.Disks).BeginAsync(record, ct); }
        catch (QmpException e) { parts.Log.NotMarked(guest.Instance, e.Message); }
        guest.IsOn(new CopyPlace(replica, record.Secondary!, DiskBitmaps.EqualUnder(record)));
    }

    /// <summary>
    /// For a guest that came from another node and stands still: onto both copies, as a start in sync begins. Its images are its own since it
    /// is here whole.
    /// </summary>
    public async Task TakenOverAsync(CancellationToken ct)
    {
        var (record, replica) = (guest.Start.Record!, guest.Start.Replica!);
        using var turn = await TurnAsync(ct);
        await _graph.AddCopiesAsync(record, replica, ct);
        await _graph.SwapToPairsAsync(_graph.Copies, ct);
        await MarkedFromHereAsync(record, replica, ct);
    }

    public async Task<Outcome<Done>> DegradeAsync(GenerationRecord record, CancellationToken ct)
    {
        await StopCopyingAsync();
        await Third.StopAsync();
        if (guest.IsMoving)
        {
            // It may hang in a drain that waits for the dead copy.
            await _graph.YankAsync(CancellationToken.None);
            var cancelling = guest.CancelMigrationAsync(CancellationToken.None);
            await _migration.YankAsync(CancellationToken.None);
            await cancelling;
        }

        using var turn = await TurnAsync(ct);
        try
        {
            // From here on to the end, whoever asked: half a graph would leave the guest waiting.
            // Also a sending that began before it was our turn.
            await _migration.YankAsync(CancellationToken.None);
            await _graph.YankAsync(CancellationToken.None);
            // Writes in flight end with an error now and pause the guest; one that wrote nothing is paused here.
            await _qmp.ExecuteAsync("stop", null, CancellationToken.None);
            await _graph.SwapToLocalAsync(CancellationToken.None);
            guest.MayBeOn(null);
            guest.Change(s => s with { Mirror = MirrorPhase.Alone, MirrorText = null, LocalFault = null, BadReads = false, CopyPercent = null, Third = null }, null);
            await _qmp.ExecuteAsync("cont", null, CancellationToken.None);
            guest.Change(s => s, new GuestNews("mirror.alone", $"The guest goes on with this node's copy under {record}."));
            return Done.Value;
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException)
        {
            return new Refusal("mirror.degrade-failed", $"The dead copy could not be cut out: {e.Message}", "Order it again; if it stays, restart the guest.");
        }
    }

    public async Task<Outcome<Done>> ResyncAsync(GenerationRecord record, ReplicaAddress replica, Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        using var turn = await TurnAsync(ct);
        if (!Mirrored) return new Refusal("mirror.none", "The instance has no mirrored disks.");
        if (guest.Mirror == MirrorPhase.Copying)
            return record.SameAs(_copy?.Record) ? Done.Value : new Refusal("mirror.copying", "A copy under another generation runs.", "Cancel it first.");
        if (guest.Mirror != MirrorPhase.Alone) return new Refusal("mirror.promised", "The guest is on both copies already.");
        var copy = new MirrorCopy(_qmp, _graph, record, replica, parts);
        if (await copy.BeginAsync(CancellationToken.None) is { } refusal)
        {
            await copy.DisposeAsync();
            return refusal;
        }
        (_copy, _copyStop) = (copy, CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token));
        guest.Change(s => s with { Mirror = MirrorPhase.Copying, MirrorText = null, CopyPercent = 0 }, new GuestNews("mirror.progress", "Copying to the secondary has begun."));
        _copying = CopyAsync(copy, promise, _copyStop.Token);
        return Done.Value;
    }

    private async Task CopyAsync(MirrorCopy copy, Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        CopyEnd end;
        try
        {
            await copy.CopyAsync(Show, ct);
            using var turn = await TurnAsync(ct);
            end = await copy.FinishAsync(promise, ct);
            if (end.Phase == MirrorPhase.Promised) guest.IsOn(new CopyPlace(copy.Replica, copy.Record.Secondary!, DiskBitmaps.EqualUnder(copy.Record)));
            if (end.Phase != MirrorPhase.Alone) await CleanUpAsync(copy);
        }
        catch (Exception e)
        {
            if (_copyOnLeave) return;
            // What the secondary's disk refused to take, over a connection that works.
            if (e is NbdDiskException { Written: true } refused) guest.Change(s => s with { CopyFault = new DiskFault(refused.Disk, refused.Full, $"Disk {refused.Disk}: {refused.Message}") }, null);
            end = await AbandonAsync(copy, e is OperationCanceledException ? "The copy was cancelled." : e.Message);
        }
        finally
        {
            await copy.DisposeAsync();
            _copy = null;
        }
        var news = end.Phase == MirrorPhase.Promised ? new GuestNews("mirror.promised", end.Text) : new GuestNews("mirror.progress", end.Text, Trouble: true);
        if (end.Phase == MirrorPhase.Broken) await RefreshPhaseAsync();
        guest.Change(s => s with { Mirror = s.Mirror == MirrorPhase.Copying ? end.Phase : s.Mirror, MirrorText = end.Phase == MirrorPhase.Promised ? null : end.Text, CopyPercent = null, Copy = end.Copy ?? s.Copy, CopyFault = end.Phase == MirrorPhase.Promised ? null : s.CopyFault }, news);
    }

    // The guest runs on both copies: what is left of the passes may not turn that into a failure.
    private async Task CleanUpAsync(MirrorCopy copy)
    {
        try { await copy.CleanUpAsync(); }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException) { parts.Log.GuestTrouble(guest.Instance, "mirror.progress", e.Message); }
    }

    /// <summary>Its pause was kept quiet; when it did not end well, the truth is told.</summary>
    public async Task RefreshPhaseAsync()
    {
        try
        {
            var running = (await _qmp.ExecuteAsync("query-status", null, _leaving.Token)).GetProperty("running").GetBoolean();
            guest.Change(s => s with { Phase = running ? GuestPhase.Running : GuestPhase.Paused }, null);
        }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException or OperationCanceledException)
        {
            // The process is gone, which its parent reports.
        }
    }

    private static async Task<CopyEnd> AbandonAsync(MirrorCopy copy, string why)
    {
        try
        {
            await copy.AbandonAsync();
            return new CopyEnd(MirrorPhase.Alone, why);
        }
        catch (Exception e) { return new CopyEnd(MirrorPhase.Alone, $"{why} {e.Message}"); }
    }

    private void Show(CopyTally tally)
    {
        var percent = tally.Percent;
        var news = (int)percent / 10 == (int)(guest.CopyPercent ?? 0) / 10 ? null : new GuestNews("mirror.progress", $"{percent:0} %: {tally.Words}.");
        guest.Change(s => s with { CopyPercent = percent, Copy = tally.Report(null) }, news);
    }

    public async Task<Outcome<Done>> CancelAsync(CancellationToken ct)
    {
        if (_copy is { Promising: true } || guest.Mirror.OnBothCopies()) return new Refusal("mirror.promised", "Both copies are equal and promised already.");
        await StopCopyingAsync().WaitAsync(ct);
        return guest.Mirror.OnBothCopies() ? new Refusal("mirror.promised", "Both copies became equal meanwhile.") : Done.Value;
    }

    private async Task StopCopyingAsync()
    {
        if (_copyStop is { } stop) await stop.CancelAsync();
        await _copying;
    }

    /// <summary>For a guest adopted while it stood still under a promise: the promise was stored, it may go on.</summary>
    public async Task<Outcome<Done>> ContinueAsync(CancellationToken ct)
    {
        using var turn = await TurnAsync(ct);
        try { await _qmp.ExecuteAsync("cont", null, ct); }
        catch (QmpException e) { return new Refusal("guest.not-continued", e.Message); }
        return Done.Value;
    }

    /// <summary>The engine recorded the generation as in sync (R2, last step).</summary>
    public void Recorded(GenerationRecord record)
    {
        if (record.Sync == SyncState.InSync) guest.Change(s => s.Mirror == MirrorPhase.Promised ? s with { Mirror = MirrorPhase.InSync } : s, null);
        Third.Recorded(record);
    }

    /// <summary>Reads phase and mirror from QEMU; ends what an earlier agent run left half done, where that is safe without asking.</summary>
    public async Task RecallAsync(CancellationToken ct)
    {
        using (await TurnAsync(ct)) await new GuestRecall(guest, _qmp, _graph, Third, parts).RunAsync(ct);
        if (guest.Start.Record is { } record) Third.Recorded(record);
    }

    public async Task<IDisposable> TurnAsync(CancellationToken ct)
    {
        await _order.WaitAsync(ct);
        return new Turn(_order);
    }

    private sealed record Turn(SemaphoreSlim Semaphore) : IDisposable
    {
        public void Dispose() => Semaphore.Release();
    }

    /// <summary>Lets go. A copy that runs is left to QEMU; the next agent run ends it, because nobody would finish it.</summary>
    public async ValueTask DisposeAsync()
    {
        _copyOnLeave = true;
        await _leaving.CancelAsync();
        await _copying;
        if (Third is not null) await Third.LeaveAsync();
        await _watching;
        _leaving.Dispose();
    }
}
