// The job queue on the wire. Every route that files a job takes ?priority=high|normal|low and ?depends=12,13:success+error besides its own.
// GET /api/v1/jobs/{id}/wait?seconds= answers when the job has ended; with status= and log= (what is known: a status, the last line's serial)
// when one of them is another by now. POST /api/v1/jobs/{id}/cancel, /archive with a ReasonRequest.
namespace WebManager.Contracts.Api;

/// <summary>Statuses: how that job has to end; none: in any way but cancelled.</summary>
public sealed record JobDependencyView(long Job, IReadOnlyList<string> Statuses);

/// <summary>POST /api/v1/jobs/{id}/priority: high, normal, low.</summary>
public sealed record JobPriorityRequest(string Priority)
{
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/jobs/archive: all that ended so long ago; 0: all that have ended.</summary>
public sealed record ArchiveJobsRequest(int AgeSeconds)
{
    public string? Reason { get; init; }
}

/// <summary>GET /api/v1/queue. Running and Open count jobs; RunningLimit is how many run at one time, OpenLimit how many may be open.</summary>
public sealed record QueueView(bool Drained, int Running, int RunningLimit, int Open, int OpenLimit);

/// <summary>PATCH /api/v1/queue; what is left out stays as it is.</summary>
public sealed record ModifyQueueRequest
{
    public int? Running { get; init; }
    public int? Open { get; init; }
    public bool? Drained { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/debug/delay. Locks: cluster, group:NAME, node:NAME, instance:NAME.</summary>
public sealed record DebugDelayRequest(double Seconds)
{
    public IReadOnlyList<string> Exclusive { get; init; } = [];
    public IReadOnlyList<string> Shared { get; init; } = [];
    public string? Reason { get; init; }
}

/// <summary>GET /api/v1/locks: who has it, and who waits for it in their order.</summary>
public sealed record LockView(string Name, IReadOnlyList<LockPartyView> Holders, IReadOnlyList<LockPartyView> Waiters);
public sealed record LockPartyView(long Job, bool Shared);
