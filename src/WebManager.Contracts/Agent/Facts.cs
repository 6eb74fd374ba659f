using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>Asked once per agent run and when something announced a change.</summary>
public sealed record HelloRequest : IAgentCall<AgentHello>
{
    [JsonIgnore] public string Path => "/v1/hello";
}

/// <summary>kvm and tcg: QEMU, chosen by a probe guest that really booted. fake: no QEMU here; every page says so.</summary>
public enum HypervisorKind { Kvm, Tcg, Fake }

/// <summary>What the node is. Memory and disk are what guests may use (stated capacity in the lab), in MiB.</summary>
public sealed record AgentHello(string Node, string Version, Guid Run, Guid Boot, HypervisorKind Hypervisor, string HypervisorVersion,
    int Cpus, long MemoryMiB, long DiskMiB, string Kernel, IReadOnlyList<string> Can)
{
    /// <summary>Names and versions of the images this node holds.</summary>
    public IReadOnlyList<ImageRef> Images { get; init; } = [];

    /// <summary>The last engine runs this node obeyed, newest last: an engine whose database does not know all of it is outdated (R5).</summary>
    public IReadOnlyList<EngineRun> Engines { get; init; } = [];

    /// <summary>Why the hypervisor is not the one wished for (no KVM, no QEMU), for people.</summary>
    public string? HypervisorNote { get; init; }

    /// <summary>Null: it was started in the ordinary way.</summary>
    public HandOverReport? HandOver { get; init; }
}

/// <summary>One run of an engine as a node heard it: its epoch, its tag (empty: not known), and the highest number of decisions it told of.</summary>
public sealed record EngineRun(long Epoch, string Tag, long Decisions);

public sealed record ImageRef(string Name, string Version);

/// <summary>
/// One line of the agent's server-sent event stream, GET /v1/events. It tells the engine to beat now and gives people a text;
/// state itself always comes by the beat, so a lost event loses nothing.
/// </summary>
/// <param name="Kind">guest.started, guest.first-line, guest.exited, guest.paused, mirror.broken, mirror.progress, mirror.promised, disk.error, disk.works, migration.progress, migration.failed, keeper.lost, keeper.killed, image.added; events.open is sent first to each listener</param>
public sealed record AgentEvent(long Serial, DateTimeOffset At, string Kind, Guid? Instance, string Text);

// Images: PUT /v1/images/{name}/{version}/{file} with the bytes, then POST of this to make the whole visible at once.

/// <summary>Makes uploaded files (name to SHA-256, lower-case hex) visible as one image; refused with image.incomplete when one is missing or differs.</summary>
public sealed record PublishImageOrder(Guid Operation, long Epoch, string Name, string Version, IReadOnlyDictionary<string, string> Files) : IAgentCall<Done>, IOrder
{
    [JsonIgnore] public string Path => "/v1/images/publish";
}

// Serial console: GET /v1/guests/{instance}/serial as a WebSocket, binary frames both ways; begins with the last 16 KiB of the log.

/// <summary>
/// From a primary's agent to its secondary's, every 0.5 s, for instances in sync there. Accepts another node's certificate, in that node's name.
/// </summary>
public sealed record PeerChallenge(string Node, string Nonce, IReadOnlyList<GenerationRecord> Generations) : IAgentCall<PeerAnswer>
{
    [JsonIgnore] public string Path => "/v1/peer/challenge";
}

/// <summary>
/// From a primary's agent to its secondary's while a copy is compared: the hashes of one part of one disk. Offset is a multiple of 64 KiB,
/// Length 64 MiB at most. The other call that accepts another node's certificate, and only the primary's that the record names.
/// </summary>
public sealed record PeerHashesRequest(GenerationRecord Record, int Disk, long Offset, long Length) : IAgentCall<PeerHashesReply>
{
    [JsonIgnore] public string Path => "/v1/peer/hashes";
}

/// <param name="Hashes">SHA-256 of each 64 KiB, one after the other; 32 zero bytes for 64 KiB of zeros.</param>
public sealed record PeerHashesReply(byte[] Hashes);

/// <summary>The generations, of those asked, that the secondary stands behind.</summary>
public sealed record PeerAnswer(string Nonce, IReadOnlyList<GenerationRecord> StandsBehind);
