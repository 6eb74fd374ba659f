// What owners hold of the cluster, and how much they may.
namespace WebManager.Engine.Model;

/// <summary>An amount of everything that is counted; memory and disk in MiB. A mirrored disk counts once.</summary>
public readonly record struct Usage(int Instances, int Vcpus, long MemoryMiB, long DiskMiB)
{
    public static Usage operator +(Usage a, Usage b) => new(a.Instances + b.Instances, a.Vcpus + b.Vcpus, a.MemoryMiB + b.MemoryMiB, a.DiskMiB + b.DiskMiB);
    public static Usage operator -(Usage a, Usage b) => new(a.Instances - b.Instances, a.Vcpus - b.Vcpus, a.MemoryMiB - b.MemoryMiB, a.DiskMiB - b.DiskMiB);

    /// <summary>Never below nothing.</summary>
    public Usage Above(Usage other) => new(Math.Max(0, Instances - other.Instances), Math.Max(0, Vcpus - other.Vcpus), Math.Max(0, MemoryMiB - other.MemoryMiB), Math.Max(0, DiskMiB - other.DiskMiB));
}

/// <summary>Null: no limit. 0: none.</summary>
public sealed record Limits(int? Instances, int? Vcpus, long? MemoryMiB, long? DiskMiB)
{
    public static readonly Limits None = new(null, null, null, null);
}

/// <summary>Allocated: of all instances, running or not. Running: of those that are wanted running; their disks are allocated either way.</summary>
public sealed record QuotaLimits(Limits Allocated, Limits Running)
{
    public static readonly QuotaLimits None = new(Limits.None, Limits.None);
}

/// <summary>The limits of one owner, or of every owner that has none of its own (DefaultOwner).</summary>
public sealed record OwnerLimits(string Owner, QuotaLimits Limits, long Revision)
{
    public const string DefaultOwner = "default";
}

/// <summary>What an owner holds: what the instances say that are its, kept as a row of its own so that the two can be compared.</summary>
public sealed record Holding(string Owner, Usage Allocated, Usage Running, long Revision);

/// <summary>
/// What an accepted job may come to hold: Instance's amounts when it has succeeded. While the job is open, what is above what the instance holds
/// by then counts as its owner's; so nothing has to be given back, whatever becomes of the job.
/// </summary>
public sealed record Reservation(string Owner, Usage Allocated, Usage Running)
{
    /// <summary>The member of a project who is charged; null: the owner is none.</summary>
    public string? Member { get; init; }
}

/// <summary>One line of the ledger. Change and after; Job 0: by the engine itself.</summary>
public sealed record Charge(DateTimeOffset At, string Owner, string Instance, string Why, long Job, Usage Allocated, Usage Running, Usage AllocatedAfter, Usage RunningAfter);
