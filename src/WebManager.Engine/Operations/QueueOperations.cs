// The job queue's own operations: cancel, priority, archive, its limits, and a job that only waits.
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Operations;

internal static class QueueRules
{
    public const int MostRunning = 1000, MostOpen = 100_000;
    public static readonly TimeSpan ArchiveAfter = TimeSpan.FromHours(6);

    /// <summary>Whether the queue takes it on these terms. The watcher's jobs are always taken, and so is what is done at once: it never waits in it.</summary>
    public static Refusal? Refuses(OperationRequest request, Caller caller, JobTerms terms, Picture now)
    {
        if (caller == Caller.Watcher) { return null; }
        if (!Enum.IsDefined(terms.Priority)) { return new Refusal("priority.unknown", "That priority does not exist.", "Use low, normal or high.") { Field = "priority" }; }
        if (terms.Priority == JobPriority.High && !IsAdmin(caller, now)) { return new Refusal("priority.high", "High priority is for administrators.", "Use normal or low.") { Field = "priority" }; }
        if (Catalog.Of(request) is IInstantOperation)
        {
            return terms.Depends.Count == 0 ? null : new Refusal("depends.at-once", $"{request.Name} is done immediately and cannot wait for other jobs.", "Ask for it when those have ended.") { Field = "depends" };
        }
        if (now.Cluster.QueueDrained) { return new Refusal("queue.drained", "The queue is drained: no new jobs are accepted.", "Wait until an administrator opens it again (wm cluster queue undrain)."); }
        return now.OpenJobs < now.Cluster.MaxOpenJobs ? null
            : new Refusal("queue.full", $"{now.OpenJobs} jobs are open, and no more than {now.Cluster.MaxOpenJobs} may be.", "Wait until some have ended.");
    }

    public static bool IsAdmin(Caller caller, Picture now) => caller.Admin || now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin);
}

internal static class JobChecks
{
    public static Refusal Unknown(long job) => new("job.not-found", $"There is no job {job}.");

    /// <summary>One that waits may be changed.</summary>
    public static Refusal? Open(Job job) =>
        job.Ended ? new Refusal("job.ended", $"Job {job.Id} has ended: {job.Status.ToString().ToLowerInvariant()}.")
        : job.Caller == Caller.Watcher ? new Refusal("job.watchers", $"Job {job.Id} is the watcher's: it repairs something, and would be filed again.", "Change what it repairs: stop the instance, or switch automatic recovery off.")
        : null;
}

internal sealed class CancelJobOperation : InstantOperation<CancelJob>
{
    public override Right Right => Right.OwnJob;

    public override Refusal? Check(CancelJob request, Picture now, EngineParts parts) =>
        !now.Jobs.TryGetValue(request.Job, out var job) ? JobChecks.Unknown(request.Job) : JobChecks.Open(job) ?? Stops(job);

    private static Refusal? Stops(Job job) => job.Status switch
    {
        JobStatus.Canceling => new Refusal("job.canceling", $"Job {job.Id} is being cancelled already.", "Wait for it."),
        JobStatus.Running when Catalog.Of(job.Request).Cancel == CancelRule.Never =>
            new Refusal("job.runs", $"Job {job.Id} runs, and {job.Request.Name} is not broken off half-way.", "Wait for its end."),
        _ => null,
    };

    public override void Change(CancelJob request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var job = now.Jobs[request.Job] with { CanceledBy = caller.Name };
        if (job.Status == JobStatus.Running)
        {
            changes.Text = $"Job {job.Id} stops at its next step, and what it did is undone.";
            changes.Raw.Jobs.Add(job with { Status = JobStatus.Canceling });
            return;
        }
        changes.Text = $"Job {job.Id} is cancelled; nothing was done.";
        var ended = job with { Status = JobStatus.Canceled, EndedAt = parts.Clock.GetUtcNow() };
        changes.Raw.Jobs.Add(ended);
        changes.Raw.JobLog.Add(new JobLogLine(job.Id, (parts.Feeds.Jobs.Find(job.Id)?.LogLines ?? 0) + 1, ended.EndedAt.Value, Endings.Text(ended, null)));
        changes.Raw.Audit.Add(Endings.Audit(ended));
    }
}

internal sealed class SetJobPriorityOperation : InstantOperation<SetJobPriority>
{
    public override Right Right => Right.OwnJob;

    public override Refusal? Check(SetJobPriority request, Picture now, EngineParts parts) =>
        !now.Jobs.TryGetValue(request.Job, out var job) ? JobChecks.Unknown(request.Job)
        : !Enum.IsDefined(request.Priority) ? new Refusal("priority.unknown", "That priority does not exist.", "Use low, normal or high.") { Field = "priority" }
        : JobChecks.Open(job) ?? (job.Status is JobStatus.Queued or JobStatus.Waiting ? null : new Refusal("job.runs", $"Job {job.Id} runs already.", "The priority says who begins first."));

    public override Refusal? CheckFor(SetJobPriority request, Caller caller, Picture now) =>
        request.Priority == JobPriority.High && !QueueRules.IsAdmin(caller, now) ? new Refusal("priority.high", "High priority is for administrators.", "Use normal or low.") { Field = "priority" } : null;

    public override void Change(SetJobPriority request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Job {request.Job} has {request.Priority.ToString().ToLowerInvariant()} priority.";
        changes.Raw.Jobs.Add(now.Jobs[request.Job] with { Priority = request.Priority });
    }
}

