// Looks at every instance after news and every half second, and files what the plan says, with back-off.
using System.Collections.Concurrent;
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
    private const int QuickRecoveries = 4;
    private static readonly TimeSpan ArchiveEvery = TimeSpan.FromMinutes(5);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Dictionary<(Guid Instance, string Operation), Tries> _tries = [];
    private readonly ConcurrentDictionary<string, long> _freeSince = new(StringComparer.Ordinal);   // written by whoever commits
    private readonly ConcurrentQueue<string> _startedByHand = new();
    private readonly HashSet<string> _faulty = new(StringComparer.Ordinal);
    private readonly Signal _news = new();
    private readonly StandUps _standUps = new(parts);
    private readonly ThirdCopies _thirds = new(parts);
    private readonly NoteDesk _notes = new(parts);
    private readonly FoundBook _found = new(parts, rows);
    private readonly long _began = parts.Clock.GetTimestamp();
    private long _archived = parts.Clock.GetTimestamp();
    private Task _loop = Task.CompletedTask;

    /// <summary>How often something was filed for an instance, and when it may be again.</summary>
    private sealed record Tries(int Count, TimeSpan First, TimeSpan NotBefore);

    public void Begin() => _loop = LoopAsync();

    public void Look() => _news.Set();

    /// <summary>A job for the instance has ended: reports from before say nothing about it any more.</summary>
    public void Ended(Job job)
    {
        if (job.Request is not InstanceRequest r) { return; }
        _freeSince[r.Instance] = parts.Clock.GetTimestamp();
        // A person who starts it gives it its tries again.
        if (r is StartInstance or RebootInstance) { _startedByHand.Enqueue(r.Instance); }
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
        await parts.Faults.FreezeAsync(ct);
        await ArchiveAsync(ct);
        var now = parts.Now;
        var (starts, replaces) = (new List<StartWish>(), new List<Instance>());
        var strays = Strays(now);
        var busy = now.Jobs.Values.Where(Picture.Works).Select(j => (j.Request as InstanceRequest)?.Instance).OfType<string>().ToHashSet(StringComparer.Ordinal);
        while (_startedByHand.TryDequeue(out var name)) { if (now.Find(name) is { } i) { _tries.Remove((i.Id, new RestartInstance(i.Name).Name)); } }
        foreach (var gone in _tries.Keys.Where(k => !now.Instances.ContainsKey(k.Instance)).ToList()) { _tries.Remove(gone); }
        AfterRepairs(now);
        foreach (var instance in now.Instances.Values)
        {
            // A copy that came to its end was no failed try: the next loss of the secondary is not answered later for it.
            if (instance.Generation is { Sync: SyncState.InSync }) { _tries.Remove((instance.Id, new ResyncInstance(instance.Name).Name)); }
            if (instance.Doubt is not null) { await ResolveAsync(instance, ct); continue; }
            if (FirstSign(instance) is { } sign) { await NoteFirstSignAsync(instance.Id, sign, ct); }
            if (busy.Contains(instance.Name) || IsOld(instance)) { continue; }
            _standUps.Look(instance, ct);
            _thirds.Look(instance, ct);
            var step = Reconcile.Next(rows.See(instance));
            if (step.PoweredItselfOff) { await StaysOffAsync(instance.Id, ct); }
            else if (step.File is RecoverInstance) { starts.Add(new StartWish(instance, step.File, instance.Secondary!)); }
            else if (step.File is RestartInstance) { starts.Add(new StartWish(instance, step.File, instance.Primary)); }
            else if (step.File is ReplaceSecondary) { replaces.Add(instance); }
            else if (step.File is { } request) { await FileAsync(instance, request, ct); }
            else if (WhollyThere(instance) && Stray(instance, strays) is { } node) { await FileAsync(instance, new CleanInstance(instance.Name, node), ct); }
        }
        if (starts.Count > 0) { await StartAsync(starts, ct); }
        if (replaces.Count > 0) { await ReplaceAsync(replaces, ct); }
        _notes.Look(now, ct);
        await _found.LookAsync(now, ct);
    }

    /// <summary>Jobs that ended long ago leave the recent ones.</summary>
    private async Task ArchiveAsync(CancellationToken ct)
    {
        var since = parts.Clock.GetElapsedTime(_archived);
        if (since < ArchiveEvery) { return; }
        _archived = parts.Clock.GetTimestamp();
        var at = parts.Clock.GetUtcNow();
        await parts.State.ChangeAsync<Done>((_, changes) => { changes.Archive = new Ports.ArchiveOrder(at) { EndedBefore = at - QueueRules.ArchiveAfter }; return Done.Value; }, ct);
    }

    /// <summary>A node says that its disk works again: its copies are made at once, not when their back-off is over.</summary>
    private void AfterRepairs(Picture now)
    {
        foreach (var watch in parts.Nodes.All)
        {
            if (watch.LastReply?.DiskFault is not null) { _faulty.Add(watch.Name); }
            else if (_faulty.Remove(watch.Name))
            {
                foreach (var i in now.On(watch.Name)) { _tries.Remove((i.Id, new ResyncInstance(i.Name).Name)); }
            }
        }
    }

    /// <summary>Which nodes have something of an instance that does not name them; one for each instance at a time.</summary>
    private Dictionary<Guid, string> Strays(Picture now)
    {
        var strays = new Dictionary<Guid, string>();
        foreach (var watch in parts.Nodes.All.Where(w => w.Health == NodeHealth.Online))
        {
            foreach (var (id, report) in watch.Reports)
            {
                if (now.Instances.TryGetValue(id, out var i) && OldCopies.MayGo(i, watch.Name) && OldCopies.IsThere(i, watch.Name, report)) { strays.TryAdd(id, watch.Name); }
            }
        }
        return strays;
    }

    /// <summary>While one of its nodes is silent nothing is thrown away.</summary>
    private bool WhollyThere(Instance i) => parts.Nodes.HealthOf(i.Primary) == NodeHealth.Online && parts.Nodes.HealthOf(i.Secondary) == NodeHealth.Online;

    /// <summary>One that answers and has nothing left is only taken off the list; the order to it does no harm.</summary>
    private string? Stray(Instance i, Dictionary<Guid, string> strays) => strays.GetValueOrDefault(i.Id)
        ?? i.OldCopies.FirstOrDefault(n => OldCopies.MayGo(i, n) && parts.Nodes.HealthOf(n) == NodeHealth.Online);

    /// <summary>The most important first, and only so many copies at once.</summary>
    private async Task ReplaceAsync(List<Instance> wishes, CancellationToken ct)
    {
        var free = parts.Recovery.ReplacesAtOnce - parts.Now.Open.Count(j => Picture.Works(j) && j.Request is ReplaceSecondary);
        foreach (var instance in wishes.OrderByDescending(i => i.Priority).ThenBy(i => i.Name, StringComparer.Ordinal))
        {
            if (free > 0 && await FileAsync(instance, new ReplaceSecondary(instance.Name), ct)) { free--; }
        }
    }

    /// <summary>The most important first, as many as the limits allow; the others are asked for again when one of these has started.</summary>
    private async Task StartAsync(List<StartWish> wishes, CancellationToken ct)
    {
        var starts = Starts.Of(parts.Now, parts.Recovery, parts.Clock.GetUtcNow());
        foreach (var wish in Starts.InOrder(wishes))
        {
            if (starts.Fits(wish.Node) && await FileAsync(wish.Instance, wish.File, ct)) { starts.UnderWay(wish.Node); }
        }
    }

    /// <summary>When the guest that a recovery started printed its first line; null: not yet, or it is noted already.</summary>
    private DateTimeOffset? FirstSign(Instance i) =>
        i.LastRecovery is { Started: not null, FirstSign: null } t && parts.Nodes.ReportOf(i.Primary, i.Id) is { } report && report.GuestGeneration == t.Generation && i.Generation?.Number >= t.Generation ? report.FirstLineAt : null;

    private Task NoteFirstSignAsync(Guid id, DateTimeOffset at, CancellationToken ct) => parts.State.ChangeAsync<Done>((now, changes) =>
    {
        if (!now.Instances.TryGetValue(id, out var i) || i.LastRecovery is not { Started: { } started, FirstSign: null } t) { return Done.Value; }
        // The node's clock may differ from ours: it was not before the start, and not after now.
        var since = Math.Clamp((at - t.LastSignAt).Ticks, started.Ticks, Math.Max(started.Ticks, (parts.Clock.GetUtcNow() - t.LastSignAt).Ticks));
        var noted = t with { FirstSign = TimeSpan.FromTicks(since) };
        new StepChanges(changes).Write(i with { LastRecovery = noted });
        if (now.Jobs.TryGetValue(t.Job, out var job)) { changes.Jobs.Add(job with { Recovery = noted }); }
        return Done.Value;
    }, ct);

    private bool IsOld(Instance i) =>
        _freeSince.TryGetValue(i.Name, out var since) && parts.Nodes.Find(i.Primary) is { Health: NodeHealth.Online } watch && !(watch.AsOf >= since);

    /// <summary>Its user switched it off from inside: that is what is wanted now (Ganeti: user down).</summary>
    private async Task StaysOffAsync(Guid id, CancellationToken ct)
    {
        var changed = await parts.State.ChangeAsync<Instance>((now, changes) =>
        {
            if (!now.Instances.TryGetValue(id, out var i) || now.WorkOn(i.Name) is not null || !Reconcile.Next(rows.See(i)).PoweredItselfOff)
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
            Doubt = null, Candidate = null, Generation = a.Record, Primary = a.Record.Primary, Secondary = a.Record.Secondary, FreshDisks = false,
            StartOrdered = a.Record.Number, Former = a.Former, Mirror = a.Record.Sync == SyncState.InSync ? MirrorState.InSync : MirrorState.Degraded,
        },
        Verdict.Gone => i with { Doubt = null, Stage = LifeStage.Failed, Wanted = AdminState.Down, FailureText = "Its nodes have nothing of it: it was removed after the backup was made. Remove it here, too." },
        Verdict.Wait or Verdict.Conflict => null,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    private async Task<bool> FileAsync(Instance instance, OperationRequest request, CancellationToken ct)
    {
        if (!await MayAsync(instance, request, ct)) { return false; }
        var why = request is ReplaceSecondary && Maintenance.Rebuilds(instance.Secondary, parts.Now) ? "its secondary is away for maintenance" : Why(request);
        var filed = await door.SubmitAsync(request, Caller.Watcher, why, JobTerms.Usual, ct);
        if (filed.Ok) { parts.Log.WatcherFiles(request.Name, instance.Name); }
        else { parts.Log.WatcherRefused(request.Name, instance.Name, filed.Refusal.Message); }
        if (request is ReplaceSecondary && rows.Unreplaced(instance.Id, filed.Ok ? null : $"{filed.Refusal.Message} {filed.Refusal.Remedy}".TrimEnd()) && !filed.Ok)
        {
            parts.Events.Add("instance.secondary-unreplaced", Severity.Warning, $"instance:{instance.Name}", $"{instance.Name}: no other node can take the place of {instance.Secondary}. {filed.Refusal!.Message}");
        }
        return filed.Ok;
    }

    private static string Why(OperationRequest request) => request switch
    {
        RecoverInstance { DiskFault: not null } => "its node's disk fails",
        RecoverInstance => "its node is silent",
        DegradeInstance => "a copy is lost",
        ResyncInstance => "its other node is back",
        RestartInstance => "it ended by itself",
        ReplaceSecondary => "its secondary was lost for too long",
        CleanInstance => "its old copy is not needed any more",
        StopInstance => "it is wanted stopped",
        CleanUpMigration => "a migration left something behind",
        _ => "reconciliation",
    };

    /// <summary>Back-off: degrading is never held back beyond a beat, nor are the first tries of a recovery; restarts double, copies wait their delay.</summary>
    private async Task<bool> MayAsync(Instance instance, OperationRequest request, CancellationToken ct)
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
        if (request is RestartInstance && tries.Count >= parts.Recovery.RestartLimit) { return await GiveUpAsync(instance.Id, tries.Count, ct); }
        _tries[key] = tries with { Count = tries.Count + 1, NotBefore = now + Delay(request, tries.Count + 1) };
        return true;
    }

    private TimeSpan Delay(OperationRequest request, int tries) => request switch
    {
        RestartInstance => tries == 0 ? TimeSpan.Zero : parts.Recovery.RestartBackoff * Math.Pow(2, Math.Min(tries - 1, 8)),
        ResyncInstance => tries == 0 ? parts.Recovery.ResyncDelay : TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, tries))),
        // Where no node has room it is asked for again now and then; an old copy has time.
        ReplaceSecondary or CleanInstance => tries == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, tries))),
        RecoverInstance when tries > QuickRecoveries => TimeSpan.FromSeconds(Math.Min(4, Math.Pow(2, tries - QuickRecoveries - 1))),
        _ => tries == 0 ? TimeSpan.Zero : parts.Heartbeat.Every,
    };

    /// <summary>Stored, so that a person is still asked after the portal was restarted.</summary>
    private async Task<bool> GiveUpAsync(Guid id, int tries, CancellationToken ct)
    {
        var text = $"It ended by itself {tries + 1} times within {parts.Recovery.RestartWindow.TotalMinutes:0.#} minutes and is not started again. Look at its console, then start it.";
        var gaveUp = await parts.State.ChangeAsync<Instance>((now, changes) =>
            now.Instances.TryGetValue(id, out var i) && i.GaveUpAt is null && now.WorkOn(i.Name) is null
                ? new StepChanges(changes).Write(i with { GaveUpAt = parts.Clock.GetUtcNow(), FailureText = text })
                : new Refusal("instance.changed", "Something changed."), ct);
        if (gaveUp.Ok) { parts.Events.Add("instance.gave-up", Severity.Error, $"instance:{gaveUp.Value.Name}", $"{gaveUp.Value.Name}: {text}"); }
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        await _loop;
        _leaving.Dispose();
    }
}
