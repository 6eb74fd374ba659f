using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>
/// The keeper as the agent sees it: parent of the node's guests, holder of their leases. Implemented by the client of the keeper's
/// unix socket and, in tests, by a direct one.
/// </summary>
public interface IGuestProcesses
{
    /// <summary>Starts a program from an argument list (never a shell). It dies with the keeper when asked to (PDEATHSIG).</summary>
    Task<Outcome<int>> SpawnAsync(SpawnRequest request, CancellationToken ct);

    /// <summary>SIGKILL, then waits until the process was reaped. Unknown id: done.</summary>
    Task<Outcome<Done>> KillAsync(string id, CancellationToken ct);

    /// <summary>
    /// A process that waited under an id of its own becomes the guest under the record, with the lease that a start needs (R3). Its pid. From
    /// the answer on it is the guest to everyone: kills, ends and a keeper that follows know it by the new id.
    /// </summary>
    Task<Outcome<int>> BecomeAsync(string id, string guestId, GenerationRecord record, CancellationToken ct);

    /// <summary>Raised when a process was reaped.</summary>
    event Action<ProcessEnd>? Ended;
}

/// <param name="Id">"guest:{instance}", "incoming:{instance}" or "export:{instance}"; one live process per id.</param>
/// <param name="Arguments">Program first.</param>
/// <param name="Record">The generation it runs under; in sync means it needs a lease (R3). Null: no lease.</param>
public sealed record SpawnRequest(string Id, IReadOnlyList<string> Arguments, string OutputFile, bool DieWithKeeper, GenerationRecord? Record)
{
    /// <summary>Network namespace of the process, by ip-netns name; null: the keeper's own.</summary>
    public string? NetworkNamespace { get; init; }
}

/// <param name="ExitCode">The exit code; null when a signal ended it.</param>
/// <param name="Signal">The signal that ended it; null for an exit.</param>
/// <param name="ByKeeper">Killed because its lease ran out.</param>
public sealed record ProcessEnd(string Id, int Pid, long Generation, int? ExitCode, int? Signal, bool ByKeeper, DateTimeOffset At);
