using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Keeper;

/// <summary>The keeper as the node's own code sees it: the processes, and the leases that the engine's and the peers' answers feed.</summary>
public interface IKeeper : IGuestProcesses
{
    bool Alive { get; }

    /// <summary>The one that answers; null: none, or it has not said yet.</summary>
    KeeperFacts? Facts { get; }

    /// <summary>Raised with what lives and what ended each time a keeper answers: after our start, and after the keeper was replaced.</summary>
    event Action<KeeperStatus>? Connected;

    event Action? Lost;

    /// <summary>Raised for each process that SpawnAsync started or BecomeAsync made a guest; its end may have been told already.</summary>
    event Action<SpawnRequest, int>? Spawned;

    /// <summary>Raised when the keeper has made a guest stand still for want of a lease, and when it lets it go on.</summary>
    event Action<ProcessPause>? PauseChanged;

    /// <summary>The newest challenge; null while no keeper answers.</summary>
    Task<string?> ChallengeAsync(CancellationToken ct);

    /// <summary>Passed on at once, in order, without waiting.</summary>
    void Answer(string? nonce, IReadOnlyList<GenerationRecord> standsBehind);

    Task<Outcome<Done>> AdoptAsync(GenerationRecord record, CancellationToken ct);
    Task<Outcome<Done>> PromiseAsync(GenerationRecord record, CancellationToken ct);

    /// <summary>Whether a guest could start under the record now.</summary>
    Task<Outcome<Done>> LeaseAsync(GenerationRecord record, CancellationToken ct);

    Task<KeeperStatus?> StatusAsync(CancellationToken ct);
    Task ForgetAsync(string id, CancellationToken ct);
}
