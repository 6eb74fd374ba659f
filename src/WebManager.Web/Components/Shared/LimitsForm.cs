// Limits as they are typed: nothing for no limit, 0 for none.
using System.Globalization;
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

public sealed class LimitsForm
{
    public string Instances { get; set; } = "";
    public string Vcpus { get; set; } = "";
    public string Memory { get; set; } = "";
    public string Disk { get; set; } = "";
    public string RunningInstances { get; set; } = "";
    public string RunningVcpus { get; set; } = "";
    public string RunningMemory { get; set; } = "";

    public static LimitsForm Of(QuotaLimits? limits) => limits is not { } l ? new() : new()
    {
        Instances = Typed(l.Allocated.Instances), Vcpus = Typed(l.Allocated.Vcpus), Memory = TypedSize(l.Allocated.MemoryMiB), Disk = TypedSize(l.Allocated.DiskMiB),
        RunningInstances = Typed(l.Running.Instances), RunningVcpus = Typed(l.Running.Vcpus), RunningMemory = TypedSize(l.Running.MemoryMiB),
    };

    /// <summary>The limits, or per field what is wrong with how it is written.</summary>
    public (QuotaLimits? Limits, Dictionary<string, string> Errors) Read()
    {
        var errors = new Dictionary<string, string>();
        int? Count(string typed, string field)
        {
            if (typed.Trim().Length == 0) { return null; }
            if (int.TryParse(typed.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var n)) { return n; }
            errors[field] = "A whole number from 0, or nothing for no limit.";
            return null;
        }
        long? Amount(string typed, string field)
        {
            if (typed.Trim() is { Length: 0 }) { return null; }
            if (typed.Trim() == "0") { return 0; }
            if (Sizes.Parse(typed) is { } mib) { return mib; }
            errors[field] = "A size like 512M, 10G or 1T, 0 for none, or nothing for no limit.";
            return null;
        }
        var limits = new QuotaLimits(
            new Limits(Count(Instances, "instances"), Count(Vcpus, "vcpus"), Amount(Memory, "memory"), Amount(Disk, "disk")),
            new Limits(Count(RunningInstances, "runningInstances"), Count(RunningVcpus, "runningVcpus"), Amount(RunningMemory, "runningMemory"), null));
        return (errors.Count == 0 ? limits : null, errors);
    }

    private static string Typed(int? n) => n?.ToString(CultureInfo.InvariantCulture) ?? "";
    private static string TypedSize(long? mib) => mib is { } size ? Sizes.Typed(size) : "";
}
