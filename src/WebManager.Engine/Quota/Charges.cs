// What instances and accepted jobs cost their owners, and whether more fits. Pure.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Quota;

/// <summary>Allocated and running amounts together.</summary>
public readonly record struct Cost(Usage Allocated, Usage Running)
{
    public static Cost operator +(Cost a, Cost b) => new(a.Allocated + b.Allocated, a.Running + b.Running);
    public static Cost operator -(Cost a, Cost b) => new(a.Allocated - b.Allocated, a.Running - b.Running);
    public Cost Above(Cost other) => new(Allocated.Above(other.Allocated), Running.Above(other.Running));
}

public static class Charges
{
    public static Cost Of(Instance i) => Of(i.Vcpus, i.MemoryMiB, i.DiskMiB, i.Wanted == AdminState.Up);

    public static Cost Of(int vcpus, long memoryMiB, long diskMiB, bool running)
    {
        var allocated = new Usage(1, vcpus, memoryMiB, diskMiB);
        return new Cost(allocated, running ? allocated with { DiskMiB = 0 } : default);
    }

    /// <summary>What the open jobs may still come to hold for the owner (or for one member of it). Except: a job that is asked about itself.</summary>
    public static Cost Pending(Picture now, string owner, string? member = null, long except = 0)
    {
        var sum = default(Cost);
        foreach (var job in now.OpenReservations)
        {
            if (job.Id == except || job.Reserved is not { } r || r.Owner != owner || (member is not null && r.Member != member)) { continue; }
            sum += new Cost(r.Allocated, r.Running).Above(Held(job.Request, owner, now));
        }
        return sum;
    }

    private static Cost Held(OperationRequest request, string owner, Picture now) =>
        request is InstanceRequest r && now.Find(r.Instance) is { } i && i.Owner == owner ? Of(i) : default;

    public static Cost HeldBy(Picture now, string owner) => now.Holdings.TryGetValue(owner, out var h) ? new Cost(h.Allocated, h.Running) : default;

    /// <summary>Of a project's instances those that this member made.</summary>
    public static Cost HeldBy(Picture now, string owner, string member) =>
        now.Instances.Values.Where(i => i.Owner == owner && i.MadeBy == member).Aggregate(default(Cost), (sum, i) => sum + Of(i));

    /// <summary>The owner's own limits, otherwise everybody's.</summary>
    public static QuotaLimits LimitsOf(Picture now, string owner) =>
        now.Quotas.TryGetValue(owner, out var own) ? own.Limits : now.Quotas.TryGetValue(OwnerLimits.DefaultOwner, out var all) ? all.Limits : QuotaLimits.None;

    /// <summary>Null: it fits, for the owner and, in a project, for the member.</summary>
    public static Refusal? Refuses(OperationRequest request, Reservation wanted, Picture now)
    {
        if (wanted.Owner.Length == 0) { return null; }
        var more = new Cost(wanted.Allocated, wanted.Running) - Held(request, wanted.Owner, now);
        var used = HeldBy(now, wanted.Owner) + Pending(now, wanted.Owner);
        if (Exceeds(used, more, LimitsOf(now, wanted.Owner), "") is { } refusal) { return refusal; }
        if (wanted.Member is not { } member || now.FindUserGroup(wanted.Owner)?.Find(member)?.Limits is not { } limits) { return null; }
        return Exceeds(HeldBy(now, wanted.Owner, member) + Pending(now, wanted.Owner, member), more, limits, " of a member");
    }

    private static Refusal? Exceeds(Cost used, Cost more, QuotaLimits limits, string whose) =>
        Exceeds(used.Allocated, more.Allocated, limits.Allocated, "allocated", whose) ?? Exceeds(used.Running, more.Running, limits.Running, "running", whose);

    /// <summary>Only what grows is measured: who is over a lowered limit may still shrink.</summary>
    private static Refusal? Exceeds(Usage used, Usage more, Limits limits, string kind, string whose) =>
        Exceeds("instances", "instance", "", used.Instances, more.Instances, limits.Instances, kind, whose)
        ?? Exceeds("virtual CPUs", "vcpus", "", used.Vcpus, more.Vcpus, limits.Vcpus, kind, whose)
        ?? Exceeds("memory", "memoryMiB", " MiB", used.MemoryMiB, more.MemoryMiB, limits.MemoryMiB, kind, whose)
        ?? Exceeds("disk", "disksMiB", " MiB", used.DiskMiB, more.DiskMiB, limits.DiskMiB, kind, whose);

    private static Refusal? Exceeds(string resource, string field, string unit, long used, long more, long? limit, string kind, string whose) =>
        limit is not { } most || more <= 0 || used + more <= most ? null
            : new Refusal("quota.exceeded", $"The quota{whose} for {kind} {resource} is {most}{unit}; {used}{unit} are in use or reserved, {more}{unit} more are asked for.",
                "Ask for less, free something, or request a higher quota.") { Field = field };
}
