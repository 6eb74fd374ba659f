// The engine as its faces see it: one door for changes, feeds for reading.
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;

namespace WebManager.Engine;

public interface IClusterEngine
{
    ClusterFeeds Feeds { get; }

    /// <summary>The cluster's row; available after start.</summary>
    Cluster Cluster { get; }

    /// <summary>
    /// The one door: checks the request, authorises the caller on the merged object, reserves, stores the job; the job's id once that is durable.
    /// Refusals name the field (Refusal.Field) and change nothing.
    /// </summary>
    Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, CancellationToken ct);

    /// <summary>On other terms than the usual: a priority, jobs that have to end first.</summary>
    Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, JobTerms terms, CancellationToken ct);

    /// <summary>Waits for the next change of an open job or its log. True: it came, or what was known does not hold any more; false: the limit passed.</summary>
    Task<bool> ChangedAsync(long job, Func<bool> known, TimeSpan limit, CancellationToken ct);

    /// <summary>Who holds which lock, and who waits for it.</summary>
    IReadOnlyList<LockRow> Locks { get; }

    /// <summary>The same checks as Submit, and nothing else; null when it would be accepted. Pages show a control if and only if this allows it.</summary>
    Refusal? WouldRefuse(OperationRequest request, Caller caller);

    /// <summary>What this caller may see, by the newest grants at each question.</summary>
    Sight SightOf(Caller caller);

    /// <summary>What an owner holds and may, also one that holds nothing yet; null: there is no such owner.</summary>
    OwnerRow? OwnerRow(string owner);

    /// <summary>The newest picture; pages and routes read it through SightOf.</summary>
    Picture Now { get; }

    /// <summary>Completes when the job has ended; the ended job.</summary>
    Task<Job> WaitAsync(long job, CancellationToken ct);

    /// <summary>Why this engine changes nothing any more (another one works on the cluster); null: it does.</summary>
    Refusal? Halted { get; }

    /// <summary>What maintenance of the node would do, or still has to do; null: there is no such node.</summary>
    MaintenancePlan? PlanMaintenance(string node);

    /// <summary>The stored instance (pages need more than the row has); null if there is none.</summary>
    Instance? FindInstance(string nameOrId);
}
