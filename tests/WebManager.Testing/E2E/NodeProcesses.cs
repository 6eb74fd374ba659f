// The real processes of a lab's nodes, known by the marker in their environment; tests look at them behind the portal's back.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace WebManager.Testing.E2E;

public sealed record NodeProcess(int Pid, string Node, string Name, string Arguments)
{
    public bool IsGuest => Name.StartsWith("qemu-system", StringComparison.Ordinal);
    public bool IsExport => Name.StartsWith("qemu-storage", StringComparison.Ordinal) || Name.StartsWith("qemu-nbd", StringComparison.Ordinal);
    public bool IsKeeper => !IsGuest && !IsExport && Arguments.Contains(" keeper ", StringComparison.Ordinal);
    public bool IsAgent => !IsGuest && !IsExport && Arguments.Contains(" run ", StringComparison.Ordinal);
    public bool Of(Guid instance) => Arguments.Contains(instance.ToString(), StringComparison.Ordinal);
}

public sealed class NodeProcesses(string labFolder)
{
    private const int SigKill = 9;

    // include/linux/sched.h
    private const uint FlagExiting = 0x4, FlagSignaled = 0x400;
    private const long TicksPerSecond = 100;

    /// <summary>lab.json's id; null before the lab was opened once.</summary>
    public string? LabId
    {
        get
        {
            var file = Path.Combine(labFolder, "lab.json");
            if (!File.Exists(file)) return null;
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            return json.RootElement.EnumerateObject().First(p => p.Name.Equals("id", StringComparison.OrdinalIgnoreCase)).Value.GetString();
        }
    }

    public IReadOnlyList<NodeProcess> All(string? node = null)
    {
        if (LabId is not { } id) return [];
        var marker = Encoding.ASCII.GetBytes($"WEBMANAGER_LAB_NODE={id}/");
        var found = new List<NodeProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid) || NodeOf(Read($"{folder}/environ"), marker) is not { } of) continue;
            if ((node is not null && node != of) || !Lives(pid)) continue;
            found.Add(new NodeProcess(pid, of, NameOf(pid), Encoding.UTF8.GetString(Read($"{folder}/cmdline")).Replace('\0', ' ')));
        }
        return found;
    }

    public IReadOnlyList<NodeProcess> Guests(Guid instance) => [.. All().Where(p => p.IsGuest && p.Of(instance))];

    /// <summary>The one process of that guest; null when there is none. Two are always a failure.</summary>
    public NodeProcess? Guest(Guid instance) => Guests(instance) switch
    {
        [] => null,
        [var one] => one,
        // What stands still for want of a lease counts only when there is nothing else.
        var more when more.Where(p => !Rests(p.Pid)).ToList() is [var one] => one,
        var more => throw new InvalidOperationException($"Instance {instance} runs {more.Count} times: {string.Join("; ", more)}"),
    };

    public static void Kill(int pid) => _ = kill(pid, SigKill);

    public static bool Lives(int pid)
    {
        var stat = Encoding.UTF8.GetString(Read($"/proc/{pid}/stat"));
        var close = stat.LastIndexOf(')');
        return close > 0 && close + 2 < stat.Length && stat[close + 2] is not ('Z' or 'X');
    }

    /// <summary>It executes nothing: dead, dying, or every thread of it stopped (by its keeper, without a lease).</summary>
    public static bool Rests(int pid)
    {
        if (!Lives(pid)) return true;
        try
        {
            return Directory.EnumerateDirectories($"/proc/{pid}/task").All(ThreadRests);
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>
    /// A stopped thread that is killed is runnable again, but only in the kernel, until all its memory is freed. The looks in this order: the
    /// pending signal goes once the thread is marked as ending.
    /// </summary>
    private static bool ThreadRests(string task) => Stat(task) is not { Stopped: false, Ending: false } || KillPends(task) || Stat(task) is not { Ending: false };

    private static (bool Stopped, bool Ending)? Stat(string task)
    {
        var stat = Encoding.UTF8.GetString(Read($"{task}/stat"));
        if (stat.Length == 0) return null;
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (fields[0] is "T" or "Z" or "X", (uint.Parse(fields[6], CultureInfo.InvariantCulture) & (FlagExiting | FlagSignaled)) != 0);
    }

    private static bool KillPends(string task) => Encoding.UTF8.GetString(Read($"{task}/status")).Split('\n').FirstOrDefault(l => l.StartsWith("SigPnd:", StringComparison.Ordinal)) is { } pending
        && (ulong.Parse(pending["SigPnd:".Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (SigKill - 1))) != 0;

    /// <summary>When the process began, on the clock of SinceBoot; 10 ms steps, rounded down.</summary>
    public static TimeSpan StartOf(int pid)
    {
        var stat = Encoding.UTF8.GetString(Read($"/proc/{pid}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((double)long.Parse(fields[19], CultureInfo.InvariantCulture) / TicksPerSecond);
    }

    /// <summary>CLOCK_BOOTTIME, which /proc's start times count on.</summary>
    public static TimeSpan SinceBoot()
    {
        const int BootTime = 7;
        return clock_gettime(BootTime, out var now) == 0 ? TimeSpan.FromSeconds(now.Seconds) + TimeSpan.FromMicroseconds(now.Nanoseconds / 1000) : throw new InvalidOperationException("clock_gettime");
    }

    /// <summary>Completes when the process is dead: when that was seen (a few ms after it was).</summary>
    public static Task<TimeSpan> GoneAsync(int pid, TimeSpan limit) => SeenAsync(() => !Lives(pid), $"Process {pid} still lives", limit);

    /// <summary>The same for one that is dead or stands still.</summary>
    public static Task<TimeSpan> RestsAsync(int pid, TimeSpan limit) => SeenAsync(() => Rests(pid), $"Process {pid} still runs", limit);

    private static Task<TimeSpan> SeenAsync(Func<bool> what, string otherwise, TimeSpan limit) => Task.Run(async () =>
    {
        var begun = SinceBoot();
        while (!what())
        {
            if (SinceBoot() - begun > limit) throw new TimeoutException($"{otherwise} after {limit.TotalSeconds} s.");
            await Task.Delay(2);
        }
        return SinceBoot();
    });

    private static string NameOf(int pid) => Encoding.UTF8.GetString(Read($"/proc/{pid}/comm")).Trim();

    private static string? NodeOf(ReadOnlySpan<byte> environment, byte[] marker)
    {
        var at = environment.IndexOf(marker);
        if (at < 0) return null;
        var rest = environment[(at + marker.Length)..];
        var end = rest.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]);
    }

    private static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int kill(int pid, int signal);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int clock_gettime(int clock, out TimeSpec time);
}
