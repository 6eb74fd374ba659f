using System.Diagnostics;
using WebManager.Web.Lab;
using Xunit;

namespace WebManager.Web.Tests.Lab;

/// <summary>Pulling plugs on stand-ins that carry the marker.</summary>
public sealed class LabProcessesTests : IAsyncLifetime
{
    private readonly string _lab = $"test{Guid.NewGuid():N}";
    private readonly List<Process> _started = [];
    private readonly LabProcesses _processes;

    public LabProcessesTests() => _processes = new LabProcesses(_lab, TimeProvider.System);

    [Fact]
    public async Task Kill_ends_every_process_of_the_node_and_no_other()
    {
        Start("n1", "sleep 1000 & sleep 1000 & wait");
        Start("n2", "exec sleep 1000");
        await UntilAsync(() => _processes.Find("n1").Count == 3 && _processes.Find("n2").Count == 1);
        await _processes.KillAsync("n1", default);
        Assert.Empty(_processes.Find("n1"));
        Assert.Single(_processes.Find("n2"));
    }

    [Fact]
    public async Task Kill_also_gets_what_is_born_meanwhile()
    {
        // Children in sessions of their own, one after the other, while the plug is pulled.
        Start("n1", "for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & done; sleep 0.01; done; wait");
        await UntilAsync(() => _processes.Find("n1").Count > 2);
        await _processes.KillAsync("n1", default);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Empty(_processes.Find("n1"));
    }

    [Fact]
    public async Task One_that_was_just_killed_does_not_count_as_living()
    {
        for (var turn = 0; turn < 20; turn++)
        {
            Start("n1", "exec sleep 1000");
            await UntilAsync(() => _processes.Find("n1").Count == 1);
            _started[^1].Kill();
            Assert.Empty(await _processes.LivingAsync("n1", default));
        }
    }

    [Fact]
    public async Task Freeze_stops_all_and_thaw_lets_them_go_on_and_a_frozen_node_can_be_killed()
    {
        Start("n1", "sleep 1000 & wait");
        await UntilAsync(() => _processes.Find("n1").Count == 2);
        await _processes.FreezeAsync("n1", default);
        Assert.All(_processes.Find("n1"), p => Assert.True(p.Stopped));
        await _processes.ThawAsync("n1", default);
        Assert.All(_processes.Find("n1"), p => Assert.False(p.Stopped));
        await _processes.FreezeAsync("n1", default);
        await _processes.KillAsync("n1", default);
        Assert.Empty(_processes.Find("n1"));
    }

    [Fact]
    public async Task Guest_that_its_keeper_has_paused_is_not_let_go_on_by_a_thaw()
    {
        var folder = Directory.CreateTempSubdirectory("wm-lab-").FullName;
        var guest = Path.Combine(folder, "qemu-guest");
        File.Copy(new FileInfo("/bin/sh").ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? "/bin/sh", guest);
        Start("n1", "exec sleep 1000");
        Start("n1", $"exec {guest} -c 'kill -STOP $$; exit 0'");
        await UntilAsync(() => _processes.Find("n1") is { Count: 2 } both && both.Any(p => p is { IsGuest: true, Stopped: true }));
        await _processes.ThawAsync("n1", default);
        await _processes.FreezeAsync("n1", default);
        Assert.All(_processes.Find("n1"), p => Assert.True(p.Stopped));
        await _processes.ThawAsync("n1", default);
        Assert.Equal([false, true], _processes.Find("n1").OrderBy(p => p.IsGuest).Select(p => p.Stopped));
        await _processes.KillAsync("n1", default);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_node_whose_name_begins_alike_is_another()
    {
        Start("n1", "exec sleep 1000");
        Start("n11", "exec sleep 1000");
        await UntilAsync(() => _processes.Find().Count == 2);
        Assert.Single(_processes.Find("n1"));
    }

    [Fact]
    public async Task Looking_is_quick()
    {
        Start("n1", "exec sleep 1000");
        await UntilAsync(() => _processes.Find().Count == 1);
        var best = Enumerable.Range(0, 5).Select(_ => { var w = Stopwatch.StartNew(); _processes.Find(); return w.ElapsedMilliseconds; }).Min();
        Assert.InRange(best, 0, 99);
    }

    private void Start(string node, string script)
    {
        var start = new ProcessStartInfo("sh", ["-c", script]);
        start.Environment[LabIdentity.Marker] = $"{_lab}/{node}";
        _started.Add(Process.Start(start)!);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 500, "The processes did not come up.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await _processes.KillAsync(_ => true, default);
        foreach (var process in _started) process.Dispose();
    }
}
