// A change in progress or done: what was asked, by whom and why, how far it is.
using WebManager.Contracts;

namespace WebManager.Engine.Model;

/// <summary>Ganeti's job states.</summary>
public enum JobStatus { Queued, Waiting, Running, Canceling, Canceled, Success, Error }

/// <summary>One job. Step names the last step boundary that was stored; after a crash the operation is carried on from it.</summary>
public sealed record Job(long Id, OperationRequest Request, Caller Caller, IReadOnlyList<ReasonEntry> Reason, JobStatus Status,
    DateTimeOffset ReceivedAt)
{
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? Step { get; init; }
    public Refusal? Error { get; init; }

    /// <summary>What it may come to hold of its owner's quota; null: nothing.</summary>
    public Reservation? Reserved { get; init; }

    /// <summary>A recovery's timeline; null for other jobs.</summary>
    public RecoveryTimeline? Recovery { get; init; }

    /// <summary>Names of what it is about, for lists and filters: "instance:web1", "node:n1".</summary>
    public IReadOnlyList<string> Subjects { get; init; } = [];

    public JobPriority Priority { get; init; }

    /// <summary>Other jobs that have to end first, and how.</summary>
    public IReadOnlyList<JobDependency> Depends { get; init; } = [];

    /// <summary>Who asked that it be cancelled; null: nobody.</summary>
    public string? CanceledBy { get; init; }

    /// <summary>Since then it is only in the database; null: it is among the recent ones.</summary>
    public DateTimeOffset? ArchivedAt { get; init; }

    public bool Ended => Status is JobStatus.Canceled or JobStatus.Success or JobStatus.Error;
}

/// <summary>Ganeti's numbers, those that can be asked for: the lower, the sooner.</summary>
public enum JobPriority { High = -10, Normal = 0, Low = 10 }

/// <summary>Statuses: how that job may end, so that this one goes on; none given: in any way but cancelled.</summary>
public sealed record JobDependency(long Job, IReadOnlyList<JobStatus> Statuses)
{
    public bool MetBy(JobStatus ended) => Statuses.Count == 0 ? ended != JobStatus.Canceled : Statuses.Contains(ended);
}

/// <summary>On which terms a job is filed, besides what it does and why.</summary>
public sealed record JobTerms
{
    public static readonly JobTerms Usual = new();

    public JobPriority Priority { get; init; }
    public IReadOnlyList<JobDependency> Depends { get; init; } = [];
}

/// <summary>How far a long step is, 0 to 100. Not stored: it is measured, and told to whoever looks.</summary>
public sealed record JobProgress(double Percent, string Text);

/// <summary>A line for people. Serial counts from 1 within the job.</summary>
public sealed record JobLogLine(long Job, int Serial, DateTimeOffset At, string Text);

/// <summary>One link of the trail: who or what asked, why, when (Ganeti's reason trail).</summary>
public sealed record ReasonEntry(string Source, string Text, DateTimeOffset At);

/// <summary>Who asks. Face: portal, api, cli, watcher, lab.</summary>
public sealed record Caller(string UserId, string Name, bool Admin, string Face)
{
    /// <summary>The engine itself: reconciliation and recovery.</summary>
    public static readonly Caller Watcher = new("", "watcher", true, "watcher");

    public string? Address { get; init; }

    /// <summary>The portal's own token on its host: no account stands behind it.</summary>
    public const string Local = "local";

    /// <summary>There is an account behind it.</summary>
    [System.Text.Json.Serialization.JsonIgnore] public bool Account => UserId.Length > 0 && UserId != Local;

    /// <summary>A token that may only look.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>A superuser with nothing held back.</summary>
    [System.Text.Json.Serialization.JsonIgnore] public bool Unlimited => Admin && !ReadOnly && Only is null;

    /// <summary>Ids of the instances that a token is for; null: all that its user may.</summary>
    public IReadOnlyList<Guid>? Only { get; init; }
}

public enum Severity { Info, Warning, Error }

/// <summary>Something that happened to a node or an instance, for the events page and the feed. Kind is stable: node.health, instance.status, instance.recovered, mirror.state, job.ended ...</summary>
public sealed record ClusterEvent(long Id, DateTimeOffset At, string Kind, Severity Severity, string Subject, string? From, string? To, string Text)
{
    public long? Job { get; init; }
}

/// <summary>One audit line, written in the transaction that ends (or refuses) a change.</summary>
public sealed record AuditEntry(DateTimeOffset At, string User, string Face, string? Address, string Operation, string Subject, string Result, long? Job, string? Reason);
