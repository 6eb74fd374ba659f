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

    /// <summary>The keeper has stopped the guest's process, or lets it go on: while it stands still its monitor cannot answer.</summary>
    void Halt(bool stopped) { }

    /// <summary>
    /// The engine recorded the generation as in sync: Promised becomes InSync. Call it when that record was stored.
    /// </summary>
    void Recorded(GenerationRecord record) { }

    /// <summary>
    /// Lets a guest go on that was adopted as Paused with Mirror = Promised: the agent died in the pause at the end of a copy. Store the
    /// promise durably first.
    /// </summary>
    Task<Outcome<Done>> ContinueAsync(CancellationToken ct) => Task.FromResult<Outcome<Done>>(Done.Value);

    /// <summary>The serial console: bytes since the given offset of the log are sent first, then live. Several listeners may be open.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> SerialAsync(int lastBytes, CancellationToken ct);

    Task WriteSerialAsync(ReadOnlyMemory<byte> input, CancellationToken ct);
}
