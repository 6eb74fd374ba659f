// Looks at every instance after news and every half second, and files what the plan says, with back-off.
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Loop;

internal sealed class Reconciler(EngineParts parts, Door door, RowMaker rows) : IAsyncDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private readonly Dictionary<(Guid Instance, string Operation), Tries> _tries = [];
    private readonly Dictionary<string, long> _freeSince = new(StringComparer.Ordinal);
    private readonly Signal _news = new();
    private readonly long _began = parts.Clock.GetTimestamp();
    private Task _loop = Task.CompletedTask;

    /// <summary>How often something was filed for an instance, and when it may be again.</summary>
    private sealed record Tries(int Count, TimeSpan First, TimeSpan NotBefore);

    public void Begin() => _loop = LoopAsync();

    public void Look() => _news.Set();

    /// <summary>A job for the instance has ended: reports from before say nothing about it any more.</summary>
    public void Ended(Job job)
    {
        if (job.Request is InstanceRequest r) { _freeSince[r.Instance] = parts.Clock.GetTimestamp(); }
    }


    private async Task LoopAsync()
    {
        while (!_leaving.IsCancellationRequested)
        {
            _news.Reset();
            try { await LookOverAsync(_leaving.Token); }
            catch (OperationCanceledException) when (_leaving.IsCancellationRequested) { return; }
            catch (Ports.LeaseLostException) { return; }
            catch (Exception ex) { parts.Log.ReconcileFailed(ex); }
            try { await _news.WaitAsync(parts.Heartbeat.Every, parts.Clock, _leaving.Token); }
            catch (OperationCanceledException) { return; }
        }
    }

    private async Task LookOverAsync(CancellationToken ct)
    {
        var now = parts.Now;
        var busy = now.Jobs.Values.Where(j => !j.Ended).Select(j => (j.Request as InstanceRequest)?.Instance).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _tries.Keys.Where(k => !now.Instances.ContainsKey(k.Instance)).ToList()) { _tries.Remove(gone); }
        foreach (var instance in now.Instances.Values)
        {
            // A copy that came to its end was no failed try: the next loss of the secondary is not answered later for it.
            if (instance.Generation is { Sync: SyncState.InSync }) { _tries.Remove((instance.Id, new ResyncInstance(instance.Name).Name)); }
            if (instance.Doubt is not null) { await ResolveAsync(instance, ct); continue; }
            if (busy.Contains(instance.Name) || IsOld(instance)) { continue; }
            var step = Reconcile.Next(rows.See(instance));
            if (step.PoweredItselfOff) { await StaysOffAsync(instance.Id, ct); }
            else if (step.File is { } request) { await FileAsync(instance, request, ct); }
        }
    }

    private bool IsOld(Instance i) =>
        _freeSince.TryGetValue(i.Name, out var since) && parts.Nodes.Find(i.Primary) is { Health: NodeHealth.Online } watch && !(watch.AsOf >= since);

    /// <summary>Its user switched it off from inside: that is what is wanted now (Ganeti: user down).</summary>
    private async Task StaysOffAsync(Guid id, CancellationToken ct)
    {
        var changed = await parts.State.ChangeAsync<Instance>((now, changes) =>
        {
            if (!now.Instances.TryGetValue(id, out var i) || now.OpenJobOf(i.Name) is not null || !Reconcile.Next(rows.See(i)).PoweredItselfOff)
            {
                return new Refusal("instance.changed", "Something changed.");
            }
            var equal = i.Generation is { Sync: SyncState.InSync } g ? g.Number : i.CleanEnd;
            return new StepChanges(changes).Write(i with { Wanted = AdminState.Down, CleanEnd = equal });
        }, ct);
        if (changed.Ok)
        {
            parts.Events.Add("instance.powered-off", Severity.Info, $"instance:{changed.Value.Name}", $"{changed.Value.Name} powered itself off; it stays off until it is started.");
        }
    }

    /// <summary>R5: its nodes may have answered by now. The record that is in force is taken over, whichever history made it.</summary>
    private async Task ResolveAsync(Instance doubted, CancellationToken ct)
    {
        if (!Settles(doubted)) { return; }
        var (before, verdict) = (doubted.Generation, (Verdict?)null);
        var changed = await parts.State.ChangeAsync<Instance>((now, changes) =>
        {
            if (!now.Instances.TryGetValue(doubted.Id, out var i) || i.Doubt is null) { return new Refusal("instance.changed", "Something changed."); }
            verdict = Doubts.Next(i, parts.Nodes.WitnessesOf(i.Id));
            return Resolved(i, verdict) is { } next ? new StepChanges(changes).Write(next) : new Refusal("instance.in-doubt", "It is still in doubt.");
        }, ct);
        if (!changed.Ok) { return; }
        var text = verdict switch
        {
            Verdict.Adopt a => $"{doubted.Name}: its nodes are further than the database was; {a.Record} is taken over from them (the database had {(before is null ? "none" : before)}).",
            Verdict.Gone => $"{doubted.Name}: neither of its nodes has anything of it.",
            _ => $"{doubted.Name}: both of its nodes have answered; the database is right about it.",
        };
        parts.Events.Add("instance.settled", verdict is Verdict.Current ? Severity.Info : Severity.Warning, $"instance:{doubted.Name}", text);
    }

    private bool Settles(Instance i) => Doubts.Next(i, parts.Nodes.WitnessesOf(i.Id)) is Verdict.Current or Verdict.Adopt or Verdict.Gone;

    private static Instance? Resolved(Instance i, Verdict verdict) => verdict switch
    {
        Verdict.Current => i with { Doubt = null },
        Verdict.Adopt a => i with
        {
            Doubt = null, Generation = a.Record, Primary = a.Record.Primary, Secondary = a.Record.Secondary, FreshDisks = false,
            StartOrdered = a.Record.Number, Former = a.Former, Mirror = a.Record.Sync == SyncState.InSync ? MirrorState.InSync : MirrorState.Degraded,
        },
        Verdict.Gone => i with { Doubt = null, Stage = LifeStage.Failed, Wanted = AdminState.Down, FailureText = "Its nodes have nothing of it: it was removed after the backup was made. Remove it here, too." },
        Verdict.Wait or Verdict.Conflict => null,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    private async Task FileAsync(Instance instance, OperationRequest request, CancellationToken ct)
    {
        if (!May(instance, request)) { return; }
        var filed = await door.SubmitAsync(request, Caller.Watcher, Why(request), ct);
        if (filed.Ok) { parts.Log.WatcherFiles(request.Name, instance.Name); }
        else { parts.Log.WatcherRefused(request.Name, instance.Name, filed.Refusal.Message); }
    }

    private static string Why(OperationRequest request) => request switch
    {
        RecoverInstance => "its node is silent",
        DegradeInstance => "a copy is lost",
        ResyncInstance => "its other node is back",
        RestartInstance => "it ended by itself",
        StopInstance => "it is wanted stopped",
        _ => "reconciliation",
    };

    /// <summary>Back-off: recovery and degrading are never held back beyond a beat, restarts double, copies wait their delay.</summary>
    private bool May(Instance instance, OperationRequest request)
    {
        var now = parts.Clock.GetElapsedTime(_began);   // a wall clock that is set back must not hold anything back
        var key = (instance.Id, request.Name);
        var tries = _tries.GetValueOrDefault(key);
        if (tries is null || now - tries.First > parts.Recovery.RestartWindow)
        {
            tries = new Tries(0, now, now + Delay(request, 0));
            _tries[key] = tries;
        }
        if (now < tries.NotBefore) { return false; }
        if (request is RestartInstance && tries.Count >= parts.Recovery.RestartLimit) { return GiveUp(instance, key, tries); }
        _tries[key] = tries with { Count = tries.Count + 1, NotBefore = now + Delay(request, tries.Count + 1) };
        return true;
    }

    private TimeSpan Delay(OperationRequest request, int tries) => request switch
    {
        RestartInstance => tries == 0 ? TimeSpan.Zero : parts.Recovery.RestartBackoff * Math.Pow(2, Math.Min(tries - 1, 8)),
        ResyncInstance => tries == 0 ? parts.Recovery.ResyncDelay : TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, tries))),
        _ => tries == 0 ? TimeSpan.Zero : parts.Heartbeat.Every,
    };

    private bool GiveUp(Instance instance, (Guid, string) key, Tries tries)
    {
        _tries[key] = tries with { NotBefore = tries.First + parts.Recovery.RestartWindow };
        parts.Events.Add("instance.gave-up", Severity.Error, $"instance:{instance.Name}", $"{instance.Name} ended {tries.Count} times in a row; it is not started again by itself. Look at its console, then start it.");
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        await _loop;
        _leaving.Dispose();
    }
}
