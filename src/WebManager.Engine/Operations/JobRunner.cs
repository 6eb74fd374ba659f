// Runs jobs: what they wait for, second check, the operation, undo, settlement. Carries on after a restart what was begun.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Operations;

internal sealed class JobRunner(EngineParts parts, IClusterStore store) : IAsyncDisposable
{
    private static readonly TimeSpan s_nodesAnswer = TimeSpan.FromSeconds(10), s_longestPause = TimeSpan.FromSeconds(60);
    private static readonly Refusal s_broke = new("internal", "Something unexpected went wrong; the log of the portal has it.", "Try again; tell the developers if it stays.");
    private readonly LockTable _locks = new(Cluster.DefaultRunningJobs);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Lock _gate = new();
    private long? _carriedOn;
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly JobWatches _watches = new();
    private bool _gone;

    private sealed record Entry(CancellationTokenSource Withdrawn)
    {
        public Task Task { get; set; } = Task.CompletedTask;
    }

    /// <summary>Where jobs file others.</summary>
    public Door? Door { get; set; }

    public IReadOnlyList<LockRow> Locks => _locks.Listing();

    public void Begin(Job job, bool resumed)
    {
        lock (_gate)
        {
            if (_gone || _entries.ContainsKey(job.Id)) { return; }   // asked for while the engine ended: the next one carries it on
            var entry = new Entry(new CancellationTokenSource());
            _entries[job.Id] = entry;
            entry.Task = RunAsync(job, resumed, entry.Withdrawn.Token);
        }
    }

    /// <summary>After each commit: what is stored decides, whoever stored it.</summary>
    public void Noticed(Changes changes)
    {
        if (changes.Cluster is { } cluster && cluster.MaxRunningJobs != _locks.Places) { _locks.Places = cluster.MaxRunningJobs; }
        foreach (var job in changes.Jobs)
        {
            if (job.Status == JobStatus.Canceled) { Withdraw(job.Id); }
            else if (!job.Ended) { _locks.Move(Rank.Of(job, underWay: false)); }
        }
        _watches.Noticed(changes);
    }

    public void Begin(Cluster cluster) => _locks.Places = cluster.MaxRunningJobs;

    private void Withdraw(long job)
    {
        Entry? entry;
        lock (_gate) { entry = _entries.GetValueOrDefault(job); }
        entry?.Withdrawn.Cancel();
    }

    /// <summary>The ended job; null: it is none of those in memory.</summary>
    public Task<Job?> WaitAsync(long id, CancellationToken ct) => _watches.EndedAsync(id, () => parts.Now.Jobs.GetValueOrDefault(id), parts.Clock, ct);

    /// <summary>Waits for the next change of the job or its log, if what holds now is still what was known.</summary>
    public Task<bool> ChangedAsync(long id, Func<bool> known, TimeSpan limit, CancellationToken ct) => _watches.ChangedAsync(id, known, limit, parts.Clock, ct);

    private async Task RunAsync(Job job, bool resumed, CancellationToken withdrawn)
    {
        var underWay = resumed && job.Status is JobStatus.Running or JobStatus.Canceling;
        if (!underWay) { await Task.Yield(); }   // the door answers before the work begins; what was under way has its locks before anything else is looked at
        try
        {
            if (!underWay && !await DependenciesAsync(job, withdrawn)) { return; }
            // Before it holds anything that recovery may want; what was under way holds it already.
            if (resumed && !underWay) { await KnownAsync(job, withdrawn); }
            using var held = await TurnAsync(job, underWay, withdrawn);
            if (underWay) { await KnownAsync(job, withdrawn); }
            if (await BegunAsync(job, withdrawn) is { } begun) { await CarryOutAsync(begun, resumed, _leaving.Token); }
        }
        catch (OperationCanceledException) when (withdrawn.IsCancellationRequested || _leaving.IsCancellationRequested) { }   // cancelled, or it stays open and the next engine carries it on
        catch (LeaseLostException) { }
        catch (Exception ex)
        {
            parts.Log.JobBroke(ex, job.Id);
            await EndBrokenAsync(job);
        }
        finally
        {
            lock (_gate) { _entries.Remove(job.Id); }
        }
    }

