using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>
/// The heartbeat, every 0.5 s from the engine to each agent. It answers the challenge that the previous reply brought, so a keeper's
/// lease runs from the moment the keeper issued the challenge (R3), never from the moment an answer arrived.
/// </summary>
public sealed record BeatRequest(string Cluster, long Epoch, string Node) : IAgentCall<BeatReply>
{
    [JsonIgnore] public string Path => "/v1/beat";

    /// <summary>Tag of the engine's run: two engines may come to the same epoch, but never to the same tag (R5).</summary>
    public string Tag { get; init; } = "";

    /// <summary>How many decisions the engine's database holds; grows with each commit of some, never goes back within one history (R5).</summary>
    public long Decisions { get; init; }

    /// <summary>The nonce of the challenge answered; null: none is answered with this beat.</summary>
    public string? Nonce { get; init; }

    /// <summary>The generations of mirrored instances with a copy on this node that the engine stands behind. Also tells the node what is newest.</summary>
    public IReadOnlyList<GenerationRecord> StandsBehind { get; init; } = [];

    /// <summary>Every node's agent address by name, so that a primary can challenge its secondaries.</summary>
    public IReadOnlyDictionary<string, string> Peers { get; init; } = new Dictionary<string, string>();

    /// <summary>The state serial of the newest full reply the engine has from this agent run; the reply leaves Instances out when nothing changed since.</summary>
    public long KnownState { get; init; }

    /// <summary>The agent run that KnownState belongs to.</summary>
    public Guid KnownRun { get; init; }
}

/// <summary>What the node says about itself.</summary>
public sealed record BeatReply(string Node, Guid Run, Guid Boot, long StateSerial)
{
    /// <summary>The keeper's newest challenge, to be answered with the next beat; null while there is no keeper.</summary>
    public string? Nonce { get; init; }

    /// <summary>All instances that have anything on this node; null when unchanged since KnownState.</summary>
    public IReadOnlyList<InstanceReport>? Instances { get; init; }

    public NodeLoad Load { get; init; } = new(0, 0, 0);
    public bool KeeperAlive { get; init; }

    /// <summary>Why this node's disks are not to be trusted, in a sentence: a write to them failed or does not end (H14). Null: they work.</summary>
    public string? DiskFault { get; init; }

    /// <summary>The agent's own version; null: one that does not say.</summary>
    public string? Version { get; init; }

    /// <summary>Null while no keeper answers.</summary>
    public KeeperFacts? Keeper { get; init; }
}

/// <summary>Free memory and disk in MiB after the node's own use, and the one-minute load.</summary>
public sealed record NodeLoad(long FreeMemoryMiB, long FreeDiskMiB, double Load1);

/// <summary>absent: no process. starting: process without a running guest yet. paused: by I/O error or order, or by its keeper for want of a lease. The rest as it says.</summary>
public enum GuestPhase { Absent, Starting, Running, Paused, Stopping }

/// <summary>clean: the guest powered itself off or was ordered to and QEMU ended by itself. The others count as unclean (H3).</summary>
public enum GuestEnd { None, Clean, Killed, Crashed, Panicked }

/// <summary>none: not a mirrored primary. broken: a copy failed, I/O waits. copying: the other copy is being made equal. promised: P has promised never to write alone under the record (R2).</summary>
public enum MirrorPhase { None, InSync, Broken, Alone, Copying, Promised }

/// <summary>An image answers with errors.</summary>
/// <param name="Disk">Its index in the instance.</param>
/// <param name="Full">No space is left on the node.</param>
public sealed record DiskFault(int Disk, bool Full, string Text);

/// <summary>How a copy was, or is being, made equal.</summary>
/// <param name="ComparedBytes">What both sides hashed; 0 when all changes were known.</param>
/// <param name="MovedBytes">What was sent to the secondary.</param>
/// <param name="PausedMs">How long the guest stood still at the end; null while the copy runs.</param>
public sealed record CopyReport(long ComparedBytes, long MovedBytes, long Milliseconds, long? PausedMs);

