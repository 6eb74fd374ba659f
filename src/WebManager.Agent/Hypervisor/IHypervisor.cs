using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Runs guests on this node: Qemu or Fake. Decides nothing about generations; the agent's rules are asked before it is called.</summary>
public interface IHypervisor
{
    HypervisorKind Kind { get; }
    string Version { get; }

    /// <summary>Why it is not the one wished for; null when it is.</summary>
    string? Note { get; }

    /// <summary>Starts the guest and answers once its CPU runs. The folder holds the images, the sockets and the logs of the instance.</summary>
    Task<Outcome<IGuest>> StartAsync(GuestStart start, CancellationToken ct);

    /// <summary>Finds a guest again after a restart of the agent, by its QMP socket; null when no process answers.</summary>
    Task<IGuest?> AdoptAsync(GuestStart start, int pid, CancellationToken ct);

    /// <summary>Makes a process that waits for the guest to come from another node; Start.Record is the one it runs under there.</summary>
    Task<Outcome<IIncomingGuest>> ReceiveAsync(GuestStart start, CancellationToken ct);
}

/// <summary>A process that takes in a guest and never runs it by itself. Disposing lets go of it, unless it was taken over.</summary>
public interface IIncomingGuest : IAsyncDisposable
{
    Guid Instance { get; }
    int Pid { get; }

    /// <summary>The number of the record under which the guest runs at its source.</summary>
    long Generation { get; }
    MigrationAddress Address { get; }

    /// <summary>Everything is here.</summary>
    Task Whole { get; }

    /// <summary>Grows while anything comes in.</summary>
    long Progress { get; }

    MigrationReport Report { get; }

    /// <summary>
    /// The guest goes on here under the start's record, on both copies: the keeper takes the process for the guest, then its CPU runs. On a
    /// refusal the process is gone.
    /// </summary>
    Task<Outcome<IGuest>> TakeOverAsync(GuestStart start, CancellationToken ct);
}

/// <summary>How the source ended.</summary>
/// <param name="Left">Its process is only a shell that must not be continued.</param>
/// <param name="PausedAt">Timestamp of the pause, on the guest's clock.</param>
public sealed record SourceEnd(Rules.SourceFacts Facts, bool Left, long MovedBytes, long PausedAt)
{
    /// <summary>Why not everything got there.</summary>
    public string? Why { get; init; }
}

/// <summary>What a start needs beside the spec. Record is null without a mirror; Replica is set when the record is in sync.</summary>
public sealed record GuestStart(GuestSpec Guest, string Folder, GenerationRecord? Record, ReplicaAddress? Replica);

/// <summary>One running (or just ended) guest process.</summary>
public interface IGuest : IAsyncDisposable
{
    Guid Instance { get; }
    int Pid { get; }
    GuestPhase Phase { get; }
    MirrorPhase Mirror { get; }
    string? MirrorText { get; }
    double? CopyPercent { get; }
    CopyReport? Copy => null;

    /// <summary>See InstanceReport.</summary>
    DiskFault? LocalFault => null;
    DiskFault? CopyFault => null;
    ThirdCopy? Third => null;
    MigrationReport? Migration => null;

    /// <summary>Found after a restart of the agent as a source that had sent everything: it must be killed, never continued.</summary>
    bool Left => false;
    DateTimeOffset StartedAt { get; }
    DateTimeOffset? FirstLineAt { get; }

    /// <summary>The guest asked to power off (QMP SHUTDOWN with a guest reason) or panicked; with the exit code this tells clean from unclean.</summary>
    bool PoweredOff { get; }
    bool Panicked { get; }

    /// <summary>Raised for every change of the properties above, with the event kind and text for people (see AgentEvent).</summary>
    event Action<IGuest, string, string>? Changed;

    /// <summary>Presses the ACPI power button; the exit is seen through the keeper.</summary>
    Task PressPowerAsync(CancellationToken ct);

    /// <summary>Yanks the dead copy, swaps every disk to the local image under the new record, continues.</summary>
    Task<Outcome<Done>> DegradeAsync(GenerationRecord record, CancellationToken ct);

    /// <summary>
    /// Copies every disk to the replica while the guest runs; when equal: pauses, ends the copy, swaps to both copies,
    /// awaits <paramref name="promise"/> (which stores the promise durably), continues. Returns when copying has begun; outcome by Changed.
    /// </summary>
    Task<Outcome<Done>> ResyncAsync(GenerationRecord record, ReplicaAddress replica, Func<CancellationToken, Task> promise, CancellationToken ct);

    Task<Outcome<Done>> CancelResyncAsync(CancellationToken ct);

    /// <summary>
    /// Copies every disk to the replica while the guest runs in sync; when equal it is on all three copies, each of which has to take every
    /// write. Returns when copying has begun; Third tells the outcome. Whatever fails before leaves the guest on its pair.
    /// </summary>
    Task<Outcome<Done>> AddCopyAsync(GenerationRecord candidate, ReplicaAddress replica, CancellationToken ct);

    /// <summary>Ends what AddCopyAsync began for this candidate: when it answers the guest is on its pair. Another candidate or none: done.</summary>
    Task<Outcome<Done>> DropCopyAsync(GenerationRecord candidate, CancellationToken ct);

    /// <summary>The keeper has stopped the guest's process, or lets it go on: while it stands still its monitor cannot answer.</summary>
    void Halt(bool stopped) { }

    /// <summary>
    /// The engine recorded the generation as in sync: Promised becomes InSync; on three copies with this very candidate the former secondary's is
    /// left. Call it when that record was stored.
    /// </summary>
    void Recorded(GenerationRecord record) { }

    /// <summary>
    /// Lets a guest go on that was adopted as Paused with Mirror = Promised: the agent died in the pause at the end of a copy. Store the
    /// promise durably first.
    /// </summary>
    Task<Outcome<Done>> ContinueAsync(CancellationToken ct) => Task.FromResult<Outcome<Done>>(Done.Value);

    /// <summary>
    /// Sends the guest's memory while it runs; answers when it is paused before the last of it. Refused: it goes on. Without SwitchAsync in
    /// time it goes on by itself.
    /// </summary>
    Task<Outcome<Done>> SendAsync(GenerationRecord record, MigrationAddress to, CancellationToken ct);

    /// <summary>Sends the rest. The other copy's export is closed by now, so where it fails Mirror is broken.</summary>
    Task<Outcome<SourceEnd>> SwitchAsync(CancellationToken ct);

    /// <summary>Ends a sending that is not through yet; when it answers the guest goes on. Nothing under way: done.</summary>
    Task CancelMigrationAsync(CancellationToken ct);

    /// <summary>The serial console: bytes since the given offset of the log are sent first, then live. Several listeners may be open.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> SerialAsync(int lastBytes, CancellationToken ct);

    Task WriteSerialAsync(ReadOnlyMemory<byte> input, CancellationToken ct);
}
