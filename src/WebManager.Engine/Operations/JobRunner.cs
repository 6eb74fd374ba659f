// Runs jobs: locks, second check, the operation, undo, settlement. Carries on after a restart what was begun.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Operations;

internal sealed class JobRunner(EngineParts parts) : IAsyncDisposable
{
    private const int AtOnce = 25;
    private readonly LockTable _locks = new();
    private readonly AsyncGate _slots = new(AtOnce);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Task> _running = [];
    private readonly Dictionary<long, Waiter> _waiters = [];
    private bool _gone;

    /// <summary>Where jobs file others.</summary>
    public Door? Door { get; set; }

    public void Begin(Job job, bool resumed)
    {
        lock (_gate) { _running[job.Id] = RunAsync(job, resumed); }
    }

    public async Task<Job?> WaitAsync(long id, CancellationToken ct)
    {
        Waiter? waiter;
        lock (_gate)
        {
            if (!parts.Now.Jobs.TryGetValue(id, out var job)) { return null; }
            if (job.Ended) { return job; }
            if (!_waiters.TryGetValue(id, out waiter)) { _waiters[id] = waiter = new Waiter(); }
        }
        await waiter.HasEnded.WaitAsync(Timeout.InfiniteTimeSpan, parts.Clock, ct);
        return waiter.Ended;
    }

    private sealed class Waiter
    {
        public Signal HasEnded { get; } = new();
        public Job? Ended { get; set; }
    }

    private async Task RunAsync(Job job, bool resumed)
    {
        await Task.Yield();   // the door answers before the work begins
        CancellationToken left;
        lock (_gate)
        {
            if (_gone) { return; }   // asked for while the engine ended: the next one carries it on
            left = _leaving.Token;
        }
        try
        {
            // Recovery does not queue behind other work; what only waits for other jobs must not keep them from their turn.
            var slot = job.Caller != Caller.Watcher && job.Request is not (MaintainNode or RestartAgent);
            if (slot) { await _slots.EnterAsync(left); }
            try { await LockedAsync(job, resumed, left); }
            finally { if (slot) { _slots.Leave(); } }
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested) { }   // stays open; the next engine carries it on
        catch (Ports.LeaseLostException) { }
        catch (Exception ex) { parts.Log.JobBroke(ex, job.Id); }
        finally { lock (_gate) { _running.Remove(job.Id); } }
    }

    private async Task LockedAsync(Job job, bool resumed, CancellationToken ct)
    {
        var operation = Catalog.Of(job.Request);
        // Before anything is waited for: a job that is asked for meanwhile must not come between the halves of one that was under way.
        using var held = await _locks.TakeAsync(operation.Locks(job.Request), ct);
        if (resumed)
        {
            parts.Log.JobResumed(job.Id, job.Step);
            // What a person asked for would be refused and undone because a node is slow to answer the new engine; recovery does not wait for lost nodes.
            bool Known(Loop.NodeWatch n) => job.Caller == Caller.Watcher ? n.Settled : n.Health is NodeHealth.Online or NodeHealth.Offline;
            await parts.Nodes.UntilAsync(() => parts.Nodes.All.All(Known), TimeSpan.FromSeconds(10), ct);
        }
        if (job.Request is InstanceRequest) { await parts.Nodes.OpenedAsync(ct); }
        var begun = job with { Status = JobStatus.Running, StartedAt = job.StartedAt ?? parts.Clock.GetUtcNow() };
        await parts.State.ChangeAsync<Done>((_, changes) => { changes.Jobs.Add(begun); return Done.Value; }, ct);
        var context = new JobContext(parts, begun, resumed && job.Step is not null) { Door = Door };
        var outcome = await AttemptAsync(operation, context, ct);
        if (!outcome.Ok) { await UndoAsync(context); }
        await CaughtUpAsync(job.Request, ct);
        await SettleAsync(context, outcome);
    }


    private async Task<Outcome<Done>> AttemptAsync(IOperation operation, JobContext context, CancellationToken ct)
    {
        try
        {
            // A resumed job is past its check: what it made itself (the name, the row) would be in its own way.
            var refusal = context.Resumed ? null : operation.Check(context.Job.Request, parts.Now, parts);
            return refusal is null ? await operation.RunAsync(context.Job.Request, context, ct) : refusal;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { throw; }
        catch (Ports.LeaseLostException) { throw; }
        catch (Exception ex)
        {
            parts.Log.JobBroke(ex, context.Job.Id);
            return new Refusal("internal", "Something unexpected went wrong; the log of the portal has it.", "Try again; tell the developers if it stays.");
        }
    }

    /// <summary>Who looks after the job's end shall see what it did, not the report before.</summary>
    private Task CaughtUpAsync(OperationRequest request, CancellationToken ct) =>
        request is InstanceRequest r && parts.Now.Find(r.Instance) is { } i
            ? parts.Nodes.CaughtUpAsync(new[] { i.Primary, i.Secondary }.OfType<string>(), ct)
            : Task.CompletedTask;

    private async Task UndoAsync(JobContext context)
    {
        foreach (var left in await context.Undo.RunAsync(parts.Clock))
        {
            parts.Log.UndoFailed(null, context.Job.Id, left);
            await context.LogAsync($"Could not undo: {left}", CancellationToken.None);
        }
    }

    /// <summary>State, result and audit entry in one transaction.</summary>
    private async Task SettleAsync(JobContext context, Outcome<Done> outcome)
    {
        var ended = context.Job with { Status = outcome.Ok ? JobStatus.Success : JobStatus.Error, EndedAt = parts.Clock.GetUtcNow(), Error = outcome.Refusal };
        await parts.State.ChangeAsync<Done>((now, changes) =>
        {
            if (outcome.Ok) { context.AtEnd?.Invoke(now, new StepChanges(changes)); }
            changes.Jobs.Add(ended);
            context.AddLineTo(changes, outcome.Ok ? "Done." : outcome.Refusal.Message + (outcome.Refusal.Remedy is { } remedy ? " " + remedy : ""));
            changes.Audit.Add(new AuditEntry(ended.EndedAt!.Value, ended.Caller.Name, ended.Caller.Face, ended.Caller.Address, ended.Request.Name,
                string.Join(' ', ended.Subjects), outcome.Ok ? "success" : $"error: {outcome.Refusal.Code}", ended.Id, ended.Reason[0].Text));
            return Done.Value;
        }, CancellationToken.None);
        parts.Steps?.At(ended.Request.Name, "settled");
        parts.Log.JobEnded(ended.Id, ended.Request.Name, string.Join(' ', ended.Subjects), ended.Status, ended.Error?.Message);
        if (!outcome.Ok)
        {
            parts.Events.Add("job.failed", Severity.Error, ended.Subjects.Count > 0 ? ended.Subjects[0] : "cluster", $"{ended.Request.Name}: {outcome.Refusal.Message}", job: ended.Id);
        }
        Waiter? waiter;
        lock (_gate) { _waiters.Remove(ended.Id, out waiter); }
        if (waiter is null) { return; }
        waiter.Ended = ended;
        waiter.HasEnded.Set();
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        Task[] all;
        lock (_gate) { (_gone, all) = (true, [.. _running.Values]); }
        await Task.WhenAll(all);
        _leaving.Dispose();
    }
}