    /// <summary>What broke outside the operation itself, a full disk at a commit, must not leave the job open: it would hold up what waits for it, and the recovery of its instance.</summary>
    private async Task EndBrokenAsync(Job job)
    {
        for (var wait = TimeSpan.FromSeconds(1); !_leaving.IsCancellationRequested; wait = wait < s_longestPause ? wait * 2 : wait)
        {
            try
            {
                await SettleAsync(new JobContext(parts, job, resumed: false), JobStatus.Error, s_broke);
                return;
            }
            catch (LeaseLostException) { return; }
            catch (Exception ex) { parts.Log.JobBroke(ex, job.Id); }
            try { await Task.Delay(wait, parts.Clock, _leaving.Token); }
            catch (OperationCanceledException) { return; }
        }
    }

    /// <summary>False: it has ended because one of them ended otherwise than it has to.</summary>
    private async Task<bool> DependenciesAsync(Job job, CancellationToken ct)
    {
        foreach (var d in job.Depends)
        {
            if (parts.Now.Jobs.GetValueOrDefault(d.Job) is { Ended: false }) { await NoteWaitingAsync(job.Id, $"Waits for job {d.Job} to end."); }
            var ended = await WaitAsync(d.Job, ct) ?? await store.JobAsync(d.Job, ct);
            if (ended is not null && d.MetBy(ended.Status)) { continue; }
            var (status, why) = Dependencies.Unmet(d, ended?.Status);
            await SettleAsync(new JobContext(parts, job, resumed: false), status, why);
            return false;
        }
        return true;
    }

    private async Task<IDisposable> TurnAsync(Job job, bool underWay, CancellationToken ct)
    {
        // The priority may have changed while it waited for others.
        var newest = parts.Now.Jobs.GetValueOrDefault(job.Id) ?? job;
        var operation = Catalog.Of(job.Request);
        // Recovery does not queue behind other work; what only waits for other jobs must not keep them from their turn.
        var slot = job.Caller != Caller.Watcher && job.Request is not (MaintainNode or RestartAgent);
        var locks = operation.Locks(job.Request).Select(n => new LockWish(n)).Concat(operation.SharedLocks(job.Request, parts.Now).Select(n => new LockWish(n, Shared: true)));
        var turn = _locks.TakeAsync(new Claim(Rank.Of(newest, underWay), [.. locks], slot), ct);
        if (!turn.IsCompleted && _locks.Hindrances(job.Id) is [var first, ..]) { await NoteWaitingAsync(job.Id, $"Waits for job {first.Job}, which has or gets {LockNames.Shown(first.Lock)} first."); }
        return await turn;
    }

    /// <summary>Waiting is stored only where it may take long; it is nothing that has to survive, but something to see.</summary>
    private Task NoteWaitingAsync(long id, string text) => parts.State.ChangeAsync<Done>((now, changes) =>
    {
        if (now.Jobs.GetValueOrDefault(id) is not { Status: JobStatus.Queued or JobStatus.Waiting } job) { return new Refusal("job.changed", "It does not wait any more."); }
        changes.Jobs.Add(job with { Status = JobStatus.Waiting });
        changes.JobLog.Add(new JobLogLine(id, (parts.Feeds.Jobs.Find(id)?.LogLines ?? 0) + 1, parts.Clock.GetUtcNow(), text));
        return Done.Value;
    }, CancellationToken.None);

    /// <summary>From here it runs. Null: it was cancelled in this very moment.</summary>
    private async Task<Job?> BegunAsync(Job job, CancellationToken ct)
    {
        if (job.Request is InstanceRequest) { await parts.Nodes.OpenedAsync(ct); }
        var begun = await parts.State.ChangeAsync<Job>((now, changes) =>
        {
            if (now.Jobs.GetValueOrDefault(job.Id) is not { Ended: false } newest) { return new Refusal("job.ended", "It has ended."); }
            var running = newest with { Status = newest.Status == JobStatus.Canceling ? JobStatus.Canceling : JobStatus.Running, StartedAt = newest.StartedAt ?? parts.Clock.GetUtcNow() };
            changes.Jobs.Add(running);
            return running;
        }, ct);
        return begun.Value;
    }

