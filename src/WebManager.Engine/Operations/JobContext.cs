// What a running job has in hand: its steps, its log, its undo, its way to nodes.
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

public sealed class JobContext(EngineParts parts, Job job, bool resumed)
{
    private int _logSerial = parts.Feeds.Jobs.Find(job.Id)?.LogLines ?? 0;

    public EngineParts Parts => parts;
    public Picture Now => parts.State.Now;
    public Job Job { get; private set; } = job;

    /// <summary>The job was begun before the engine restarted: steps up to Job.Step may have been carried out.</summary>
    public bool Resumed => resumed;
    /// <summary>Decisions that go into the transaction that ends the job with success.</summary>
    public Action<Picture, StepChanges>? AtEnd { get; set; }
    public UndoStack Undo { get; } = new();
    public NodeBook Nodes => parts.Nodes;

    public const string CanceledCode = "job.canceled";

    /// <summary>Somebody wants it to stop. Operations with CancelRule.Itself look at it.</summary>
    public bool CancelAsked => parts.State.Now.Jobs.GetValueOrDefault(Job.Id) is { Status: JobStatus.Canceling };

    /// <summary>The answer of an operation that stopped because of it.</summary>
    public Refusal Canceled() => new(CanceledCode, $"The job was cancelled by {parts.State.Now.Jobs.GetValueOrDefault(Job.Id)?.CanceledBy}.");

    /// <summary>What it did is being taken back: that is not cancelled any more.</summary>
    public bool Undoing { get; set; }

    /// <summary>For jobs made of others: these are filed through the door, by the same caller.</summary>
    internal Door? Door { get; init; }

    /// <summary>
    /// The same id for the same step of the same job, also after a restart of the engine. The time it was received is in it because a restored
    /// database counts its jobs from an earlier number again, and nodes answer a known id with what they did then.
    /// </summary>
    public Guid OperationId(string step) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{parts.State.Now.Cluster.Id:N}/{Job.Id}/{Job.ReceivedAt.UtcTicks}/{step}")).AsSpan(0, 16));

    public long Epoch => parts.State.Now.Cluster.Epoch;

    /// <summary>A step boundary: durable with its line for people before anything of the step happens.</summary>
    public async Task StepAsync(string step, string text, CancellationToken ct)
    {
        await parts.State.ChangeAsync<Done>((now, changes) => { Enter(step, text, now, changes); return Done.Value; }, ct);
        Reached(step);
    }

    /// <summary>A step that stores a decision with its boundary, in one transaction.</summary>
    public async Task<Outcome<T>> StepAsync<T>(string step, Func<Picture, StepChanges, Outcome<T>> decide, CancellationToken ct)
    {
        var outcome = await parts.State.ChangeAsync<T>((picture, changes) =>
        {
            if (InDoubt(picture) is { } doubtful) { return doubtful; }
            StopHere(picture);
            var more = new StepChanges(changes);
            var made = decide(picture, more);
            if (made.Ok) { Enter(step, more.Text ?? step, picture, changes); }
            return made;
        }, ct);
        if (outcome.Ok) { Reached(step); }
        return outcome;
    }

    public Task LogAsync(string text, CancellationToken ct) =>
        parts.State.ChangeAsync<Done>((_, changes) => { AddLine(text, changes); return Done.Value; }, ct);

    /// <summary>Sends an order to a node. Limit: how long it may take; a node that falls silent ends it at once.</summary>
    public async Task<Outcome<TReply>> OrderAsync<TReply>(string node, IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct)
    {
        var watch = parts.Nodes.Find(node);
        if (InDoubt(Now) is { } doubtful) { return doubtful; }
        if (watch is null) { return new Refusal("node.unknown", $"There is no node {node}."); }
        StopHere(Now);
        // Its agent would leave in the middle of it. Bounded: by that job's end, and by the silence that is allowed.
        if (call is not RestartAgentOrder) { await Nodes.UntilAsync(() => !Plan.AgentRestarts.SilenceExpected(node, watch.Silence, Now), Timeout.InfiniteTimeSpan, ct); }
        var outcome = await watch.CallAsync(call, limit, ct);
        watch.Nudge();
        return outcome;
    }

    /// <summary>Files another operation in this job's name and waits for its end; the refusal of either.</summary>
    public async Task<Outcome<Done>> OthersAsync(OperationRequest request, string why, CancellationToken ct)
    {
        var filed = await Door!.SubmitAsync(request, Job.Caller, why, new JobTerms { Priority = Newest(Now).Priority }, ct, Job.Reason);
        if (!filed.Ok) { return filed.Refusal; }
        var ended = await Door.WaitAsync(filed.Value, ct);
        return ended?.Error is { } error ? error
            : ended is { Status: JobStatus.Canceled } ? new Refusal("job.stopped", $"Job {ended.Id}, which was to do it, was cancelled{(ended.CanceledBy is { } by ? $" by {by}" : "")}.") : Done.Value;
    }

    /// <summary>R5: its instance came into doubt while the job ran.</summary>
    private Refusal? InDoubt(Picture now) =>
        Job.Request is InstanceRequest r and not ConfirmInstance && now.Find(r.Instance) is { Doubt: not null } i ? Rules.InDoubt(i) : null;

    /// <summary>What others may have changed meanwhile is kept: who wants it cancelled.</summary>
    public Job Newest(Picture now) => now.Jobs.TryGetValue(Job.Id, out var stored) ? Job with { Status = stored.Status, Priority = stored.Priority, CanceledBy = stored.CanceledBy } : Job;

    private void StopHere(Picture now)
    {
        if (!Undoing && Catalog.Of(Job.Request).Cancel == CancelRule.AtSteps && now.Jobs.GetValueOrDefault(Job.Id) is { Status: JobStatus.Canceling }) { throw new JobCanceledException(); }
    }

    private void Enter(string step, string text, Picture now, Ports.Changes changes)
    {
        StopHere(now);
        Job = Newest(now) with { Step = step };
        changes.Jobs.Add(Job);
        AddLine(text, changes);
    }

    private void AddLine(string text, Ports.Changes changes)
    {
        if (text.Length > 0) { changes.JobLog.Add(new JobLogLine(Job.Id, ++_logSerial, parts.Clock.GetUtcNow(), text)); }
    }

    public void SetJob(Job newer) => Job = newer;

    public void AddLineTo(Ports.Changes changes, string text) => AddLine(text, changes);

    private void Reached(string step) => parts.Steps?.At(Job.Request.Name, step);
}

/// <summary>A job that may be cancelled between its steps was.</summary>
internal sealed class JobCanceledException() : Exception("The job was cancelled.");

/// <summary>The changes of a step, with helpers that keep revisions right.</summary>
public sealed class StepChanges(Ports.Changes changes)
{
    /// <summary>The step's line for people.</summary>
    public string? Text { get; set; }

    public Ports.Changes Raw => changes;

    /// <summary>Writes the instance with the next revision; the written one.</summary>
    public Instance Write(Instance instance)
    {
        var written = instance with { Revision = instance.Revision + 1 };
        changes.Instances.Add(written);
        return written;
    }
}
