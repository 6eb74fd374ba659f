using System.Text;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class GuestTests
{
    [Fact]
    public async Task Guest_starts_prints_its_first_line_and_powers_off_by_the_button()
    {
        Bench.NeedsImage();
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.File);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var guest = await bench.StartAsync(spec);
        var running = watch.ElapsedMilliseconds;
        Assert.Equal(GuestPhase.Running, guest.Phase);
        await Until.TrueAsync(() => guest.FirstLineAt is not null, "first line");
        TestContext.Current.TestOutputHelper?.WriteLine($"CPU runs after {running} ms, first line after {watch.ElapsedMilliseconds} ms");
        await bench.BeatsOnAsync(spec);
        await guest.PressPowerAsync(default);
        await Until.TrueAsync(() => !bench.Processes.Ends.IsEmpty, "the process ended");
        Assert.True(bench.Processes.Ends.TryPeek(out var end));
        Assert.Equal(0, end.ExitCode);
        Assert.True(guest.PoweredOff);
        Assert.False(guest.Panicked);
    }

    [Fact]
    public async Task Console_shows_history_to_late_listeners_and_takes_input()
    {
        Bench.NeedsImage();
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.Diskless, 0);
        var guest = await bench.StartAsync(spec);
        await Until.TrueAsync(() => bench.Serial(spec).Split("ready:") is [_, var after] && after.Contains("# ", StringComparison.Ordinal), "the shell's prompt");
        await guest.WriteSerialAsync("echo six-$((3+3))\n"u8.ToArray(), default);
        var seen = new StringBuilder();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var bytes in guest.SerialAsync(16 * 1024, limit.Token))
        {
            seen.Append(Encoding.UTF8.GetString(bytes.Span));
            if (seen.ToString().Contains("six-6", StringComparison.Ordinal)) break;
        }
        Assert.Contains("init: tiny-linux up", seen.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Panic_is_told_from_a_power_off()
    {
        Bench.NeedsImage();
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.Diskless, 0);
        var guest = await bench.StartAsync(spec);
        await Until.TrueAsync(() => bench.Serial(spec).Split("ready:") is [_, var after] && after.Contains("# ", StringComparison.Ordinal), "the shell's prompt");
        await guest.WriteSerialAsync("echo c >/proc/sysrq-trigger\n"u8.ToArray(), default);
        // Without its driver for pvpanic the guest tells nobody and boots again.
        await Until.TrueAsync(() => guest.Panicked || bench.Serial(spec).Split("tiny-linux up").Length > 2, "panic");
        Assert.SkipUnless(guest.Panicked, "The image has no pvpanic driver.");
        await Until.TrueAsync(() => !bench.Processes.Ends.IsEmpty, "the process ended");
        Assert.False(guest.PoweredOff);
    }

    [Fact]
    public async Task Guest_is_found_again_after_a_restart_of_the_agent()
    {
        Bench.NeedsImage();
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.File);
        var guest = await bench.StartAsync(spec);
        await Until.TrueAsync(() => guest.FirstLineAt is not null, "first line");
        var (pid, started, first) = (guest.Pid, guest.StartedAt, guest.FirstLineAt);
        await bench.RestartAgentsAsync();
        await bench.BeatsOnAsync(spec);
        var again = await bench.AdoptAsync(spec, pid);
        Assert.Equal((GuestPhase.Running, started, first), (again.Phase, again.StartedAt, again.FirstLineAt));
        await again.PressPowerAsync(default);
        await Until.TrueAsync(() => again.PoweredOff, "power off");
    }

    [Fact]
    public async Task Start_that_fails_says_why_and_leaves_no_process()
    {
        Bench.NeedsImage();
        await using var bench = new Bench();
        var spec = Bench.Spec(DiskTemplate.Mirror);
        await bench.Primary.CreateAsync(spec, default);
        var nowhere = new ReplicaAddress("127.0.0.1", 1, ["none"]);
        var started = await bench.Hypervisor.StartAsync(new(spec, bench.Primary.FolderOf(spec.Instance), Bench.Record(spec, 1, SyncState.InSync), nowhere), default);
        Assert.Equal("guest.start-failed", started.Refusal?.Code);
        Assert.Contains("onnect", started.Refusal!.Message, StringComparison.Ordinal);
        await Until.TrueAsync(() => bench.Processes.Ends.Count == 1, "reaped");
    }
}
