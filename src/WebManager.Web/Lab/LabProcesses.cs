// A node's processes, known by the marker in their environment, and the three things a plug can do to them.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace WebManager.Web.Lab;

/// <param name="Stopped">By SIGSTOP.</param>
/// <param name="Dying">Killed and not gone yet: it does nothing more, but its ports and files are still held.</param>
internal sealed record LabProcess(int Pid, string Node, string Name, string Arguments, bool Stopped, bool Dying)
{
    /// <summary>The file that it runs, whatever name it was started by; empty: not known.</summary>
    public string Program { get; init; } = "";

    public bool Runs(string folder) => Arguments.Contains(folder, StringComparison.Ordinal) || Program.StartsWith(folder + "/", StringComparison.Ordinal);

    public bool IsGuest => Name.StartsWith("qemu", StringComparison.Ordinal);
    public bool IsKeeper => !IsGuest && Arguments.Contains(" keeper ", StringComparison.Ordinal);
    public bool IsAgent => !IsGuest && Arguments.Contains(" run ", StringComparison.Ordinal);
}

internal sealed class LabProcesses(string lab, TimeProvider time)
{
    private const int SigKill = 9, SigTerm = 15, SigCont = 18, SigStop = 19;
    private const int EmptyLooks = 4;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    /// <summary>Guests whose keeper had made them stand still before the node was frozen: they are not ours to let go on.</summary>
    private readonly HashSet<int> _stoodStill = [];

    private readonly byte[] _marker = Encoding.ASCII.GetBytes($"{LabIdentity.Marker}={lab}/");

