// What an attempt to change a secondary left behind: a copy that nobody decides on any more, or a handover whose end nobody noted.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;

namespace WebManager.Engine.Loop;

/// <summary>Only for instances without an open job: the job that changes the secondary does all of this itself.</summary>
internal sealed class ThirdCopies(EngineParts parts)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<Guid, bool> _underWay = new();

    public void Look(Instance i, CancellationToken ct)
    {
        if (i is not { Stage: LifeStage.Ready, Generation: not null }) { return; }
        var stray = Stray(i);
        if ((i.Candidate is not null || stray is not null || HandoverSteps.Told(i, parts.Nodes.ReportOf(i.Primary, i.Id))) && _underWay.TryAdd(i.Id, true)) { _ = TidyAsync(i.Id, stray, ct); }
    }

    private ThirdCopy? Stray(Instance i) =>
        parts.Nodes.Find(i.Primary) is { Health: NodeHealth.Online } watch && watch.ReportOf(i.Id)?.Third is { Phase: not ThirdPhase.Failed } third && !third.Is(i.Generation) ? third : null;

    private async Task TidyAsync(Guid id, ThirdCopy? stray, CancellationToken ct)
    {
        try
        {
            var tidied = await parts.State.ChangeAsync<Instance>((now, changes) =>
            {
                if (!now.Instances.TryGetValue(id, out var i) || i.Doubt is not null || now.WorkOn(i.Name) is not null) { return new Refusal("instance.changed", "Something changed."); }
                var told = HandoverSteps.Told(i, parts.Nodes.ReportOf(i.Primary, id));
                return i.Candidate is null && !told ? i : new StepChanges(changes).Write(i with { Candidate = null, Former = told ? null : i.Former });
            }, ct);
            // It is no candidate in this database from here, so it never comes in force; a newer try has another tag.
            if (tidied.Ok && stray is not null && !stray.Is(tidied.Value.Generation)) { await DropAsync(tidied.Value, stray, ct); }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Ports.LeaseLostException) { }
        finally { _underWay.TryRemove(id, out _); }
    }

    private async Task DropAsync(Instance i, ThirdCopy stray, CancellationToken ct)
    {
        if (parts.Nodes.Find(i.Primary) is not { } watch) { return; }
        var record = new GenerationRecord(i.Id, stray.Number, stray.Tag, i.Primary, null, SyncState.InSync);
        var epoch = parts.Now.Cluster.Epoch;
        // Another id each time: a repeated one would get the answer that the first one got.
        var order = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"drop/{i.Id}/{record}/{epoch}/{parts.Clock.GetUtcNow().UtcTicks}")).AsSpan(0, 16));
        await watch.CallAsync(new DropCopyOrder(order, epoch, record), Limit, ct);
        watch.Nudge();
    }
}
