// What the database keeps about the cluster itself and its nodes.
using WebManager.Contracts.Agent;

namespace WebManager.Engine.Model;

/// <summary>The cluster's own row. Epoch grows by one with every start of an engine on this database (R5).</summary>
/// <param name="Subnet">Addresses for instances in CIDR form (10.77.1.0/24); null: user-mode networking, no addresses.</param>
/// <param name="FirstHost">First host number that instances get.</param>
public sealed record Cluster(Guid Id, string Name, long Epoch, DateTimeOffset CreatedAt, long Revision)
{
    public string? Subnet { get; init; }
    public string? Gateway { get; init; }
    public int FirstHost { get; init; } = 100;

    /// <summary>This run of the engine: random, so that two engines that came to one epoch are told apart (R5).</summary>
    public string Tag { get; init; } = "";

    /// <summary>Grows with every commit that changes an instance; every beat tells it, every agent keeps it (R5).</summary>
    public long Decisions { get; init; }

    /// <summary>
    /// The earlier runs that this database has all of, up to their last decision, and those of other histories that it has reckoned with.
    /// A node that obeyed anything else shows that this database is not the newest.
    /// </summary>
    public IReadOnlyList<EngineRun> Runs { get; init; } = [];

    /// <summary>Nothing is started elsewhere by itself, whatever the instances say.</summary>
    public bool RecoveryOff { get; init; }

    /// <summary>Half or more of the nodes were lost at once: nothing is started elsewhere until an administrator releases it.</summary>
    public DateTimeOffset? FrozenAt { get; init; }
    public string? FrozenText { get; init; }

    /// <summary>A secondary that was lost or offline for so long is replaced by itself; 0: never.</summary>
    public int ReplaceAfterSeconds { get; init; } = DefaultReplaceAfterSeconds;

    public const int DefaultReplaceAfterSeconds = 600;

    /// <summary>Jobs that run at one time; recovery and what only waits for other jobs does not count.</summary>
    public int MaxRunningJobs { get; init; } = DefaultRunningJobs;

    /// <summary>Jobs that have not ended; with so many no more are accepted.</summary>
    public int MaxOpenJobs { get; init; } = DefaultOpenJobs;

    /// <summary>No new jobs are accepted, except the watcher's.</summary>
    public bool QueueDrained { get; init; }

    public const int DefaultRunningJobs = 25, DefaultOpenJobs = 5000;

    /// <summary>htools:nlocation:PREFIX makes each node tag PREFIX:VALUE the name of a failure domain (Locations).</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>
/// The lease on this database: one row, one holder (R5). Revision grows with each renewal. Place is where the database lay when the holder
/// began; a database found somewhere else was moved, copied or restored.
/// </summary>
public sealed record EngineLease(int Id, Guid Holder, long Revision, bool Released, string Place)
{
    /// <summary>The one row's key.</summary>
    public const int Row = 1;

    /// <summary>The place written into a backup: no database lies there.</summary>
    public const string InBackup = "backup";
}

/// <summary>A node as stored. Capacity is what the agent stated when it last said hello; MiB.</summary>
public sealed record Node(string Name, string Address, DateTimeOffset JoinedAt, long Revision)
{
    public bool Offline { get; init; }
    public bool Drained { get; init; }

    /// <summary>Why the engine drained it by itself; null when a person did.</summary>
    public string? DrainedWhy { get; init; }

    /// <summary>Set aside for a while by a person; null: it is not.</summary>
    public NodeMaintenance? Maintenance { get; init; }
    public int Cpus { get; init; }
    public long MemoryMiB { get; init; }
    public long DiskMiB { get; init; }

    /// <summary>Its node group's id.</summary>
    public Guid Group { get; init; } = NodeGroup.FirstId;
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>
/// A node's maintenance: nothing new is placed there, what ran there has moved away, and its silence is no fault. Return: what moved away comes
/// back afterwards. Rebuild: while the node is silent its copies are made anew elsewhere at once, rather than after ReplaceAfterSeconds.
/// </summary>
public sealed record NodeMaintenance(string By, DateTimeOffset Since, string Why, bool Return, bool Rebuild)
{
    /// <summary>The instances whose primary it was, which come back with Return. Written before the first of them moves.</summary>
    public IReadOnlyList<Guid> Homes { get; init; } = [];

    /// <summary>It is over, the node is one like any other again; kept until the last instance has come back.</summary>
    public bool Ending { get; init; }
}

/// <summary>How the engine sees a node now (DESIGN 7). joining: no beat answered yet since the engine started.</summary>
public enum NodeHealth { Joining, Online, Suspect, Lost, Offline }