    /// <summary>All living processes of all the lab's nodes; with a node, of that one.</summary>
    public IReadOnlyList<LabProcess> Find(string? node = null)
    {
        var found = new List<LabProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid)) continue;
            // A dead process, and the kernel's own threads, have an empty environment.
            if (NodeOf(Read($"{folder}/environ")) is not { } of || (node is not null && node != of)) continue;
            if (StateOf(Encoding.UTF8.GetString(Read($"{folder}/stat"))) is not { } stat || stat.State is 'Z' or 'X') continue;
            var arguments = Encoding.UTF8.GetString(Read($"{folder}/cmdline")).Replace('\0', ' ');
            found.Add(new LabProcess(pid, of, stat.Name, arguments, stat.State is 'T', IsDying(folder)) { Program = ProgramOf(folder) });
        }
        return found;
    }

    /// <summary>
    /// Everything of the nodes at once: those that could react first, in one loop without anything between; then what was born meanwhile.
    /// A look at /proc can miss a process that is just being made, so nothing has to be found several times in a row.
    /// </summary>
    public async Task KillAsync(Func<LabProcess, bool> which, CancellationToken ct)
    {
        var killed = new HashSet<int>();
        var emptyLooks = 0;
        await UntilAsync(() =>
        {
            var left = Find().Where(which).OrderBy(p => p.IsGuest).ToList();
            foreach (var process in left) _ = kill(process.Pid, SigKill);
            killed.UnionWith(left.Select(p => p.Pid));
            emptyLooks = left.Count == 0 ? emptyLooks + 1 : 0;
            // Dying processes still hold their ports and files until they are quite gone.
            return emptyLooks >= EmptyLooks && killed.All(IsGone);
        }, ct);
    }

    public Task KillAsync(string node, CancellationToken ct) => KillAsync(p => p.Node == node, ct);

    /// <summary>What lives on the node once those that somebody has just killed are quite gone.</summary>
    public async Task<IReadOnlyList<LabProcess>> LivingAsync(string node, CancellationToken ct)
    {
        IReadOnlyList<LabProcess> found = [];
        await UntilAsync(() => (found = Find(node)).All(p => !p.Dying), ct);
        return found;
    }

    /// <summary>Stops every process of the node where it stands. The keeper first: it must not see its guests stand still.</summary>
    public Task FreezeAsync(string node, CancellationToken ct)
    {
        var all = Find(node);
        if (!IsFrozen(all)) lock (_stoodStill) { _stoodStill.UnionWith(all.Where(p => p is { IsGuest: true, Stopped: true }).Select(p => p.Pid)); }
        return UntilAsync(() =>
        {
            var moving = Find(node).Where(p => !p.Stopped).OrderBy(p => !p.IsKeeper).ThenBy(p => p.IsGuest).ToList();
            foreach (var process in moving) _ = kill(process.Pid, SigStop);
            return moving.Count == 0;
        }, ct);
    }

    /// <summary>
    /// Lets it go on. The keeper first: it is to judge its guests' leases before they write. On a node that is not frozen it is the keeper that
    /// makes a guest stand still, for want of a lease.
    /// </summary>
    public async Task ThawAsync(string node, CancellationToken ct)
    {
        if (!IsFrozen(Find(node))) return;
        await UntilAsync(() =>
        {
            var still = Find(node).Where(p => p.Stopped && !StoodStill(p)).OrderBy(p => !p.IsKeeper).ThenBy(p => p.IsGuest).ToList();
            foreach (var process in still) _ = kill(process.Pid, SigCont);
            return still.Count == 0;
        }, ct);
        lock (_stoodStill) { _stoodStill.ExceptWith(Find(node).Select(p => p.Pid)); }
    }

    private bool StoodStill(LabProcess process)
    {
        lock (_stoodStill) { return process.IsGuest && _stoodStill.Contains(process.Pid); }
    }

    /// <summary>Its agent or keeper is stopped, or there is none that could have paused the guests.</summary>
    private static bool IsFrozen(IReadOnlyList<LabProcess> processes) => processes.Any(p => p is { Stopped: true, IsGuest: false }) || processes.All(p => p.IsGuest);

    /// <summary>Asks; whoever does not hear is left as it is.</summary>
    public async Task AskToEndAsync(Func<LabProcess, bool> which, TimeSpan limit, CancellationToken ct)
    {
        foreach (var process in Find().Where(which)) _ = kill(process.Pid, SigTerm);
        var began = time.GetTimestamp();
        while (Find().Any(which) && time.GetElapsedTime(began) < limit) await Task.Delay(s_look, time, ct);
    }

    private async Task UntilAsync(Func<bool> done, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (!done())
        {
            if (time.GetElapsedTime(began) > s_limit) throw new TimeoutException("Some of the node's processes do not obey the kernel; they hang in a disk or in a debugger.");
            await Task.Delay(s_look, time, ct);
        }
    }

    private string? NodeOf(ReadOnlySpan<byte> environment)
    {
        var at = environment.IndexOf(_marker);
        if (at < 0 || (at > 0 && environment[at - 1] != 0)) return null;
        var rest = environment[(at + _marker.Length)..];
        var end = rest.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? rest : rest[..end]);
    }

    /// <summary>SIGKILL waits to be taken, by any thread or all of them, or the exit has begun (PF_EXITING in the flags of /proc/PID/stat).</summary>
    private static bool IsDying(string folder)
    {
        const long KillBit = 1L << (SigKill - 1);
        const long Exiting = 0x4;
        var pending = Encoding.UTF8.GetString(Read($"{folder}/status")).Split('\n')
            .Where(l => l.StartsWith("SigPnd:", StringComparison.Ordinal) || l.StartsWith("ShdPnd:", StringComparison.Ordinal))
            .Any(l => long.TryParse(l.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var set) && (set & KillBit) != 0);
        if (pending) return true;
        var stat = Encoding.UTF8.GetString(Read($"{folder}/stat"));
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length < 7 || (long.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var flags) && (flags & Exiting) != 0);
    }

    private static string ProgramOf(string folder)
    {
        try { return new FileInfo($"{folder}/exe").LinkTarget ?? ""; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return ""; }
    }

    private static bool IsGone(int pid) => StateOf(Encoding.UTF8.GetString(Read($"/proc/{pid}/stat"))) is null or { State: 'Z' or 'X' };

    /// <summary>"123 (name) S ...": the name may hold anything, parentheses too.</summary>
    private static (string Name, char State)? StateOf(string stat)
    {
        var (open, close) = (stat.IndexOf('(', StringComparison.Ordinal), stat.LastIndexOf(')'));
        return open < 0 || close + 2 >= stat.Length ? null : (stat[(open + 1)..close], stat[close + 2]);
    }

    private static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // It ended meanwhile, or belongs to somebody else.
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int kill(int pid, int signal);
}
