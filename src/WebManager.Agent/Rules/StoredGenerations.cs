using WebManager.Contracts;

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

    /// <summary>Newest generation whose export was ever opened here; never opened again (R1).</summary>
    public long ExportOpened { get; init; }

    /// <summary>Newest generation a guest ever ran under here, by a start or by adoption; none is started under it again (H3).</summary>
    public long Started { get; init; }

    /// <summary>The generation for which challenges are not answered (R4).</summary>
    public long StoodDown { get; init; }

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
}

/// <summary>What the caller does after Next is durable, in the order of the values.</summary>
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
}

public sealed record Decision(StoredGenerations Next, NodeActs Acts);
