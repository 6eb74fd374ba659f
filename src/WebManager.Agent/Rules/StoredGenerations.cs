using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

/// <summary>
/// What a node keeps durably about one instance's generations. A decision of <see cref="NodeRules"/> gives the next one; it is on disk
/// before anything is done or answered.
/// </summary>
public sealed record StoredGenerations
{
    public static readonly StoredGenerations None = new();

    /// <summary>The newest record stored.</summary>
    public GenerationRecord? Record { get; init; }

    /// <summary>
    /// What a change of secondary would make, for which this node's export was opened: no record, so no challenge is answered for it and nothing
    /// older is refused for its sake. Gone as soon as a record is stored.
    /// </summary>
    public GenerationRecord? Candidate { get; init; }

    /// <summary>Newest generation whose export was ever opened here; never opened again (R1).</summary>
    public long ExportOpened { get; init; }

    /// <summary>Newest generation a guest ever ran under here, by a start or by adoption; none is started under it again (H3).</summary>
    public long Started { get; init; }

    /// <summary>The generation for which challenges are not answered (R4).</summary>
    public long StoodDown { get; init; }

    /// <summary>The operation that StoodDown came with: only that one is taken back.</summary>
    public Guid StoodDownBy { get; init; }

    /// <summary>The stand-down in force for the newest record; null: none.</summary>
    public Guid? Silenced() => Record is { } record && StoodDown == record.Number ? StoodDownBy : null;

    /// <summary>
    /// The last record under which this node's copy, as secondary, was equal to the primary's. Since then nobody but that primary has
    /// written to it: a guest started here, another primary, or an image made anew takes it away. Null: nothing is known.
    /// </summary>
    public GenerationRecord? Holds { get; init; }

    /// <summary>The generation under which this node promised never to write alone (R2).</summary>
    public long Promised { get; init; }
}

/// <summary>What is alive here when a rule is asked.</summary>
/// <param name="Guest">The record the running guest runs under; null: no guest, or one without a mirror.</param>
/// <param name="OpenExport">The generation whose export is open.</param>
/// <param name="Lease">The keeper holds a valid lease for the record asked about.</param>
public sealed record NodeFacts(GenerationRecord? Guest = null, long? OpenExport = null, bool Lease = false)
{
    public static readonly NodeFacts Nothing = new();

    /// <summary>The generation whose guest a waiting process here takes in; null: none waits.</summary>
    public long? Incoming { get; init; }

    /// <summary>A copy for another secondary that the running guest is on, or that is made.</summary>
    public ThirdCopy? Third { get; init; }

    /// <summary>What waits here has everything, and has not run yet.</summary>
    public bool IncomingWhole { get; init; }
}

/// <summary>How the source of a live migration stands, as its QEMU says.</summary>
/// <param name="Sent">The target has everything, by QEMU's word.</param>
/// <param name="RanSince">The CPU ran again after the pause before the switch.</param>
public sealed record SourceFacts(bool Sent, bool RanSince);

/// <summary>What the caller does after Next is durable, in the order of the values; killing what waits comes first.</summary>
[Flags]
public enum NodeActs
{
    None = 0,
    KillGuest = 1,
    CloseExport = 2,

    /// <summary>Tell the keeper that the guest goes on under Next.Record.</summary>
    AdoptRecord = 4,
    OpenExport = 8,
    StartGuest = 16,

    /// <summary>Cut the other copy out of the running guest and continue it.</summary>
    Degrade = 32,
    BeginCopy = 64,

    /// <summary>It was done before: answer as then.</summary>
    Already = 128,

    /// <summary>Kill the process that waits for a migrating guest: before anything opens the image.</summary>
    KillIncoming = 256,

    /// <summary>Make a process that waits for a migrating guest.</summary>
    StartIncoming = 512,

    /// <summary>The waiting process becomes the guest: on both copies, its CPU runs.</summary>
    TakeOver = 1024,

    /// <summary>Send the guest's memory to where it waits.</summary>
    SendGuest = 2048,

    /// <summary>Make a third copy, and put the guest on all three.</summary>
    AddCopy = 4096,
}

public sealed record Decision(StoredGenerations Next, NodeActs Acts);
