// A secondary that was left stood down: the order that takes it back was lost, or an old stand-down came late.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;

namespace WebManager.Engine.Loop;

/// <summary>
/// While no promotion is under way a secondary answers its primary; otherwise the guest would depend on the portal alone and stop with it.
/// The order names the very stand-down it takes back, so one of a promotion that begins meanwhile stays in force.
/// </summary>
internal sealed class StandUps(EngineParts parts)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<Guid, bool> _underWay = new();

    /// <summary>Called for an instance without an open job.</summary>
    public void Look(Instance i, CancellationToken ct)
    {
        if (i is not { Secondary: { } secondary, Generation: { } record, Stage: LifeStage.Ready }) { return; }
        if (parts.Nodes.ReportOf(secondary, i.Id) is not { StoodDownBy: { } by, Stored: { } stored } || !record.SameAs(stored)) { return; }
        if (parts.Nodes.Find(secondary) is { Health: NodeHealth.Online } watch && _underWay.TryAdd(i.Id, true)) { _ = TakeBackAsync(i, watch, by, ct); }
    }

    private async Task TakeBackAsync(Instance i, NodeWatch watch, Guid by, CancellationToken ct)
    {
        try
        {
            var epoch = parts.Now.Cluster.Epoch;
            var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"stand-up/{by}/{epoch}")).AsSpan(0, 16));
            var done = await watch.CallAsync(new StandUpOrder(id, epoch, i.Generation!, by), Limit, ct);
            if (done.Ok) { parts.Log.StoodUp(watch.Name, i.Name); }
            watch.Nudge();
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        finally { _underWay.TryRemove(i.Id, out _); }
    }
}
