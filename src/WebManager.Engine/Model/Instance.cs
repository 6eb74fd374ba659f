// A virtual machine as stored, and what is known of it right now.
using WebManager.Contracts;

namespace WebManager.Engine.Model;

/// <summary>What the owner wants.</summary>
public enum AdminState { Down, Up }

/// <summary>creating and removing belong to a job; failed: a creation that could not be undone fully, or a guest given up on.</summary>
public enum LifeStage { Creating, Ready, Removing, Failed }

/// <summary>none: not mirrored. degraded: alone, no copy running. resynchronising: alone, the other copy is being made equal.</summary>
public enum MirrorState { None, InSync, Degraded, Resynchronising }

/// <summary>An instance. Owner: the key of a user or a group of people, who are charged for it (Keys); empty: nobody's. Primary and Secondary are node names; Generation is the newest record the engine made (null without a mirror or before the first).</summary>
public sealed record Instance(Guid Id, string Name, string Owner, string Image, int Vcpus, int MemoryMiB, DiskTemplate Template,
    IReadOnlyList<DiskSpec> Disks, IReadOnlyList<NicSpec> Nics, string Primary, string? Secondary, DateTimeOffset CreatedAt, long Revision)
{
    /// <summary>The id of the user who made it; what counts as a member's in a project.</summary>
    public string MadeBy { get; init; } = "";
    public AdminState Wanted { get; init; }
    public LifeStage Stage { get; init; } = LifeStage.Creating;
    public GenerationRecord? Generation { get; init; }

    /// <summary>Set (number of the generation) before a start order is sent under it, never unset: after a crash the start counts as sent (R4, H8).</summary>
    public long StartOrdered { get; init; }

    /// <summary>
    /// Set with a promotion: the former primary's record, whose guest must be dead (R4) before anything is started under a newer one.
    /// With the same primary, set with a change of secondary: a handover that is open (HandoverSteps). Cleared, durably, once that is certain.
    /// </summary>
    public GenerationRecord? Former { get; init; }

    /// <summary>
    /// The record that a change of secondary would make; Generation stays in force until the primary writes to this one's secondary, too. Any
    /// other new generation drops it. Null: none is under way.
    /// </summary>
    public GenerationRecord? Candidate { get; init; }

    /// <summary>The last generation whose process ended cleanly with both copies in sync; the next start may be in sync (H3).</summary>
    public long CleanEnd { get; init; }

    /// <summary>No guest was ever started on these disks: a fresh pair is equal.</summary>
    public bool FreshDisks { get; init; }

    public MirrorState Mirror { get; init; }

    /// <summary>
    /// Nodes that were its secondary once and may hold that copy still: removed when the new one is whole and the node answers. One that is
    /// secondary again is in here no more.
    /// </summary>
    public IReadOnlyList<string> OldCopies { get; init; } = [];

    /// <summary>Set when this database may not be the newest: nothing is decided for the instance until its nodes have answered, or a person confirmed (R5).</summary>
    public Doubt? Doubt { get; init; }
    public IReadOnlyDictionary<string, string> OsParams { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> SshKeys { get; init; } = [];
    public string? SshHostKey { get; init; }
    public string? FailureText { get; init; }

    /// <summary>Those that people attached; the owner's is made of the owner (OwnerTags).</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>It is not started on its secondary by itself.</summary>
    public bool RecoveryOff { get; init; }
    public RecoveryPriority Priority { get; init; }

    /// <summary>It ended too often and is not started in place any more until a person starts it; FailureText says so.</summary>
    public DateTimeOffset? GaveUpAt { get; init; }
    public RecoveryTimeline? LastRecovery { get; init; }

    public long DiskMiB => Disks.Sum(d => d.SizeMiB);

    public GuestSpec ToGuestSpec() => new(Id, Name, Image, Vcpus, MemoryMiB, Template, Disks, Nics)
    {
        OsParams = OsParams, SshKeys = SshKeys, SshHostKey = SshHostKey,
    };
}

/// <summary>Why the stored record of an instance may not be the newest. Why: "the database was restored".</summary>
public sealed record Doubt(DateTimeOffset Since, string Why);

/// <summary>
/// Ganeti's words for an instance's state, as its clients and people expect them, in one enum. ErrorDown: wanted up, found down. Migrating: it runs,
/// and moves to its other node.
/// </summary>
public enum InstanceStatus { Creating, Running, Starting, Paused, AdminDown, ErrorDown, ErrorUp, NodeDown, NodeOffline, Recovering, Removing, Failed, Migrating }
