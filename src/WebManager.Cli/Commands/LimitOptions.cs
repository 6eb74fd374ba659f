// The options that mean limits, and limits as words: for quotas and for members of projects.
using System.CommandLine;
using System.Globalization;
using WebManager.Contracts.Api;

namespace WebManager.Cli.Commands;

internal sealed class LimitOptions
{
    private readonly Option<int?> _instances = Count("--instances", "How many instances, running or not."), _vcpus = Count("--vcpus", "How many virtual processors.");
    private readonly Option<long?> _memory = Parts.SizeOrNone("--memory", "How much memory."), _disk = Parts.SizeOrNone("--disk", "How much disk; a mirrored disk counts once.");
    private readonly Option<int?> _runningInstances = Count("--running-instances", "How many instances may run at a time."), _runningVcpus = Count("--running-vcpus", "How many virtual processors of those that run.");
    private readonly Option<long?> _runningMemory = Parts.SizeOrNone("--running-memory", "How much memory of those that run.");

    public Symbol[] All => [_instances, _vcpus, _memory, _disk, _runningInstances, _runningVcpus, _runningMemory];

    /// <summary>Null: none was given. What is not given has no limit.</summary>
    public QuotaLimitsView? Read(Invocation run)
    {
        var allocated = new LimitsView(run.Get(_instances), run.Get(_vcpus), run.Get(_memory), run.Get(_disk));
        var running = new LimitsView(run.Get(_runningInstances), run.Get(_runningVcpus), run.Get(_runningMemory), null);
        var none = new LimitsView(null, null, null, null);
        return (allocated, running) == (none, none) ? null : new QuotaLimitsView(allocated, running);
    }

    public static string Words(QuotaLimitsView l) => Words(l.Allocated) + (Words(l.Running) is var running and not "no limit" ? $"; running {running}" : "");

    private static string Words(LimitsView l)
    {
        var words = new[] { Word("instances", Number(l.Instances)), Word("vcpus", Number(l.Vcpus)), Word("memory", Size(l.MemoryMiB)), Word("disk", Size(l.DiskMiB)) }.OfType<string>().ToList();
        return words.Count == 0 ? "no limit" : string.Join(", ", words);
    }

    public static string? Number(int? n) => n?.ToString(CultureInfo.InvariantCulture);
    public static string? Size(long? mib) => mib switch { null => null, 0 => "0", { } m => Sizes.Format(m) };

    private static string? Word(string what, string? limit) => limit is null ? null : $"{what} {limit}";
    private static Option<int?> Count(string name, string help) => Parts.Int(name, help, "N", 0, 1_000_000);
}
