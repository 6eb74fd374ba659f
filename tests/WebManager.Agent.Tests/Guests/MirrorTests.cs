using System.Diagnostics;
using System.Runtime.InteropServices;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed partial class MirrorTests
{
    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);

    private const int Stop = 19, Continue = 18;

    private static async Task<(GuestSpec, IGuest)> InSyncAsync(Bench bench, int disks = 1)
    {
        Bench.NeedsImage();
        var spec = Bench.Spec(DiskTemplate.Mirror, disks);
        var record = Bench.Record(spec, 1, SyncState.InSync);
        var replica = await bench.OpenAsync(spec, record);
        var guest = await bench.StartAsync(spec, record, replica);
        Assert.Equal(MirrorPhase.InSync, guest.Mirror);
        await bench.BeatsOnAsync(spec);
        return (spec, guest);
    }

    private static async Task CopyAsync(Bench bench, GuestSpec spec, IGuest guest, long generation, long holds = 0)
    {
        var record = Bench.Record(spec, generation, SyncState.Alone);
        var replica = await bench.OpenAsync(spec, record) with { Holds = holds == 0 ? null : DiskBitmaps.EqualUnder(Bench.Record(spec, holds, SyncState.InSync)) };
        var promised = false;
        void Show(IGuest g, string kind, string text)
        {
            if (kind == "mirror.promised") TestContext.Current.TestOutputHelper?.WriteLine(text);
        }
        guest.Changed += Show;
        Bench.Refuted(await guest.ResyncAsync(record, replica, _ => { promised = true; return Task.CompletedTask; }, default));
        await Until.TrueAsync(() => guest.Mirror != MirrorPhase.Copying, "copied");
        guest.Changed -= Show;
        Assert.True(promised, guest.MirrorText);
        Assert.Equal((MirrorPhase.Promised, GuestPhase.Running), (guest.Mirror, guest.Phase));
        guest.Recorded(record with { Sync = SyncState.InSync });
        Assert.Equal(MirrorPhase.InSync, guest.Mirror);
    }

    [Fact]
    public async Task Every_acknowledged_write_is_on_both_copies_when_the_primary_dies()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench, disks: 2);
        await bench.BeatsOnAsync(spec, 20);
        await bench.Processes.KillAsync($"guest:{spec.Instance}", default);
        var said = bench.Beat(spec);
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        await using var other = new Bench();
        // The survivor starts on the secondary's images: its guest finds every record that was said.
        Directory.CreateDirectory(Path.GetDirectoryName(other.Primary.FolderOf(spec.Instance))!);
        Directory.Move(bench.Secondary.FolderOf(spec.Instance), other.Primary.FolderOf(spec.Instance));
        await other.StartAsync(spec, Bench.Record(spec, 2, SyncState.Alone));
        await Until.TrueAsync(() => other.Serial(spec).Contains("resume ", StringComparison.Ordinal), "resume");
        await other.BeatsOnAsync(spec, 1);
        var resumed = int.Parse(other.Serial(spec).Split("resume ")[1].Split('\n')[0].Trim(), null);
        Assert.InRange(resumed, said, said + 1);
    }

    [Fact]
    public async Task S66_Qemu_started_by_hand_on_either_copy_is_refused_by_the_lock_of_the_image()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench);
        foreach (var copy in new[] { bench.Primary, bench.Secondary })
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var byHand = await Programs.RunAsync(bench.Options.Qemu, ["-S", "-nodefaults", "-display", "none", "-m", "16", "-drive", $"file={copy.PathsOf(spec.Instance).Disk(0)},format=qcow2,if=virtio"], limit.Token);
            Assert.False(byHand.Ok);
            Assert.Contains("Failed to get \"write\" lock", byHand.Why, StringComparison.Ordinal);
        }

        await bench.BeatsOnAsync(spec, 2);
        Assert.Equal((MirrorPhase.InSync, GuestPhase.Running), (guest.Mirror, guest.Phase));
    }

    [Fact]
    public async Task Guest_waits_when_the_secondary_dies_and_goes_on_alone_only_when_told()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench);
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await Until.TrueAsync(() => guest is { Phase: GuestPhase.Paused, Mirror: MirrorPhase.Broken }, "paused and broken");
        Assert.NotNull(guest.MirrorText);
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
        Assert.Equal((MirrorPhase.Alone, GuestPhase.Running), (guest.Mirror, guest.Phase));
        await bench.BeatsOnAsync(spec);
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
    }

    [Theory]
    [InlineData(true, 4)]
    [InlineData(false, 1)]
    public async Task Loss_of_the_secondary_costs_the_guest_a_bounded_time(bool frozen, double seconds)
    {
        await using var bench = new Bench();
        // Flushing for the marks drains QEMU, which a dead copy makes hang: often, so that it is met.
        bench.Options.FlushMark = TimeSpan.FromSeconds(0.5);
        var (spec, guest) = await InSyncAsync(bench);
        var exporter = bench.Processes.PidOf($"export:{spec.Instance}");
        try
        {
            var gap = await bench.LongestGapAsync(spec, guest, Bench.Record(spec, 2, SyncState.Alone),
                () => frozen ? Task.FromResult(Signal(exporter, Stop)) : bench.Processes.KillAsync($"export:{spec.Instance}", default));
            TestContext.Current.TestOutputHelper?.WriteLine($"secondary {(frozen ? "frozen" : "killed")}: {gap.TotalSeconds:0.00} s without an acknowledged write");
            Assert.True(gap.TotalSeconds < seconds * Bench.Slowness, $"{gap}");
        }
        finally
        {
            if (frozen) _ = Signal(exporter, Continue);
        }
    }

    [Fact]
    public async Task Frozen_secondary_does_not_hold_up_a_degrade()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench, disks: 2);
        Assert.Equal(0, Signal(bench.Processes.PidOf($"export:{spec.Instance}"), Stop));
        var watch = Stopwatch.StartNew();
        Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
        TestContext.Current.TestOutputHelper?.WriteLine($"degraded in {watch.ElapsedMilliseconds} ms");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"{watch.Elapsed}");
        await bench.BeatsOnAsync(spec);
    }

    [Fact]
    public async Task Five_losses_and_copies_end_with_equal_images()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench, disks: 2);
        for (var round = 1; round <= 5; round++)
        {
            await bench.Processes.KillAsync($"export:{spec.Instance}", default);
            await Until.TrueAsync(() => guest.Mirror == MirrorPhase.Broken, "broken");
            Bench.Refuted(await guest.DegradeAsync(Bench.Record(spec, 1 + (2 * round), SyncState.Alone), default));
            await bench.BeatsOnAsync(spec, 2);
            var watch = Stopwatch.StartNew();
            // By the marks and by comparison in turn.
            await CopyAsync(bench, spec, guest, 1 + (2 * round), holds: round % 2 == 0 ? 0 : (2 * round) - 1);
            Assert.Equal(round % 2 == 0 ? 128L << 20 : 0, guest.Copy?.ComparedBytes);
            TestContext.Current.TestOutputHelper?.WriteLine($"round {round}: copied in {watch.ElapsedMilliseconds} ms");
            await bench.BeatsOnAsync(spec, 2);
        }
        await guest.PressPowerAsync(default);
        await Until.TrueAsync(() => bench.Processes.Ends.Any(e => e.Id.StartsWith("guest", StringComparison.Ordinal)), "ended");
        Bench.Refuted(await bench.Exporter.CloseAsync(spec.Instance, default));
        await bench.SameOnBothAsync(spec);
    }

    [Fact]
    public async Task Secondary_that_dies_or_freezes_during_a_copy_never_stops_the_guest()
    {
        await using var bench = new Bench();
        Bench.NeedsImage();
        bench.Options.CopyStall = TimeSpan.FromSeconds(2);
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var guest = await bench.StartAsync(spec, Bench.Record(spec, 1, SyncState.Alone));
        await bench.BeatsOnAsync(spec);
        for (var generation = 2; generation <= 5; generation++)
        {
            var record = Bench.Record(spec, generation, SyncState.Alone);
            var replica = await bench.OpenAsync(spec, record);
            Bench.Refuted(await guest.ResyncAsync(record, replica, _ => Task.CompletedTask, default));
            if (generation % 2 == 0) await bench.Processes.KillAsync($"export:{spec.Instance}", default);
            else _ = Signal(bench.Processes.PidOf($"export:{spec.Instance}"), Stop);
            await Until.TrueAsync(() => guest.Mirror != MirrorPhase.Copying, "copy ended");
            if (guest.Mirror.ToString() is "Promised" or "Broken") Bench.Refuted(await guest.DegradeAsync(record, default));
            Assert.Equal((MirrorPhase.Alone, GuestPhase.Running), (guest.Mirror, guest.Phase));
            await bench.BeatsOnAsync(spec);
        }
    }

    [Fact]
    public async Task Copy_can_be_cancelled_and_begun_again()
    {
        await using var bench = new Bench();
        Bench.NeedsImage();
        var spec = Bench.Spec(DiskTemplate.Mirror);
        var guest = await bench.StartAsync(spec, Bench.Record(spec, 1, SyncState.Alone));
        await bench.BeatsOnAsync(spec, 1);
        var record = Bench.Record(spec, 2, SyncState.Alone);
        var held = new TaskCompletionSource();
        Bench.Refuted(await guest.ResyncAsync(record, await bench.OpenAsync(spec, record), _ => held.Task, default));
        var cancelled = await guest.CancelResyncAsync(default);
        held.SetResult();
        if (!cancelled.Ok) Assert.Equal("mirror.promised", cancelled.Refusal.Code);
        else
        {
            Assert.Equal(MirrorPhase.Alone, guest.Mirror);
            await CopyAsync(bench, spec, guest, 3);
        }
        await bench.BeatsOnAsync(spec);
    }

    [Fact]
    public async Task Mirror_and_export_are_found_again_after_a_restart_of_the_agents()
    {
        await using var bench = new Bench();
        var (spec, guest) = await InSyncAsync(bench);
        var pid = guest.Pid;
        await bench.RestartAgentsAsync();
        await bench.Exporter.AdoptAsync(spec.Instance, default);
        Assert.Equal(1, bench.Exporter.OpenGeneration(spec.Instance));
        var again = await bench.AdoptAsync(spec, pid, Bench.Record(spec, 1, SyncState.InSync));
        Assert.Equal((GuestPhase.Running, MirrorPhase.InSync), (again.Phase, again.Mirror));
        await bench.BeatsOnAsync(spec);
        await bench.Processes.KillAsync($"export:{spec.Instance}", default);
        await Until.TrueAsync(() => again.Mirror == MirrorPhase.Broken, "broken");
        await bench.RestartAgentsAsync();
        var third = await bench.AdoptAsync(spec, pid, Bench.Record(spec, 1, SyncState.InSync));
        Assert.Equal((GuestPhase.Paused, MirrorPhase.Broken), (third.Phase, third.Mirror));
        Bench.Refuted(await third.DegradeAsync(Bench.Record(spec, 2, SyncState.Alone), default));
        await bench.BeatsOnAsync(spec);
        await CopyAsync(bench, spec, third, 2);
    }
}
