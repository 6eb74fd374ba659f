// What it means for the rest of the cluster that a node's agent is being restarted. Pure; one answer for the watcher, recovery and the pages.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <param name="Limit">How long the node may be silent for it.</param>
public sealed record AgentRestart(DateTimeOffset Since, string By, TimeSpan Limit, long Job);

public static class AgentRestarts
{
    /// <summary>The step of its job with which the engine gives its leave; what is stored with it is the note that the node may be silent.</summary>
    public const string Leave = "leave";

    /// <summary>Null: it is not being restarted. The open job is the durable note: it ends with it, whatever comes between.</summary>
    public static AgentRestart? Of(string node, Picture now) =>
        now.Jobs.Values.FirstOrDefault(j => j is { Ended: false, Step: Leave, Request: RestartAgent r } && r.Node == node) is { Request: RestartAgent asked } job
            ? new AgentRestart(job.StartedAt ?? job.ReceivedAt, job.Caller.Name, TimeSpan.FromSeconds(asked.TimeoutSeconds), job.Id) : null;

    /// <summary>
    /// Its silence is no fault yet. Its guests need no agent to run, its copies none to be written; only the leases of in-sync guests end, and
    /// with them stand still until somebody is back. To wait is safe for R3 and R4, for it only makes a promotion later; for longer than the
    /// limit it is not worth it, so from then on the node is one that died, whether or not it did.
    /// </summary>
    public static bool SilenceExpected(string? node, TimeSpan silence, Picture now) => node is not null && Of(node, now) is { } restart && silence < restart.Limit;

    /// <summary>Null: nothing is under way that a restart would end or that needs the agent at every moment.</summary>
    public static string? Busy(string node, Picture now, Func<string?, Guid, InstanceReport?> reports)
    {
        var job = now.Jobs.Values.FirstOrDefault(j => j is { Ended: false, Status: JobStatus.Running or JobStatus.Canceling } && Touches(j.Request, node, now));
        if (job is not null) { return $"job {job.Id}, {job.Request.Name} of {((InstanceRequest)job.Request).Instance}, is under way"; }
        foreach (var i in now.On(node))
        {
            var (first, second) = (reports(i.Primary, i.Id), reports(i.Secondary, i.Id));
            if (first?.Migration is not null || second?.Migration is not null) { return $"{i.Name} is being migrated"; }
            if (first is { Mirror: MirrorPhase.Copying or MirrorPhase.Promised }) { return $"a copy of {i.Name} is being made"; }
        }
        return null;
    }

    /// <summary>One that is being created may be placed there any moment.</summary>
    private static bool Touches(OperationRequest request, string node, Picture now) => request is InstanceRequest r
        && (now.Find(r.Instance) is not { } i || i.Primary == node || i.Secondary == node || i.OldCopies.Contains(node) || request is ReplaceSecondary);

    /// <summary>In-sync guests there have a lease that was just renewed; null: they have.</summary>
    public static string? Stale(string node, TimeSpan sinceChallenge, TimeSpan isolation, Picture now, Func<string?, Guid, InstanceReport?> reports)
    {
        var guests = now.Instances.Values.Where(i => i.Primary == node && i is { Wanted: AdminState.Up, Generation.Sync: SyncState.InSync }).ToList();
        if (guests.FirstOrDefault(i => reports(node, i.Id) is { Guest: GuestPhase.Paused }) is { } still) { return $"{still.Name} stands still"; }
        return guests.Count > 0 && sinceChallenge > isolation / 2 ? $"the lease of {guests[0].Name} was not renewed for {sinceChallenge.TotalSeconds:0.0} s" : null;
    }
}