internal sealed class ArchiveJobOperation : InstantOperation<ArchiveJob>
{
    public override Right Right => Right.OwnJob;

    /// <summary>One that is not in memory any more has ended, and the order finds it in the database.</summary>
    public override Refusal? Check(ArchiveJob request, Picture now, EngineParts parts) =>
        request.Job < 1 || request.Job > now.LastJobId ? JobChecks.Unknown(request.Job)
        : now.Jobs.TryGetValue(request.Job, out var job) && !job.Ended ? new Refusal("job.open", $"Job {job.Id} has not ended.", "Only ended jobs are archived.") : null;

    public override void Change(ArchiveJob request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Job {request.Job} is archived.";
        changes.Raw.Archive = new ArchiveOrder(parts.Clock.GetUtcNow()) { Job = request.Job };
    }
}

internal sealed class ArchiveJobsOperation : InstantOperation<ArchiveJobs>
{
    public override Right Right => Right.Administrator;

    public override Refusal? Check(ArchiveJobs request, Picture now, EngineParts parts) =>
        request.AgeSeconds < 0 ? new Refusal("age.invalid", "An age is not negative.", "Use 0 for all jobs that have ended.") { Field = "ageSeconds" } : null;

    public override void Change(ArchiveJobs request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var at = parts.Clock.GetUtcNow();
        changes.Text = request.AgeSeconds == 0 ? "All jobs that have ended are archived." : $"Jobs that ended more than {request.AgeSeconds} s ago are archived.";
        changes.Raw.Archive = new ArchiveOrder(at) { EndedBefore = at - TimeSpan.FromSeconds(request.AgeSeconds) };
    }
}

/// <summary>Done at once: an order that waits in a full queue could not make room in it.</summary>
internal sealed class ModifyQueueOperation : InstantOperation<ModifyQueue>
{
    public override Right Right => Right.Administrator;

    public override Refusal? Check(ModifyQueue request, Picture now, EngineParts parts) =>
        request is { Running: null, Open: null, Drained: null } ? new Refusal("queue.nothing-to-change", "Nothing was given to change.", "Give running, open or drained.")
        : request.Running is < 1 or > QueueRules.MostRunning ? new Refusal("queue.running-invalid", $"{request.Running} running jobs are not possible.", $"Use 1 to {QueueRules.MostRunning}.") { Field = "running" }
        : request.Open is < 1 or > QueueRules.MostOpen ? new Refusal("queue.open-invalid", $"{request.Open} open jobs are not possible.", $"Use 1 to {QueueRules.MostOpen}.") { Field = "open" }
        : null;

    public override void Change(ModifyQueue request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var c = now.Cluster;
        var newer = c with { MaxRunningJobs = request.Running ?? c.MaxRunningJobs, MaxOpenJobs = request.Open ?? c.MaxOpenJobs, QueueDrained = request.Drained ?? c.QueueDrained };
        changes.Text = $"{newer.MaxRunningJobs} jobs run at one time, {newer.MaxOpenJobs} may be open; the queue {(newer.QueueDrained ? "is drained" : "takes new jobs")}.";
        if (newer != c) { changes.Raw.Cluster = newer with { Revision = c.Revision + 1 }; }
    }
}

internal sealed class DebugDelayOperation : Operation<DebugDelay>
{
    private const int Longest = 24 * 3600;

    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.None;
    public override CancelRule Cancel => CancelRule.Itself;
    public override IEnumerable<string> Locks(DebugDelay request) => request.Exclusive.Select(LockNames.Parse).OfType<string>();
    public override IEnumerable<string> SharedLocks(DebugDelay request, Picture now) => request.Shared.Select(LockNames.Parse).OfType<string>();

    public override Refusal? Check(DebugDelay request, Picture now, EngineParts parts) =>
        request.Seconds is not (>= 0 and <= Longest) ? new Refusal("delay.invalid", "That is no time to wait.", $"Use 0 to {Longest} seconds.") { Field = "seconds" }
        : request.Exclusive.Count + request.Shared.Count > 100 ? new Refusal("lock.too-many", "A job takes no more than 100 locks.") { Field = "exclusive" }
        : Wrong(request.Exclusive, "exclusive") ?? Wrong(request.Shared, "shared");

    private static Refusal? Wrong(IReadOnlyList<string> names, string field) => names.FirstOrDefault(n => LockNames.Parse(n) is null) is { } wrong
        ? new Refusal("lock.unknown", $"{Shown.Name(wrong)} names no lock.", "Use cluster, group:NAME, node:NAME or instance:NAME.") { Field = field } : null;

    /// <summary>The time counts from when it began to run, whatever came between.</summary>
    public override async Task<Outcome<Done>> RunAsync(DebugDelay request, JobContext job, CancellationToken ct)
    {
        var end = job.Job.StartedAt!.Value + TimeSpan.FromSeconds(request.Seconds);
        if (!job.Resumed) { await job.StepAsync("delay", $"Waiting for {request.Seconds} s.", ct); }
        var rest = end - job.Parts.Clock.GetUtcNow();
        if (rest > TimeSpan.Zero) { await job.Nodes.UntilAsync(() => job.CancelAsked, rest, ct); }
        return job.CancelAsked ? job.Canceled() : Done.Value;
    }
}
