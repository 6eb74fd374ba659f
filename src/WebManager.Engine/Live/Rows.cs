// What lists and pages show: immutable rows, made by the engine, newest by reference.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Live;

/// <summary>A node now. Memory and disk in MiB; Committed* is what its instances are promised (primaries' memory; all copies' disks).</summary>
public sealed record NodeRow(string Name, string Address, NodeHealth Health, bool Drained, HypervisorKind? Hypervisor, string? HypervisorNote, string? Version,
    int Cpus, long MemoryMiB, long DiskMiB, long CommittedMemoryMiB, long CommittedDiskMiB, int Primaries, int Secondaries, DateTimeOffset? LastContact, string? Note)
{
    public string? DrainedWhy { get; init; }

    /// <summary>Since when, by whom and why it is in maintenance, or is just leaving it; null: neither.</summary>
    public NodeMaintenance? Maintenance { get; init; }

    /// <summary>Its agent is being restarted, and may be silent for it; null: it is not.</summary>
    public Plan.AgentRestart? AgentRestart { get; init; }

    /// <summary>Null: not known, or none answers.</summary>
    public KeeperFacts? Keeper { get; init; }

    /// <summary>There is an out-of-band power command for it.</summary>
    public bool CanPowerOff { get; init; }

    /// <summary>What is known against its disks, in a sentence; while there is something nothing new is placed there.</summary>
    public string? DiskFault { get; init; }

    /// <summary>The name of its node group.</summary>
    public string Group { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>A node group now. Nodes: how many are in it.</summary>
public sealed record GroupRow(Guid Id, string Name, bool AutoRecover, int Nodes);

/// <summary>An instance now. Text: one sentence for people when something is not as wanted, with what can be done.</summary>
public sealed record InstanceRow(Guid Id, string Name, string Owner, string Image, int Vcpus, int MemoryMiB, long DiskMiB, DiskTemplate Template,
    string Primary, string? Secondary, AdminState Wanted, InstanceStatus Status, MirrorState Mirror, double? MirrorPercent, string? Ip, string? Mac,
    DateTimeOffset? StartedAt, DateTimeOffset CreatedAt, long? Job, string? Text, long Generation)
{
    /// <summary>Owner is the name that people know, this the key (Keys); empty: nobody's.</summary>
    public string OwnerKey { get; init; } = "";

    /// <summary>Nothing is decided for it until its nodes have answered or a person confirmed (R5).</summary>
    public bool InDoubt { get; init; }
    public bool AutoRecover { get; init; } = true;
    public RecoveryPriority Priority { get; init; }

    /// <summary>Code of why it is not recovered although it could be: recover.frozen, recover.cluster-off, recover.group-off, recover.instance-off, node.no-memory.</summary>
    public string? HeldBack { get; init; }
    public DateTimeOffset? GaveUpAt { get; init; }

    /// <summary>Which of its copies answers with errors, and how.</summary>
    public string? DiskFault { get; init; }

    /// <summary>Its two nodes are in two groups or share a failure domain, with what helps; null: they do not.</summary>
    public string? PairText { get; init; }

    /// <summary>Nodes that may still have a copy from when they were its secondary.</summary>
    public IReadOnlyList<string> OldCopies { get; init; } = [];
    public RecoveryTimeline? LastRecovery { get; init; }

    /// <summary>With the owner's.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Its nodes answer, and have nothing of it.</summary>
    public bool Missing { get; init; }

    /// <summary>While it migrates: how much of its memory was sent, 0 to 100; null: not begun yet, or all of it.</summary>
    public double? MigrationPercent { get; init; }
}

/// <summary>
/// What was found on nodes (FoundInstance) as lists show it. Image, sizes and template are empty while nothing says what it is. OwnerName: whom its
/// tags name; OwnerKey: that user's or group's key here. Why: why it cannot be taken up, with what helps.
/// </summary>
public sealed record FoundRow(Guid Id, string Name, string Image, int Vcpus, int MemoryMiB, long DiskMiB, DiskTemplate? Template, string Primary, string? Secondary, bool Runs)
{
    public string? OwnerName { get; init; }
    public string? OwnerKey { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Every node that has something of it.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];
    public string? Why { get; init; }

    /// <summary>Of FoundInstance: another one, another row.</summary>
    public string Key { get; init; } = "";
}

/// <summary>A job as lists show it. Summary: "instance.create web1".</summary>
public sealed record JobRow(long Id, string Operation, string Summary, JobStatus Status, string By, string Why, DateTimeOffset ReceivedAt, DateTimeOffset? EndedAt,
    string? Step, string? Error, string? Remedy, int LogLines)
{
    public RecoveryTimeline? Recovery { get; init; }

    public JobPriority Priority { get; init; }
    public IReadOnlyList<JobDependency> Depends { get; init; } = [];
    public string? CanceledBy { get; init; }

    /// <summary>Of its present step; null: that is not measured.</summary>
    public JobProgress? Progress { get; init; }

    /// <summary>The account that asked; empty: none did.</summary>
    public string ById { get; init; } = "";
    public IReadOnlyList<string> Subjects { get; init; } = [];
}

/// <summary>A group of people now. Members by name.</summary>
public sealed record UserGroupRow(Guid Id, string Name, bool Project, IReadOnlyList<MemberRow> Members)
{
    public string Key => Keys.Group(Id);
}

public sealed record MemberRow(string User, string Name, QuotaLimits? Limits);

/// <summary>A grant with the names that people know.</summary>
public sealed record GrantRow(string Subject, string SubjectName, string Target, string TargetName, IReadOnlyList<string> Rights);

/// <summary>What an owner holds, what open jobs may still add, and its limits. Own: they are its own and not everybody's.</summary>
public sealed record OwnerRow(string Owner, string Name, Usage Allocated, Usage Running, Usage PendingAllocated, Usage PendingRunning, QuotaLimits Limits, bool Own);

/// <summary>A request with the names that people know. Own: what the owner's limits are now.</summary>
public sealed record UserRequestRow(Guid Id, UserRequestKind Kind, string By, string ByName, string Owner, string OwnerName, string Reason, DateTimeOffset At, UserRequestState State)
{
    public QuotaLimits? Limits { get; init; }
    public string? DecidedBy { get; init; }
    public DateTimeOffset? DecidedAt { get; init; }
    public string? Answer { get; init; }
}

/// <summary>An instance template now. Owner is the name that people know; empty: the cluster's. Stands: its owner may create, so who has the use of it may use it.</summary>
public sealed record TemplateRow(InstanceTemplate Template, string Owner, bool Stands)
{
    public Guid Id => Template.Id;
    public string Name => Template.Name;
    public string OwnerKey => Template.Owner;
    public TemplateParameters Parameters => Template.Parameters;
}

/// <summary>The cluster now. FrozenAt: since then nothing is started elsewhere by itself, FrozenText says why.</summary>
public sealed record ClusterRow(string Name, bool AutoRecover, DateTimeOffset? FrozenAt, string? FrozenText)
{
    /// <summary>A secondary that was lost for so long is replaced by itself; 0: never.</summary>
    public int ReplaceAfterSeconds { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public int MaxRunningJobs { get; init; }
    public int MaxOpenJobs { get; init; }

    /// <summary>No new jobs are accepted.</summary>
    public bool QueueDrained { get; init; }
}

/// <summary>The feeds every face reads. Keys: node name, instance id, job id (open and recent ones), event id (recent ones).</summary>
public sealed class ClusterFeeds
{
    /// <summary>One row, keyed by the cluster's id.</summary>
    public LiveFeed<Guid, ClusterRow> Cluster { get; } = new();
    public LiveFeed<Guid, GroupRow> Groups { get; } = new();
    public LiveFeed<string, NodeRow> Nodes { get; } = new();
    public LiveFeed<Guid, InstanceRow> Instances { get; } = new();
    public LiveFeed<Guid, FoundRow> Found { get; } = new();
    public LiveFeed<long, JobRow> Jobs { get; } = new();
    public LiveFeed<long, ClusterEvent> Events { get; } = new();
    public LiveFeed<Guid, UserGroupRow> UserGroups { get; } = new();

    /// <summary>By Grant.Key.</summary>
    public LiveFeed<string, GrantRow> Grants { get; } = new();

    /// <summary>Owners that hold something or have limits of their own; everybody's limits under OwnerLimits.DefaultOwner.</summary>
    public LiveFeed<string, OwnerRow> Owners { get; } = new();

    public LiveFeed<Guid, UserRequestRow> UserRequests { get; } = new();
    public LiveFeed<Guid, SshKey> SshKeys { get; } = new();
    public LiveFeed<Guid, TemplateRow> Templates { get; } = new();

    /// <summary>Somebody's rights have changed: what was seen may not be any more, and the other way round.</summary>
    public void Recheck()
    {
        Nodes.Recheck();
        Groups.Recheck();
        Instances.Recheck();
        Found.Recheck();
        Jobs.Recheck();
        Events.Recheck();
        UserGroups.Recheck();
        Grants.Recheck();
        Owners.Recheck();
        UserRequests.Recheck();
        Templates.Recheck();
    }

    /// <summary>Log lines of open and recent jobs, keyed by (job, serial).</summary>
    public LiveFeed<(long Job, int Serial), JobLogLine> JobLog { get; } = new();
}
