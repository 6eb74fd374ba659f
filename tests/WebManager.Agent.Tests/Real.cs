using System.Diagnostics;
using System.Runtime.InteropServices;

namespace WebManager.Agent.Tests;

/// <summary>Real processes.</summary>
internal static partial class Real
{
    public static bool IsAlive(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Every thread of it stands still by SIGSTOP.</summary>
    public static bool IsStopped(int pid)
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{pid}/task").Select(t => File.ReadAllText($"{t}/stat")).All(s => s[s.LastIndexOf(')') + 2] == 'T');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Empty: it is gone.</summary>
    public static string CommandLine(int pid)
    {
        try { return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' '); }
        catch (IOException) { return ""; }
    }

    public static void Kill(int pid) => Signal(pid, 9);

    public static void Signal(int pid, int signal) => _ = kill(pid, signal);

    public static bool TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc")] private static partial int kill(int pid, int signal);
}

/// <summary>Waits for a condition; the deadline only ends hopeless waits.</summary>
internal static class Until
{
    public static Task TrueAsync(Func<bool> condition, double seconds = 20) => TrueAsync(() => Task.FromResult(condition()), seconds);

    public static async Task TrueAsync(Func<Task<bool>> condition, double seconds = 20, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var since = Stopwatch.StartNew();
        while (!await condition())
        {
            if (since.Elapsed.TotalSeconds > seconds) throw new TimeoutException($"Not within {seconds} s: {what}");
            await Task.Delay(5);
        }
    }
}