/// <summary>Copying: the guest runs on its pair meanwhile. Joined: each of its writes goes to all three copies. Failed: the guest is on its pair.</summary>
public enum ThirdPhase { Copying, Joined, Failed }

/// <summary>A copy on the node that is to be the secondary instead of another (docs/replication.md).</summary>
/// <param name="Number">Of the candidate record, with its tag.</param>
public sealed record ThirdCopy(long Number, string Tag, ThirdPhase Phase)
{
    /// <summary>0 to 100 while it is copied.</summary>
    public double? Percent { get; init; }
    public CopyReport? Copy { get; init; }

    /// <summary>Why it failed, or was lost.</summary>
    public string? Text { get; init; }

    /// <summary>Joined, and a write to it failed: the guest waits until it is told with which copies to go on.</summary>
    public bool Lost { get; init; }

    public bool Is(GenerationRecord? candidate) => candidate is not null && candidate.Number == Number && candidate.Tag == Tag;
}

/// <summary>Sending: the guest runs and its memory goes to the other node. Switching: paused, the last of it goes. Receiving: this node takes it in; nothing runs here.</summary>
public enum MigrationPhase { Sending, Switching, Receiving }

/// <summary>A live migration under way on this node.</summary>
/// <param name="Generation">The record's number under which the guest runs at its source.</param>
/// <param name="Percent">0 to 100 of the memory as it was at the begin; a guest that writes quickly makes it longer.</param>
/// <param name="MovedBytes">What was sent so far; 0 where it is received, QEMU does not tell there.</param>
public sealed record MigrationReport(MigrationPhase Phase, long Generation, double Percent, long MovedBytes);

/// <summary>One instance's traces on one node: as primary (a guest, or its remains), as secondary (an export), or both empty (leftovers).</summary>
public sealed record InstanceReport(Guid Instance)
{
    /// <summary>The newest generation this node has stored durably; null for an instance without a mirror.</summary>
    public GenerationRecord? Stored { get; init; }

    public GuestPhase Guest { get; init; }

    /// <summary>Number of the generation under which the process runs, or ran when Guest is absent.</summary>
    public long GuestGeneration { get; init; }

    public int? Pid { get; init; }
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the guest printed its first line on the serial console.</summary>
    public DateTimeOffset? FirstLineAt { get; init; }

    /// <summary>How the last process under GuestGeneration ended; None while it runs or if there was none. "Reaped", never assumed.</summary>
    public GuestEnd End { get; init; }

    /// <summary>The last lines of the serial log, on an unclean end.</summary>
    public IReadOnlyList<string>? LastLines { get; init; }

    public MirrorPhase Mirror { get; init; }

    /// <summary>0 to 100 while Mirror is copying.</summary>
    public double? CopyPercent { get; init; }

    /// <summary>What the copy that runs, or the last that came to its end, has done; null: none since the guest was found or started here.</summary>
    public CopyReport? Copy { get; init; }

    /// <summary>Why Mirror is broken or a copy failed.</summary>
    public string? MirrorText { get; init; }

    /// <summary>The guest's image on this node fails; the guest waits, and tries again now and then. Null: it works.</summary>
    public DiskFault? LocalFault { get; init; }

    /// <summary>The copy on the secondary failed by its disk, not for want of a connection; until a copy onto it has come to its end. Null: nothing is known against it.</summary>
    public DiskFault? CopyFault { get; init; }

    /// <summary>At the primary: the copy for another secondary, that is made or was joined; null: none.</summary>
    public ThirdCopy? Third { get; init; }

    /// <summary>The live migration from or to here; null: none.</summary>
    public MigrationReport? Migration { get; init; }

    /// <summary>The stand-down (its operation) by which this node, as secondary, answers no challenge for the stored record; null: it answers.</summary>
    public Guid? StoodDownBy { get; init; }

    /// <summary>Number of the generation whose export is open here; null when none is.</summary>
    public long? ExportGeneration { get; init; }

    /// <summary>Disk images present here.</summary>
    public int Disks { get; init; }

    /// <summary>The digest of the note that is kept here; null: none.</summary>
    public string? Note { get; init; }
}
