// The short pause at the end of a copy that puts a guest that ran alone on both copies (R2).
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

/// <param name="Phase">Promised, Alone or Broken (the promise could not be stored, or the way back failed: the next degrade repairs it).</param>
public sealed record CopyEnd(MirrorPhase Phase, string Text, CopyReport? Copy = null);

public sealed class MirrorCopy(QmpClient qmp, MirrorGraph graph, GenerationRecord record, ReplicaAddress replica, GuestParts parts) : CopyRun(qmp, graph, record, replica, parts)
{
    /// <summary>From here on it cannot be taken back.</summary>
    public bool Promising { get; private set; }

    protected override Task ClearAsync(CancellationToken ct) => Graph.DropCopiesAsync(ct);

    protected override Task AddAsync() => Graph.AddCopiesAsync(Record, Replica, CancellationToken.None);

    /// <summary>Pauses the guest, copies the rest, swaps to both copies, promises, continues. Before the promise any failure leads back to the local image.</summary>
    public async Task<CopyEnd> FinishAsync(Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        await PrepareAsync(ct);
        PausesBriefly = true;
        var paused = Parts.Clock.GetTimestamp();
        try
        {
            if (await EqualAsync(ct) is { } why) return await BackToLocalAsync(why);
            Promising = true;
            try { await promise(ct); }
            catch (Exception e)
            {
                // It may have been stored or not, so the guest keeps writing to both: right in either case.
                await Qmp.ExecuteAsync("cont", null, CancellationToken.None);
                return new CopyEnd(MirrorPhase.Broken, $"The promise could not be stored: {e.Message}");
            }
            await Qmp.ExecuteAsync("cont", null, CancellationToken.None);
            var still = Parts.Clock.GetElapsedTime(paused);
            return new CopyEnd(MirrorPhase.Promised, $"Both copies are equal: {(Passes.ByBitmap ? "changed blocks only, " : "")}{Tally.Words}; the guest stood still for {still.TotalMilliseconds:0} ms.",
                Tally.Report(still));
        }
        finally { PausesBriefly = false; }
    }

    // A dead peer can hang the drain inside "stop": when the pause gets too long the connections are cut and everything fails at once.
    private async Task<string?> EqualAsync(CancellationToken ct)
    {
        using var tooLong = new CancellationTokenSource(Parts.Options.LongestPause, Parts.Clock);
        Task yank = Task.CompletedTask;
        using var guard = tooLong.Token.Register(() => yank = Graph.YankAsync(CancellationToken.None));
        try
        {
            await Qmp.ExecuteAsync("stop", null, ct);
            await Passes.NextAsync(paused: true, tooLong.Token);
            await Passes.FlushAsync(tooLong.Token);
            if (await Passes.LeftAsync(ct) is > 0 and var left) return $"{left} bytes changed while the guest stood still.";
            await Graph.SwapToPairsAsync(Graph.Copies, ct);
            await Passes.MarkEqualAsync(ct);
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
            await Graph.YankAsync(CancellationToken.None);
            await Graph.SwapToLocalAsync(CancellationToken.None);
            await Qmp.ExecuteAsync("cont", null, CancellationToken.None);
            await Passes.CleanUpAsync(CancellationToken.None);
            return new CopyEnd(MirrorPhase.Alone, why);
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException)
        {
            return new CopyEnd(MirrorPhase.Broken, $"{why} {e.Message}");
        }
    }
}
