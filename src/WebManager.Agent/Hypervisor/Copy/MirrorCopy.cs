// Makes the secondary's copy equal while the guest runs, and the short pause at its end that puts the guest on both copies (R2).
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

/// <param name="Phase">Promised, Alone or Broken (the promise could not be stored, or the way back failed: the next degrade repairs it).</param>
public sealed record CopyEnd(MirrorPhase Phase, string Text, CopyReport? Copy = null);

public sealed class MirrorCopy(QmpClient qmp, MirrorGraph graph, GenerationRecord record, ReplicaAddress replica, GuestParts parts) : IAsyncDisposable
{
    private const long LittleLeft = 4 * 1024 * 1024;
    private const int MostPasses = 20;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);
    private readonly HypervisorOptions _options = parts.Options;
    private readonly CopyPasses _passes = new(qmp, graph, record, replica, parts);

    /// <summary>The pause at the end is ours: nobody needs to hear of it.</summary>
    public bool PausesBriefly { get; private set; }

    /// <summary>From here on it cannot be taken back.</summary>
    public bool Promising { get; private set; }

    public GenerationRecord Record => record;
    public ReplicaAddress Replica => replica;
    public CopyTally Tally => _passes.Tally;

    /// <summary>Connects; on a refusal nothing is left of it. QEMU has no part in it yet, so the guest does not feel a slow secondary.</summary>
    public async Task<Refusal?> BeginAsync(CancellationToken ct)
    {
        if (replica.Exports.Count != graph.Disks.Count)
            return new Refusal("replica.wrong-disks", $"The replica has {replica.Exports.Count} copies for {graph.Disks.Count} disks.");
        using var limit = new CancellationTokenSource(ConnectLimit, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await graph.DropCopiesAsync(ct);
            await _passes.ConnectAsync(both.Token);
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested) { return Unreachable("it does not answer."); }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException) { return Unreachable(e.Message); }
    }

    private Refusal Unreachable(string why) =>
        new("replica.unreachable", $"The copy on {record.Secondary} cannot be used: {why}", "Check the secondary and its network, then try again.");

    /// <summary>Returns when every disk is equal but for a little; throws when the copy fails. The guest runs on in any case.</summary>
    public async Task CopyAsync(Action<CopyTally> progress, CancellationToken ct)
    {
        using var stuck = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var work = WorkAsync(stuck.Token);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(250), parts.Clock);
        while (!work.IsCompleted && Tally.SinceMove < _options.CopyStall)
        {
            progress(Tally);
            await Task.WhenAny(work, look.WaitForNextTickAsync(CancellationToken.None).AsTask());
        }
        var still = !work.IsCompleted;
        if (still) await stuck.CancelAsync();
        try { await work; }
        catch (OperationCanceledException) when (still && !ct.IsCancellationRequested) { throw new IOException($"No progress for {_options.CopyStall.TotalSeconds:0} s."); }
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        await _passes.FirstAsync(ct);
        // A guest that writes faster than we copy never gets near zero: after a while the rest is left to the pause, which has its own limit.
        for (var i = 0; i < MostPasses && await _passes.LeftAsync(ct) > LittleLeft; i++) await _passes.NextAsync(paused: false, ct);
    }

    /// <summary>Pauses the guest, copies the rest, swaps to both copies, promises, continues. Before the promise any failure leads back to the local image.</summary>
    public async Task<CopyEnd> FinishAsync(Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        await PrepareAsync(ct);
        PausesBriefly = true;
        var paused = parts.Clock.GetTimestamp();
        try
        {
            if (await EqualAsync(ct) is { } why) return await BackToLocalAsync(why);
            Promising = true;
            try { await promise(ct); }
            catch (Exception e)
            {
                // It may have been stored or not, so the guest keeps writing to both: right in either case.
                await qmp.ExecuteAsync("cont", null, CancellationToken.None);
                return new CopyEnd(MirrorPhase.Broken, $"The promise could not be stored: {e.Message}");
            }
            await qmp.ExecuteAsync("cont", null, CancellationToken.None);
            var still = parts.Clock.GetElapsedTime(paused);
            return new CopyEnd(MirrorPhase.Promised, $"Both copies are equal: {(_passes.ByBitmap ? "changed blocks only, " : "")}{Tally.Words}; the guest stood still for {still.TotalMilliseconds:0} ms.",
                Tally.Report(still));
        }
        finally { PausesBriefly = false; }
    }

    /// <summary>All that need not happen in the pause: both disks are synced, QEMU connects to the copies.</summary>
    private async Task PrepareAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(_options.CopyStall, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        await _passes.FlushAsync(both.Token);
        await SyncImagesAsync(ct);
        await graph.AddCopiesAsync(record, replica, CancellationToken.None);
    }

    // A dead peer can hang the drain inside "stop": when the pause gets too long the connections are cut and everything fails at once.
    private async Task<string?> EqualAsync(CancellationToken ct)
    {
        using var tooLong = new CancellationTokenSource(_options.LongestPause, parts.Clock);
        Task yank = Task.CompletedTask;
        using var guard = tooLong.Token.Register(() => yank = graph.YankAsync(CancellationToken.None));
        try
        {
            await qmp.ExecuteAsync("stop", null, ct);
            await _passes.NextAsync(paused: true, tooLong.Token);
            await _passes.FlushAsync(tooLong.Token);
            if (await _passes.LeftAsync(ct) is > 0 and var left) return $"{left} bytes changed while the guest stood still.";
            await graph.SwapToPairsAsync(graph.Copies, ct);
            await _passes.MarkEqualAsync(ct);
            guard.Unregister();
            return tooLong.IsCancellationRequested ? "The pause got too long." : null;
        }
        catch (OperationCanceledException) when (tooLong.IsCancellationRequested) { return "The pause got too long."; }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException) { return e.Message; }
        finally { await yank; }
    }

    private async Task<CopyEnd> BackToLocalAsync(string why)
    {
        try
        {
            await graph.YankAsync(CancellationToken.None);
            await graph.SwapToLocalAsync(CancellationToken.None);
            await qmp.ExecuteAsync("cont", null, CancellationToken.None);
            await _passes.CleanUpAsync(CancellationToken.None);
            return new CopyEnd(MirrorPhase.Alone, why);
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException)
        {
            return new CopyEnd(MirrorPhase.Broken, $"{why} {e.Message}");
        }
    }

    /// <summary>Once the guest runs on both copies again, or alone.</summary>
    public Task CleanUpAsync() => _passes.CleanUpAsync(CancellationToken.None);

    /// <summary>Ends the copy while the guest runs on; what a new try needs to know stays.</summary>
    public async Task AbandonAsync()
    {
        await _passes.CleanUpAsync(CancellationToken.None);
        await graph.DropCopiesAsync(CancellationToken.None);
    }

    // "stop" flushes the images while the guest stands still. Flushing the files beforehand, past QEMU, leaves it little to do.
    private async Task SyncImagesAsync(CancellationToken ct) => await Task.Run(() =>
    {
        foreach (var disk in graph.Disks)
        {
            using var file = File.OpenHandle(parts.Paths.Disk(disk.Index), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }
    }, ct);

    public ValueTask DisposeAsync() => _passes.DisposeAsync();
}
