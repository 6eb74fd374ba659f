// A third copy is made while the guest runs in sync; the short pause at its end puts the guest on all three.
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

/// <param name="Why">Null: it is on three.</param>
/// <param name="Stuck">It could not even be put back on its pair.</param>
public sealed record ThirdEnd(string? Why, bool Stuck = false, CopyReport? Copy = null);

/// <summary>Nothing here needs a promise: until the engine has decided the guest is in sync with its former secondary, whatever becomes of this copy.</summary>
public sealed class ThirdRun(QmpClient qmp, MirrorGraph graph, GenerationRecord candidate, ReplicaAddress replica, GuestParts parts) : CopyRun(qmp, graph, candidate, replica, parts)
{
    protected override Task ClearAsync(CancellationToken ct) => Graph.DropThirdAsync(ct);

    protected override Task AddAsync() => Graph.AddThirdAsync(Record, Replica, CancellationToken.None);

    /// <param name="joining">Called, the guest paused and the copies equal, before it can be on the third.</param>
    public async Task<ThirdEnd> FinishAsync(Action joining, CancellationToken ct)
    {
        await PrepareAsync(ct);
        PausesBriefly = true;
        var paused = Parts.Clock.GetTimestamp();
        try
        {
            if (await EqualAsync(joining, ct) is { } why) return await BackAsync(why);
            await Qmp.ExecuteAsync("cont", null, CancellationToken.None);
            return new ThirdEnd(null, Copy: Tally.Report(Parts.Clock.GetElapsedTime(paused)));
        }
        finally { PausesBriefly = false; }
    }

    // When the pause gets too long the new copy is given up, and the former secondary's only if it hangs too (R1).
    private async Task<string?> EqualAsync(Action joining, CancellationToken ct)
    {
        using var tooLong = new CancellationTokenSource(Parts.Options.LongestPause, Parts.Clock);
        using var hangs = new CancellationTokenSource(Parts.Options.LongestPause + Parts.Options.OldestWrite, Parts.Clock);
        var (yank, all) = (Task.CompletedTask, Task.CompletedTask);
        using var guard = tooLong.Token.Register(() => yank = Graph.YankThirdAsync(CancellationToken.None));
        using var last = hangs.Token.Register(() => all = Graph.YankAsync(CancellationToken.None));
        try
        {
            await Qmp.ExecuteAsync("stop", null, ct);
            await Passes.NextAsync(paused: true, tooLong.Token);
            await Passes.FlushAsync(tooLong.Token);
            if (await Passes.LeftAsync(ct) is > 0 and var left) return $"{left} bytes changed while the guest stood still.";
            joining();
            await Graph.SwapToTriosAsync(ct);
            guard.Unregister();
            return tooLong.IsCancellationRequested ? "The pause got too long." : null;
        }
        catch (OperationCanceledException) when (tooLong.IsCancellationRequested) { return "The pause got too long."; }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException) { return e.Message; }
        finally
        {
            last.Unregister();
            await yank;
            await all;
        }
    }

    private async Task<ThirdEnd> BackAsync(string why)
    {
        try
        {
            await Graph.BackToPairsAsync(CancellationToken.None);
            await Qmp.ExecuteAsync("cont", null, CancellationToken.None);
            return new ThirdEnd(why);
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException or OperationCanceledException)
        {
            return new ThirdEnd($"{why} {e.Message}", Stuck: true);
        }
    }
}
