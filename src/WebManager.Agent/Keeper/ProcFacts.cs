using System.Globalization;

namespace WebManager.Agent.Keeper;

/// <summary>What /proc says about processes and the machine.</summary>
internal static class ProcFacts
{
    public static Guid BootId() => Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), out var id) ? id : Guid.Empty;

    /// <summary>Clock ticks since boot at which the process began; with the pid it names one process for good. Null: gone, or a zombie, which writes no more.</summary>
    public static long? StartTime(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a child of ours stands still by SIGSTOP. The kernel says so once every thread of it has stopped, and until it is continued.
    /// </summary>
    public static unsafe bool IsStopped(int pid)
    {
        Native.ChildInfo info = default;
        return Native.waitid(Native.WaitPid, (uint)pid, &info, Native.WaitStopped | Native.WaitNoHang | Native.WaitNoReap) == 0 && info.Pid == pid;
    }

    public static bool IsOnPath(string program) => program.Contains('/', StringComparison.Ordinal)
        ? File.Exists(program)
        : (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin:/usr/sbin:/sbin").Split(':').Any(d => File.Exists(Path.Combine(d, program)));
}
