// Test assemblies run side by side where that disturbs nobody: the agents' wait most of the time, the pages' work most of the time. The
// end-to-end tests measure times of the whole machine and run alone. Compiled into each test assembly (tests/Directory.Build.targets).
using System.Diagnostics;
using WebManager.Testing.E2E;
using Xunit;

[assembly: AssemblyFixture(typeof(WebManager.Testing.TestTurn))]

namespace WebManager.Testing;

/// <summary>Only for a run of ./test.sh, whose folder WM_TEST_RUN names: a program that is started by hand waits for nobody.</summary>
public sealed class TestTurn : IAsyncLifetime
{
    private static readonly string s_assembly = typeof(TestTurn).Assembly.GetName().Name!;
    private FileStream? _turn;

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("WM_TEST_RUN") is not { Length: > 0 } folder || !Directory.Exists(folder)) { return; }
        // Leases and guests of the agents' tests do not wait for pages that are drawn.
        if (s_assembly is "WebManager.Engine.Tests" or "WebManager.Web.Tests") { using var self = Process.GetCurrentProcess(); self.PriorityClass = ProcessPriorityClass.BelowNormal; }
        var (file, alone) = (Path.Combine(folder, "turn.lock"), s_assembly == "WebManager.E2E.Tests");
        if (!File.Exists(file)) { await File.AppendAllTextAsync(file, ""); }
        await Until.TrueAsync(() => Take(file, alone), TimeSpan.FromMinutes(20), alone ? "the other test assemblies have ended" : "the end-to-end tests have ended", TimeSpan.FromMilliseconds(200));
    }

    /// <summary>A lock of the file, shared or alone; the system lets go of it with the process.</summary>
    private bool Take(string file, bool alone)
    {
        try { _turn = new FileStream(file, FileMode.Open, alone ? FileAccess.ReadWrite : FileAccess.Read, alone ? FileShare.None : FileShare.Read); }
        catch (IOException) { return false; }
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        if (_turn is not null) { await _turn.DisposeAsync(); }
    }
}
