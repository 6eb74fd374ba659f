// One full copy to a replica while the guest runs, and the short pause at its end that puts the guest on both copies (R2).
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <param name="Phase">Promised, Alone or Broken (the promise could not be stored, or the way back failed: the next degrade repairs it).</param>
public sealed record CopyEnd(MirrorPhase Phase, string Text);

public sealed class MirrorCopy(QmpClient qmp, MirrorGraph graph, GenerationRecord record, HypervisorOptions options, TimeProvider clock) : IDisposable
{
    private const long LittleLeft = 8 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly CopyJobs _jobs = new(qmp, clock);
    private IReadOnlyList<CopyNodes> _copies = [];

    /// <summary>The pause at the end is ours: nobody needs to hear of it.</summary>
    public bool PausesBriefly { get; private set; }

    /// <summary>From here on it cannot be taken back.</summary>
    public bool Promising { get; private set; }

    public GenerationRecord Record => record;

    /// <summary>Connects and begins; on a refusal nothing is left of it.</summary>
    public async Task<Refusal?> BeginAsync(ReplicaAddress replica, CancellationToken ct)
    {
        if (replica.Exports.Count != graph.Disks.Count)
            return new Refusal("replica.wrong-disks", $"The replica has {replica.Exports.Count} copies for {graph.Disks.Count} disks.");
        try
        {
            await graph.DropCopiesAsync(ct);
            _copies = await graph.AddCopiesAsync(record.Number, replica, ct);
            await _jobs.BeginAsync([.. graph.Disks.Zip(_copies)], ct);
            return null;
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException)
        {
            await AbandonAsync();
            return new Refusal("replica.unreachable", $"The copy on {record.Secondary} cannot be used: {e.Message}", "Check the secondary and its network, then try again.");
        }
    }

    /// <summary>Returns when every disk is equal but for a little; throws when the copy fails. The guest runs on in any case.</summary>
    public async Task CopyAsync(Action<double> progress, CancellationToken ct)
    {
        var (last, lastMove, readySince) = (-1L, clock.GetTimestamp(), (long?)null);
        while (true)
        {
            var now = await _jobs.LookAsync(ct);
            progress(now.Percent);
            if (now.Ready) readySince ??= clock.GetTimestamp();
            // A guest that writes without a break never gets to zero: after a while the rest is copied in the pause.
            if (now.Ready && (now.Left <= LittleLeft || clock.GetElapsedTime(readySince!.Value) > Patience)) return;
            if (now.Done != last) (last, lastMove) = (now.Done, clock.GetTimestamp());
            if (clock.GetElapsedTime(lastMove) > options.CopyStall) throw new IOException($"No progress for {options.CopyStall.TotalSeconds:0} s.");
            await _jobs.NewsAsync(ct);
        }
    }

    /// <summary>Pauses the guest, lets the jobs end, swaps to both copies, promises, continues. Before the promise any failure leads back to the local image.</summary>
    public async Task<CopyEnd> FinishAsync(IReadOnlyList<string> images, Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        await FlushAsync(images, ct);
        PausesBriefly = true;
        var paused = clock.GetTimestamp();
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
            return new CopyEnd(MirrorPhase.Promised, $"Both copies are equal; the guest stood still for {clock.GetElapsedTime(paused).TotalMilliseconds:0} ms.");
        }
        finally { PausesBriefly = false; }
    }

    // A dead peer can hang the drain inside "stop": when the pause gets too long the connections are cut and everything fails at once.
    private async Task<string?> EqualAsync(CancellationToken ct)
    {
        using var tooLong = new CancellationTokenSource(options.LongestPause, clock);
        Task yank = Task.CompletedTask;
        using var guard = tooLong.Token.Register(() => yank = graph.YankAsync(CancellationToken.None));
        try
        {
            await qmp.ExecuteAsync("stop", null, ct);
            await _jobs.CompleteAsync(tooLong.Token);
            await graph.SwapToPairsAsync(_copies, ct);
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
            await _jobs.AbortAsync(CancellationToken.None);
            await graph.SwapToLocalAsync(CancellationToken.None);
            await qmp.ExecuteAsync("cont", null, CancellationToken.None);
            return new CopyEnd(MirrorPhase.Alone, why);
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException)
        {
            return new CopyEnd(MirrorPhase.Broken, $"{why} {e.Message}");
        }
    }

    /// <summary>Ends the copy while the guest runs on; nothing is left of it in QEMU.</summary>
    public async Task AbandonAsync()
    {
        await graph.YankAsync(CancellationToken.None);
        await _jobs.AbortAsync(CancellationToken.None);
        await graph.DropCopiesAsync(CancellationToken.None);
    }

    // "stop" flushes the images while the guest stands still. Flushing the files beforehand, past QEMU, leaves it little to do.
    private static async Task FlushAsync(IReadOnlyList<string> images, CancellationToken ct) => await Task.Run(() =>
    {
        foreach (var image in images)
        {
            using var file = File.OpenHandle(image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }
    }, ct);

    public void Dispose() => _jobs.Dispose();
}
