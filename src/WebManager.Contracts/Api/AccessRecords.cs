// The API's records about groups of people, rights and quotas.
namespace WebManager.Contracts.Api;

/// <summary>MiB. Null: no limit; 0: none.</summary>
public sealed record LimitsView(int? Instances = null, int? Vcpus = null, long? MemoryMiB = null, long? DiskMiB = null);

/// <summary>Allocated counts every instance, running those that are wanted running (without disks).</summary>
public sealed record QuotaLimitsView(LimitsView Allocated, LimitsView Running);

/// <summary>MiB.</summary>
public sealed record UsageView(int Instances, int Vcpus, long MemoryMiB, long DiskMiB);

/// <summary>Project: its members have limits of their own beside the group's.</summary>
public sealed record UserGroupView(Guid Id, string Name, bool Project, IReadOnlyList<MemberView> Members);

public sealed record MemberView(string User, string Name, QuotaLimitsView? Limits);

public sealed record AddUserGroupRequest(string Name)
{
    public bool Project { get; init; }
    public string? Reason { get; init; }
}

public sealed record RenameUserGroupRequest(string NewName)
{
    public string? Reason { get; init; }
}

/// <summary>Limits: in a project, what of its instances may be this member's.</summary>
public sealed record SetMemberRequest
{
    public QuotaLimitsView? Limits { get; init; }
    public string? Reason { get; init; }
}

/// <summary>Subject and Target are keys; the names are what people call them.</summary>
public sealed record GrantView(string Subject, string SubjectName, string Target, string TargetName, IReadOnlyList<string> Rights);

/// <summary>Subject: user:NAME or usergroup:NAME. Target: cluster, instance:NAME or usergroup:NAME. Rights: all from then on; none takes the grant away.</summary>
public sealed record SetGrantRequest(string Subject, string Target, IReadOnlyList<string> Rights)
{
    public string? Reason { get; init; }
}

/// <summary>One line of what somebody may: Through is "user:NAME" for an own grant, "usergroup:NAME" for a group's, "owner" for what comes with owning it.</summary>
public sealed record RightView(string Target, string TargetName, IReadOnlyList<string> Rights, string Through);

/// <summary>Pending: what open jobs may still add. Own: the limits are the owner's and not everybody's.</summary>
public sealed record QuotaView(string Owner, string Name, UsageView Allocated, UsageView Running, UsageView PendingAllocated, UsageView PendingRunning, QuotaLimitsView Limits, bool Own);

public sealed record SetQuotaRequest(QuotaLimitsView Limits)
{
    public string? Reason { get; init; }
}

public sealed record RecountRequest
{
    public bool Repair { get; init; }
    public string? Reason { get; init; }
}

/// <summary>One line of the ledger: the change, and what was held after it. Job 0: by the portal itself.</summary>
public sealed record ChargeView(DateTimeOffset At, string Instance, string Why, long Job, UsageView Allocated, UsageView Running, UsageView AllocatedAfter, UsageView RunningAfter);

/// <summary>Owner: user:NAME, usergroup:NAME or nobody.</summary>
public sealed record ChangeOwnerRequest(string Owner)
{
    /// <summary>Even over the new owner's quota.</summary>
    public bool Force { get; init; }
    public string? Reason { get; init; }
}
