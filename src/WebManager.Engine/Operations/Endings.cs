// How a job's end reads: its last line, its line in the audit; and what becomes of one that waits for another.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class Endings
{
    public static string Text(Job job, Refusal? why) => job.Status switch
    {
        JobStatus.Success => job.CanceledBy is null ? "Done." : "Done. It was too far to be cancelled.",
        JobStatus.Canceled => why?.Code == JobContext.CanceledCode || why is null ? $"Cancelled{(job.CanceledBy is { } by ? $" by {by}" : "")}." : $"Cancelled: {why.Message}",
        JobStatus.Error => why is null ? "It failed." : why.Message + (why.Remedy is { } remedy ? " " + remedy : ""),
        JobStatus.Queued or JobStatus.Waiting or JobStatus.Running or JobStatus.Canceling => "",
    };

    public static AuditEntry Audit(Job job) => new(job.EndedAt!.Value, job.Caller.Name, job.Caller.Face, job.Caller.Address, job.Request.Name, string.Join(' ', job.Subjects),
        job.Status switch
        {
            JobStatus.Success => "success",
            JobStatus.Canceled => $"canceled{(job.CanceledBy is { } by ? $" by {by}" : "")}",
            JobStatus.Error => $"error: {job.Error?.Code}",
            JobStatus.Queued or JobStatus.Waiting or JobStatus.Running or JobStatus.Canceling => "",
        }, job.Id, job.Reason[0].Text);
}

internal static class Dependencies
{
    public const int Most = 100;

    /// <summary>As in Ganeti: with a cancelled job those that wait for it are cancelled, unless they waited for just that; any other end that does not do is an error.</summary>
    public static (JobStatus Status, Refusal Why) Unmet(JobDependency on, JobStatus? ended) =>
        ended == JobStatus.Canceled ? (JobStatus.Canceled, new Refusal("depends.canceled", $"Job {on.Job}, which it depends on, was cancelled."))
        : ended is { } status ? (JobStatus.Error, new Refusal("depends.unmet", $"Dependency job {on.Job} finished with status '{Word(status)}', not one of '{string.Join(", ", on.Statuses.Select(Word))}' as required."))
        : (JobStatus.Error, Unknown(on.Job));

    public static Refusal Unknown(long job) => new("depends.unknown", $"There is no job {job} to wait for.", "Give the number of a job that was filed.") { Field = "depends" };

    public static Refusal? Refuses(IReadOnlyList<JobDependency> depends) =>
        depends.Count > Most ? new Refusal("depends.too-many", $"A job waits for no more than {Most} others.", "File a job in between.") { Field = "depends" }
        : depends.FirstOrDefault(d => d.Statuses.Any(s => s is not (JobStatus.Success or JobStatus.Error or JobStatus.Canceled))) is { } wrong
            ? new Refusal("depends.status-invalid", $"Job {wrong.Job} is waited for until it has ended, so only success, error and canceled can be asked for.") { Field = "depends" }
        : null;

    private static string Word(JobStatus status) => status.ToString().ToLowerInvariant();
}

/// <summary>Locks as people name them.</summary>
public static class LockNames
{
    private static readonly string[] Levels = ["cluster", "group", "node", "instance"];

    /// <summary>"3:instance:web1" is instance:web1.</summary>
    public static string Shown(string name) => name[(name.IndexOf(':') + 1)..];

    /// <summary>Null: it names no lock.</summary>
    public static string? Parse(string shown)
    {
        var level = Array.IndexOf(Levels, shown.Split(':', 2)[0]);
        var named = shown.Contains(':', StringComparison.Ordinal);
        return level < 0 || named == (level == 0) || shown.EndsWith(':') || shown.Length > 300 ? null : $"{level}:{shown}";
    }
}
