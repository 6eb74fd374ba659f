// Leaves nothing behind: the lab's processes, namespaces, bridge and folder; also those of a test run that was itself killed.
using System.Diagnostics;
using System.Globalization;

namespace WebManager.Testing.E2E;

internal static class LabCleaner
{
    private const string Prefix = "wm-e2e-";
    private const string OwnerFile = "test-owner.pid";
    private static readonly string s_temp = Path.GetTempPath();

    /// <summary>WEBMANAGER_E2E_KEEP=1 keeps the folders until the next run, for looking at logs and the database.</summary>
    private static readonly bool s_keep = Environment.GetEnvironmentVariable("WEBMANAGER_E2E_KEEP") == "1";

    static LabCleaner() => AppDomain.CurrentDomain.ProcessExit += (_, _) => CleanWhere(owner => owner == Environment.ProcessId);

    public static string NewFolder()
    {
        var folder = Directory.CreateTempSubdirectory(Prefix).FullName;
        File.WriteAllText(Path.Combine(folder, OwnerFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return folder;
    }

    public static void CleanUpAfterOthers() => CleanWhere(owner => owner != Environment.ProcessId && !Directory.Exists($"/proc/{owner}"));

    private static void CleanWhere(Func<int, bool> ownedBy)
    {
        foreach (var folder in Directory.EnumerateDirectories(s_temp, Prefix + "*"))
        {
            var file = Path.Combine(folder, OwnerFile);
            if (File.Exists(file) && int.TryParse(File.ReadAllText(file), out var owner) && ownedBy(owner)) Clean(folder, keepFolder: s_keep && owner == Environment.ProcessId);
        }
    }

    public static void Clean(string data) => Clean(data, s_keep);

    private static void Clean(string data, bool keepFolder)
    {
        var nodes = new NodeProcesses(Path.Combine(data, "lab"));
        KillPortal(data);
        // Until none is left: a keeper's child may be born while we look.
        for (var turn = 0; turn < 50 && nodes.All() is { Count: > 0 } left; turn++)
            foreach (var process in left.OrderBy(p => p.IsGuest)) NodeProcesses.Kill(process.Pid);
        if (nodes.LabId is { } id) RemoveWires(id);
        if (!keepFolder && Directory.Exists(data)) TryDelete(data);
    }

    /// <summary>A portal whose test was killed still holds its lock file's folder as WEBMANAGER_DATA.</summary>
    private static void KillPortal(string data)
    {
        foreach (var process in Process.GetProcessesByName("WebManager.Web"))
        {
            using (process)
            {
                var environment = $"/proc/{process.Id}/environ";
                try
                {
                    if (File.ReadAllText(environment).Split('\0').Contains($"WEBMANAGER_DATA={data}")) process.Kill();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException) { }
            }
        }
    }

    private static void RemoveWires(string id)
    {
        for (var node = 1; node <= 9; node++)
        {
            if (Directory.Exists($"/sys/class/net/wm{id}n{node}")) Ip("link", "del", "dev", $"wm{id}n{node}");
            if (File.Exists($"/run/netns/wm{id}n{node}")) Ip("netns", "del", $"wm{id}n{node}");
        }
        if (!Directory.Exists($"/sys/class/net/wm{id}")) return;
        Ip("link", "del", "dev", $"wm{id}");
        // The cuts; made anew in the same breath, so that there is something to delete.
        Run("nft", $"table bridge wm{id}\ndelete table bridge wm{id}");
    }

    private static void Ip(params string[] arguments) => Run("ip", arguments);

    private static void Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(program, arguments);
            process.WaitForExit(10_000);
        }
        catch (System.ComponentModel.Win32Exception) { } // Not installed: then it made nothing either.
    }

    private static void TryDelete(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (IOException) { }   // a dying process made a file meanwhile; the next run takes it away
        catch (UnauthorizedAccessException) { }
    }
}