    /// <summary>What a person asked for would be refused and undone because a node is slow to answer the new engine; recovery does not wait for lost nodes.</summary>
    private Task KnownAsync(Job job, CancellationToken ct)
    {
        parts.Log.JobResumed(job.Id, job.Step);
        bool Known(Loop.NodeWatch n) => job.Caller == Caller.Watcher ? n.Settled : n.Health is NodeHealth.Online or NodeHealth.Offline;
        long since;
        lock (_gate) { since = _carriedOn ??= parts.Clock.GetTimestamp(); }
        // All carried-on jobs wait for the nodes together, not one after the other.
        var left = s_nodesAnswer - parts.Clock.GetElapsedTime(since);
        return left > TimeSpan.Zero ? parts.Nodes.UntilAsync(() => parts.Nodes.All.All(Known), left, ct) : Task.CompletedTask;
    }

    private async Task CarryOutAsync(Job job, bool resumed, CancellationToken ct)
    {
        var context = new JobContext(parts, job, resumed && job.Step is not null) { Door = Door };
        var outcome = await AttemptAsync(Catalog.Of(job.Request), context, ct);
        if (!outcome.Ok) { await UndoAsync(context); }
        await CaughtUpAsync(job.Request, ct);
        var canceled = outcome.Refusal?.Code == JobContext.CanceledCode && context.CancelAsked;
        await SettleAsync(context, outcome.Ok ? JobStatus.Success : canceled ? JobStatus.Canceled : JobStatus.Error, outcome.Refusal);
    }

    private async Task<Outcome<Done>> AttemptAsync(IOperation operation, JobContext context, CancellationToken ct)
    {
        try
        {
            // A resumed job is past its check: what it made itself (the name, the row) would be in its own way.
            var refusal = context.Resumed ? null : operation.Check(context.Job.Request, parts.Now, parts);
            return refusal is null ? await operation.RunAsync(context.Job.Request, context, ct) : refusal;
        }
        catch (JobCanceledException) { return context.Canceled(); }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { throw; }
        catch (LeaseLostException) { throw; }
        catch (Exception ex)
        {
            parts.Log.JobBroke(ex, context.Job.Id);
            return s_broke;
        }
    }

    /// <summary>Who looks after the job's end shall see what it did, not the report before.</summary>
    private Task CaughtUpAsync(OperationRequest request, CancellationToken ct) =>
        request is InstanceRequest r && parts.Now.Find(r.Instance) is { } i
            ? parts.Nodes.CaughtUpAsync(new[] { i.Primary, i.Secondary }.OfType<string>(), ct)
            : Task.CompletedTask;

    private async Task UndoAsync(JobContext context)
    {
        context.Undoing = true;
        foreach (var left in await context.Undo.RunAsync(parts.Clock))
        {
            parts.Log.UndoFailed(null, context.Job.Id, left);
            await context.LogAsync($"Could not undo: {left}", CancellationToken.None);
        }
    }

    /// <summary>State, result and audit entry in one transaction.</summary>
    private async Task SettleAsync(JobContext context, JobStatus status, Refusal? why)
    {
        var settled = await parts.State.ChangeAsync<Job>((now, changes) =>
        {
            if (now.Jobs.GetValueOrDefault(context.Job.Id) is { Ended: true }) { return new Refusal("job.ended", "It was cancelled in this very moment."); }
            if (status == JobStatus.Success) { context.AtEnd?.Invoke(now, new StepChanges(changes)); }
            var ended = context.Newest(now) with { Status = status, EndedAt = parts.Clock.GetUtcNow(), Error = status == JobStatus.Error ? why : null };
            changes.Jobs.Add(ended);
            context.AddLineTo(changes, Endings.Text(ended, why));
            changes.Audit.Add(Endings.Audit(ended));
            return ended;
        }, CancellationToken.None);
        if (settled.Value is not { } job) { return; }
        parts.Steps?.At(job.Request.Name, "settled");
        parts.Log.JobEnded(job.Id, job.Request.Name, string.Join(' ', job.Subjects), job.Status, job.Error?.Message);
        if (job.Error is { } error)
        {
            parts.Events.Add("job.failed", Severity.Error, job.Subjects.Count > 0 ? job.Subjects[0] : "cluster", $"{job.Request.Name}: {error.Message}", job: job.Id);
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<Entry> all;
        lock (_gate) { (_gone, all) = (true, [.. _entries.Values]); }
        _leaving.Cancel();
        foreach (var entry in all) { entry.Withdrawn.Cancel(); }
        await Task.WhenAll(all.Select(e => e.Task));
        _leaving.Dispose();
    }
}
