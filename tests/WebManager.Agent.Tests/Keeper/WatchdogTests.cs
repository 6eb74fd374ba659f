using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.Tests.Host;
using WebManager.Contracts;
using WebManager.Testing;
using Xunit;

namespace WebManager.Agent.Tests.Keeper;

/// <summary>A plain file in place of /dev/watchdog.</summary>
public sealed class WatchdogTests : IDisposable
{
    private readonly string _dir = Directory.CreateTempSubdirectory("wm-w").FullName;
    private string Device => Path.Combine(_dir, "watchdog");

    public WatchdogTests() => File.WriteAllText(Device, "");

    public void Dispose() => Assert.True(Real.TryDelete(_dir));

    [Fact]
    public void Fed_each_second_while_all_is_well_and_told_to_stop_at_an_orderly_end_only()
    {
        using (var crashed = Watchdog.Open(Device).Value!)
        {
            foreach (var (ms, well) in new[] { (0, true), (50, true), (999, true), (1000, true), (2000, false), (9000, false), (9050, true) })
                crashed.Feed(TimeSpan.FromMilliseconds(ms), well);
        }

        Assert.Equal(new byte[3], File.ReadAllBytes(Device));
        var ended = Watchdog.Open(Device).Value!;
        ended.Stop();
        ended.Feed(TimeSpan.FromHours(1), well: true);
        Assert.Equal((byte)'V', File.ReadAllBytes(Device)[0]);
    }

    [Fact]
    public async Task Guest_that_was_killed_and_does_not_die_is_stuck_after_five_seconds_until_it_is_reaped()
    {
        using var folder = new KeeperFolder(_dir);
        Assert.True(folder.TryOwn());
        var clock = new ManualClock();
        var table = new GuestTable(folder, clock, new LeaseRules(), _ => { });
        var record = new GenerationRecord(Guid.NewGuid(), 1, "1", "n1", "n2", SyncState.Alone);
        var pid = table.Spawn(new SpawnRequest($"guest:{record.Instance}", ["sleep", "1000"], Path.Combine(_dir, "out"), false, record)).Value;
        table.Adopt(record with { Number = 2, Tag = "2", Primary = "n2", Secondary = "n1" });
        table.Tick();
        await Until.TrueAsync(() => !Real.IsAlive(pid));
        // Nobody reaps it: to the table it is as one that hangs in the kernel.
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(table.Stuck);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(table.Stuck);
        table.Reap(pid, null, 9, () => { });
        Assert.False(table.Stuck);
    }

    [Fact]
    [Trait("Speed", "Slow")]
    public async Task Real_keeper_feeds_it_goes_on_after_a_crash_and_ends_orderly_when_asked_to()
    {
        var keeper = new KeeperClient(_dir, new KeeperLauncher(_dir, TimeSpan.FromSeconds(3), Device).LaunchAsync, TimeProvider.System);
        keeper.Start();
        await Until.TrueAsync(() => Fed > 1);
        Real.Kill(Pid);
        File.WriteAllText(Device, "");
        await Until.TrueAsync(() => Fed > 1);
        Assert.DoesNotContain((byte)'V', File.ReadAllBytes(Device));
        var record = new GenerationRecord(Guid.NewGuid(), 1, "1", "n1", "n2", SyncState.Alone);
        var guest = await keeper.SpawnAsync(new SpawnRequest($"guest:{record.Instance}", ["sleep", "1000"], Path.Combine(_dir, "out"), true, record), default);
        var pid = Pid;
        await keeper.DisposeAsync();
        Real.Signal(pid, 15);
        await Until.TrueAsync(() => !Real.IsAlive(pid));
        Assert.False(Real.IsAlive(guest.Value));
        Assert.Equal((byte)'V', File.ReadAllBytes(Device)[^1]);
    }

    [Fact]
    public async Task Device_that_cannot_be_opened_is_refused_with_what_helps()
    {
        var missing = Path.Combine(_dir, "none");
        var (code, text) = await TestNode.CommandAsync("keeper", "--dir", _dir, "--watchdog", missing);
        Assert.Equal(1, code);
        Assert.Contains($"The watchdog {missing} cannot be opened:", text, StringComparison.Ordinal);
        Assert.Contains("take watchdog out of agent.json", text, StringComparison.Ordinal);
    }

    private long Fed => new FileInfo(Device).Length;
    private int Pid => int.Parse(File.ReadAllText(Path.Combine(_dir, "keeper/pid")));
}
