// The agent that the lab's nodes run: a copy in the lab's folder, so that a new build does not change a program under running nodes.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace WebManager.Web.Lab;

internal static class AgentProgram
{
    private const string Name = "WebManager.Agent";

    /// <summary>
    /// Copies what is built, unless that version is there; removes versions that nothing runs. The program's path leads over a name that stays,
    /// so that an agent that is restarted becomes what is installed by then.
    /// </summary>
    public static string Install(string configured, string labFolder, IReadOnlyCollection<LabProcess> running)
    {
        var source = configured.Length > 0 ? Path.GetFullPath(configured) : Built();
        var folder = Path.Combine(labFolder, "programs");
        var (target, current) = (Path.Combine(folder, VersionOf(source)), Path.Combine(folder, "current"));
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.EnumerateDirectories(folder).Where(d => d != target && d != current && !running.Any(p => p.Runs(d))))
            Directory.Delete(old, recursive: true);
        if (!Directory.Exists(target))
        {
            Copy(source, target + ".new");
            Directory.Move(target + ".new", target);
        }
        Lead(current, target);
        return Path.Combine(current, Name);
    }

    /// <summary>At one moment the old, at the next the new one, and never none.</summary>
    private static void Lead(string link, string target)
    {
        if (new DirectoryInfo(link).LinkTarget == target) return;
        File.Delete(link + ".new");
        File.CreateSymbolicLink(link + ".new", target);
        if (rename(link + ".new", link) != 0) throw new IOException($"{link} cannot be made to lead to {target}.");
    }

    [DllImport("libc", SetLastError = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int rename([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);

    /// <summary>Portal and agent are built side by side: bin/WebManager.Web/release and bin/WebManager.Agent/release.</summary>
    private static string Built()
    {
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        var built = Path.GetFullPath(Path.Combine(here, "..", "..", Name, Path.GetFileName(here)));
        return File.Exists(Path.Combine(built, Name)) ? built : throw new FileNotFoundException($"There is no agent in {built}; build {Name}, or set Lab:Agent to its folder.");
    }

    private static string VersionOf(string folder)
    {
        var files = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(f => f.FullName, StringComparer.Ordinal);
        var text = string.Join('\n', files.Select(f => $"{f.FullName} {f.Length} {f.LastWriteTimeUtc.Ticks}"));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        foreach (var folder in Directory.EnumerateDirectories(from)) Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }
}
