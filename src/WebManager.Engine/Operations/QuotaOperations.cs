// Limits, and the count of what is held.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

internal static class QuotaRules
{
    public static Refusal? Sane(QuotaLimits? limits) => limits is null ? null : Sane(limits.Allocated, "allocated") ?? Sane(limits.Running, "running");

    private static Refusal? Sane(Limits l, string field) =>
        new[] { l.Instances, l.Vcpus, l.MemoryMiB, l.DiskMiB }.Any(v => v is < 0 or > Rules.MaxDiskMiB * 1024)
            ? new Refusal("quota.invalid", "A limit is a number from 0 (none) on.", "Leave it empty for no limit.") { Field = field } : null;
}

internal sealed class SetQuotaOperation : InstantOperation<SetQuota>
{
    public override Right Right => Right.Administrator;

    public override Refusal? Check(SetQuota request, Picture now, EngineParts parts) =>
        QuotaRules.Sane(request.Limits)
        ?? (request.Limits is { Running.DiskMiB: not null } ? new Refusal("quota.disk-not-running", "Disks are allocated whether the instance runs or not.", "Limit the allocated disk.") { Field = "running" } : null)
        ?? (request.Owner == OwnerLimits.DefaultOwner ? null : Subjects.Known(request.Owner, "owner", now, parts));

    public override void Change(SetQuota request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var whose = request.Owner == OwnerLimits.DefaultOwner ? "everybody without limits of their own" : Subjects.Name(request.Owner, now, parts);
        changes.Text = $"Quota of {whose}: {(request.Limits is null ? "as everybody's" : Words(request.Limits))}.";
        if (request.Limits is { } limits) { changes.Raw.Quotas.Add(new OwnerLimits(request.Owner, limits, (now.Quotas.GetValueOrDefault(request.Owner)?.Revision ?? 0) + 1)); }
        else { changes.Raw.QuotasRemoved.Add(request.Owner); }
    }

    private static string Words(QuotaLimits l) => $"allocated {Words(l.Allocated)}; running {Words(l.Running)}";

    private static string Words(Limits l) =>
        l == Limits.None ? "without limit" : string.Join(", ", new[] { Word("instances", l.Instances), Word("vcpus", l.Vcpus), Word("memory", l.MemoryMiB, " MiB"), Word("disk", l.DiskMiB, " MiB") }.OfType<string>());

    private static string? Word(string what, long? limit, string unit = "") => limit is { } most ? $"{what} {most}{unit}" : null;
}

internal sealed class RecountQuotaOperation : InstantOperation<RecountQuota>
{
    public override Right Right => Right.Administrator;
    public override Refusal? Check(RecountQuota request, Picture now, EngineParts parts) => null;

    public override void Change(RecountQuota request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var wrong = Ledger.Differences(now);
        changes.Text = wrong.Count == 0 ? $"{now.Holdings.Count} owner(s) counted: no difference."
            : $"{wrong.Count} owner(s) differ{(request.Repair ? " and were set right" : "")}: " + string.Join("; ", wrong.Take(20).Select(w => $"{Subjects.Name(w.Owner, now, parts)} held {Words(w.Held)}, counted {Words(w.Counted)}")) + ".";
        if (request.Repair) { Ledger.Repair(now, changes.Raw, parts.Clock.GetUtcNow(), request.Name, now.LastJobId + 1); }
    }

    private static string Words(Cost c) => $"{c.Allocated.Instances}/{c.Allocated.Vcpus}/{c.Allocated.MemoryMiB}/{c.Allocated.DiskMiB} (running {c.Running.Instances}/{c.Running.Vcpus}/{c.Running.MemoryMiB})";
}
