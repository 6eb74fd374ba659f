// What can be asked of the job queue itself.
using System.Text.Json.Serialization;

namespace WebManager.Engine.Model;

public abstract record JobRequest(long Job) : OperationRequest
{
    public long Job { get; init; } = Job;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"job:{Job}"];
}

/// <summary>At once while it waits; while it runs where its operation allows that.</summary>
public sealed record CancelJob(long Job) : JobRequest(Job) { [JsonIgnore] public override string Name => "job.cancel"; }

/// <summary>While it waits.</summary>
public sealed record SetJobPriority(long Job, JobPriority Priority) : JobRequest(Job) { [JsonIgnore] public override string Name => "job.change-priority"; }

/// <summary>An ended job leaves the list of recent ones.</summary>
public sealed record ArchiveJob(long Job) : JobRequest(Job) { [JsonIgnore] public override string Name => "job.archive"; }

/// <summary>All jobs that ended so long ago; 0: all that have ended.</summary>
public sealed record ArchiveJobs(int AgeSeconds) : ClusterRequest { [JsonIgnore] public override string Name => "job.auto-archive"; }

/// <summary>Null: left as it is. Running: jobs at one time. Open: jobs that have not ended. Drained: no new ones are accepted.</summary>
public sealed record ModifyQueue : ClusterRequest
{
    [JsonIgnore] public override string Name => "cluster.modify-queue";
    public int? Running { get; init; }
    public int? Open { get; init; }
    public bool? Drained { get; init; }
}

/// <summary>A job that does nothing for a while. The locks are named as people do: "instance:web1", "node:n1", "group:default", "cluster".</summary>
public sealed record DebugDelay(double Seconds) : ClusterRequest
{
    [JsonIgnore] public override string Name => "debug.delay";
    public IReadOnlyList<string> Exclusive { get; init; } = [];
    public IReadOnlyList<string> Shared { get; init; } = [];
}
