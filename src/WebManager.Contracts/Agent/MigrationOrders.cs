// The orders of a live migration, in the order in which the engine gives them (R4; docs/replication.md).
using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>
/// 1, to the secondary: makes a QEMU that waits for the guest's state and never runs by itself. Record: the in-sync one in force, whose export is
/// open here. Such a process is no guest: it has no lease, is not reported as one, and is killed by any newer record, start or removal.
/// </summary>
public sealed record ReceiveGuestOrder(Guid Operation, long Epoch, GenerationRecord Record, GuestSpec Guest) : IAgentCall<ReceiveGuestReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/migration/receive";
}

/// <summary>Where the source connects to (TLS, both ends verified like copies).</summary>
public sealed record ReceiveGuestReply(MigrationAddress Address);

public sealed record MigrationAddress(string Host, int Port);

/// <summary>
/// 2, to the primary: sends the memory while the guest runs; answers when the guest is paused before the last of it and the mirror is whole.
/// Refused when the mirror breaks, the target fails or it does not converge: the guest goes on. Without the switch within 10 s after
/// the answer the source gives up by itself and the guest goes on.
/// </summary>
public sealed record SendGuestOrder(Guid Operation, long Epoch, GenerationRecord Record, MigrationAddress To) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/migration/send";
}

/// <summary>
/// 3, to the secondary: closes the export of the record in force for good (R1), so that the waiting QEMU may open the image. From the answer on
/// the primary completes no write under this generation, whatever becomes of the migration.
/// </summary>
public sealed record ReleaseReplicaOrder(Guid Operation, long Epoch, GenerationRecord Record) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/replica/release";
}

/// <summary>
/// 4, to the primary: sends the rest, and reaps the source. The answer means: everything was sent, the source did not run again since its pause,
/// and it is reaped. Refused in every other case (migration.failed): then the target must not run (R4, H9).
/// </summary>
public sealed record SwitchGuestOrder(Guid Operation, long Epoch, GenerationRecord Record) : IAgentCall<SwitchGuestReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/migration/switch";
}

/// <param name="MovedBytes">Memory and device state sent in all.</param>
/// <param name="PausedMs">From the pause to the reaped source, by the node's monotonic clock.</param>
public sealed record SwitchGuestReply(long MovedBytes, long PausedMs);

/// <summary>
/// 5, to the new primary: the guest goes on here under the record (the next one, in sync, this node its primary, made after the source was reaped),
/// on both copies. Needs a lease as a start does. Refused with migration.gone when no complete guest waits here.
/// </summary>
public sealed record TakeOverOrder(Guid Operation, long Epoch, GenerationRecord Record, GuestSpec Guest, ReplicaAddress Replica) : IAgentCall<StartGuestReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/migration/take-over";
}

/// <summary>
/// To either: gives up. On the primary an unfinished sending is cancelled and the guest goes on (or waits, its mirror broken, when the export was
/// closed already); on the secondary the waiting process is killed. Nothing under way: done.
/// </summary>
public sealed record CancelMigrationOrder(Guid Operation, long Epoch, Guid Instance) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/migration/cancel";
}
