using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>Makes the instance's empty disk images and its folder; existing images of the right size are kept.</summary>
public sealed record CreateDisksOrder(Guid Operation, long Epoch, GuestSpec Guest) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/disks/create";

    /// <summary>Kept with them.</summary>
    public KeptNote? Kept { get; init; }
}

/// <summary>Removes everything of the instance from this node: process (killed), export, images, records, logs. Nothing there: done.</summary>
public sealed record RemoveInstanceOrder(Guid Operation, long Epoch, Guid Instance) : IAgentCall<Done>, IOrder
{
    /// <summary>
    /// The instance lives on elsewhere, under this record, which does not name this node: stored first, and kept, so that older orders that
    /// arrive late are refused. Older than what is stored here: refused, nothing is removed. Null: the instance is no more.
    /// </summary>
    public GenerationRecord? Record { get; init; }

    [JsonIgnore] public string Path => "/v1/instances/remove";
}

/// <summary>
/// Stores a generation durably (fsync) before answering. Older than what is stored, or an equal number with another tag: refused
/// (generation.stale, generation.conflict). On a node that is not the record's primary a running guest is killed and reaped first;
/// an export of an older generation is closed.
/// </summary>
public sealed record StoreGenerationOrder(Guid Operation, long Epoch, GenerationRecord Record) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/generation/store";
}

/// <summary>The secondary stores the record and opens its export(s), once per generation (R1): opened before and lost means refused with replica.spent.</summary>
public sealed record OpenReplicaOrder(Guid Operation, long Epoch, GenerationRecord Record, GuestSpec Guest) : IAgentCall<OpenReplicaReply>, IOrder
{
    /// <summary>
    /// The record is none yet: it is what a change of secondary would make. It is kept apart from the record, no challenge is answered for it, and
    /// another one of the same number takes its place, because it was never in force. Once the record itself is stored, the open export is its.
    /// </summary>
    public bool Candidate { get; init; }

    [JsonIgnore] public string Path => "/v1/replica/open";
}

/// <summary>Where the primary finds the copies: one export per disk, in disk order.</summary>
public sealed record OpenReplicaReply(ReplicaAddress Replica);

/// <summary>NBD exports of one generation. Export names carry instance, disk, generation number and tag.</summary>
public sealed record ReplicaAddress(string Host, int Port, IReadOnlyList<string> Exports)
{
    /// <summary>
    /// The generation ("number-tag") under which this copy was last equal to the primary's, nothing else having written to it since: the
    /// primary then copies only what it has marked as changed. Null: not known, everything is compared.
    /// </summary>
    public string? Holds { get; init; }
}

/// <summary>
/// First step of a promotion (R4): from the answer on, this node, the secondary, answers no challenge of the primary for this generation,
/// until told to resume or a newer generation is stored. Kept in memory and on disk.
/// </summary>
public sealed record StandDownOrder(Guid Operation, long Epoch, GenerationRecord Record) : IAgentCall<StandDownReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/replica/stand-down";
}

/// <param name="SinceHeardMs">Milliseconds since a challenge of the primary for this generation was last received; null: not since this agent run began.</param>
/// <param name="AgentUpMs">Milliseconds this agent run has been up: a restart counts as a challenge just received.</param>
public sealed record StandDownReply(long? SinceHeardMs, long AgentUpMs);

/// <summary>
/// Takes a stand-down back: the primary was heard after all. Of: the operation of the stand-down that is meant; another one, of a promotion that began
/// since, stays in force.
/// </summary>
public sealed record StandUpOrder(Guid Operation, long Epoch, GenerationRecord Record, Guid Of) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/replica/stand-up";
}

/// <summary>
/// Starts the guest under the record. Mirrored: the record is stored first; in sync needs Replica and a lease; alone needs neither.
/// A guest already running under the same generation: done. Under another: refused with guest.running.
/// </summary>
public sealed record StartGuestOrder(Guid Operation, long Epoch, GuestSpec Guest) : IAgentCall<StartGuestReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/start";
    public GenerationRecord? Record { get; init; }
    public ReplicaAddress? Replica { get; init; }
}

public sealed record StartGuestReply(int Pid, string Accelerator);

/// <summary>
/// Stops the guest: ACPI power button, then after Grace the process is killed. Grace zero: at once. The answer means reaped.
/// No guest: done, with the last end known.
/// </summary>
public sealed record StopGuestOrder(Guid Operation, long Epoch, Guid Instance, TimeSpan Grace) : IAgentCall<StopGuestReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/stop";
}

/// <param name="End">Clean only when QEMU ended by itself after the guest's own power-off; both copies are then equal.</param>
/// <param name="Generation">The generation whose process was reaped; 0 without a mirror.</param>
public sealed record StopGuestReply(GuestEnd End, long Generation);

/// <summary>
/// The engine's leave to go on with the primary's copy only (R1): stores the record (alone), cuts the dead copy out of every disk's
/// graph (out-of-band yank first, so a silently cut link does not hang it), then continues the guest.
/// </summary>
public sealed record DegradeOrder(Guid Operation, long Epoch, GenerationRecord Record) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/degrade";
}

/// <summary>
/// Makes every disk of the replica equal while the guest runs, under the current alone record: changed blocks only where they are known,
/// otherwise both sides are compared and what differs is copied. When all are equal the agent swaps the guest to both copies, durably promises never to write alone under the record, and reports
/// Mirror = promised; the engine then records in sync and stores that on both nodes. Answers as soon as the copy has begun.
/// </summary>
public sealed record ResyncOrder(Guid Operation, long Epoch, GenerationRecord Record, GuestSpec Guest, ReplicaAddress Replica) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/resync";
}

/// <summary>Stops a copy that runs; the guest goes on alone. Not running: done. Refused with mirror.promised once promised.</summary>
public sealed record CancelResyncOrder(Guid Operation, long Epoch, Guid Instance) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/resync-cancel";
}

/// <summary>
/// To the primary of a guest in sync under Record: makes a third copy equal and puts the guest on all three, each of which then confirms every
/// write. Nothing is in force under Candidate yet. Answers as soon as the copy has begun; InstanceReport.Third tells the rest. Only when Candidate
/// is stored as the record the former secondary's copy is left.
/// </summary>
public sealed record AddCopyOrder(Guid Operation, long Epoch, GenerationRecord Record, GenerationRecord Candidate, ReplicaAddress Replica) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/add-copy";
}

/// <summary>Ends that: from the answer on the guest is on its pair again. Another candidate or none: done. Refused once the candidate is the record.</summary>
public sealed record DropCopyOrder(Guid Operation, long Epoch, GenerationRecord Candidate) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/guests/drop-copy";
}

/// <summary>The last lines of a guest's serial log, oldest first.</summary>
public sealed record SerialTailRequest(Guid Instance, int Lines) : IAgentCall<SerialTailReply>
{
    [JsonIgnore] public string Path => "/v1/guests/serial-tail";
}

public sealed record SerialTailReply(IReadOnlyList<string> Lines);

/// <summary>How long the node has not heard a primary's challenges, asked while a promotion waits (R4). Changes nothing.</summary>
public sealed record PeerSilenceRequest(Guid Instance, string Primary) : IAgentCall<StandDownReply>
{
    [JsonIgnore] public string Path => "/v1/replica/peer-silence";
}
