using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using WebManager.Agent.Hypervisor;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A guest that writes moves alive between two real QEMUs, and every way in which that may fail.</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed partial class MigrationTests
{
    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Guest_moves_with_its_disks_and_no_record_is_lost_or_repeated(int disks)
    {
        await using var bench = await MigrationBench.InSyncAsync(disks);
        await bench.BeatsOnAsync(10);
        var waiting = await bench.ReceiveAsync();
        var watch = Stopwatch.StartNew();
        Bench.Refuted(await bench.Guest.SendAsync(bench.Record, waiting.Address, default));
        Assert.Equal(MigrationPhase.Switching, bench.Guest.Migration?.Phase);
        Say($"sent in {watch.ElapsedMilliseconds} ms");
        var paused = Stopwatch.StartNew();
        Bench.Refuted(await bench.ReleaseAsync());
        Say($"released {paused.ElapsedMilliseconds} ms");
        var end = await bench.Guest.SwitchAsync(default);
        Bench.Refuted(end);
        Assert.True(end.Value is { Facts: { Sent: true, RanSince: false }, Left: true }, $"{end.Value}");
        Say($"switched {paused.ElapsedMilliseconds} ms, {end.Value.MovedBytes >> 20} MiB");
        await waiting.Whole;
        var moved = await bench.TakeOverAsync(waiting);
        Say($"taken over {paused.ElapsedMilliseconds} ms");
        Assert.Equal((GuestPhase.Running, MirrorPhase.InSync), (moved.Phase, moved.Mirror));
        await bench.BeatsOnAsync(20);
        var gap = bench.Contiguous();
        Say($"{disks} disks: longest gap between two acknowledged records {gap.TotalMilliseconds:0} ms");
        Assert.True(gap.TotalSeconds < 5 * Bench.Slowness, $"{gap}");

        // The new primary dies: the former one's copy has all that was acknowledged.
        await bench.Bench.Processes.KillAsync($"guest:{bench.Spec.Instance}", default);
        var said = bench.Beat;
        Bench.Refuted(await bench.Back.CloseAsync(bench.Spec.Instance, default));
        Assert.InRange(await bench.ResumedOnSourceAsync(), said, said + 1);
    }

    /// <summary>QEMU 7.2 does not see all that an emulated CPU writes as changed: a page that is missed shows as another sum, or as a panic.</summary>
    [Fact]
    public async Task Guest_that_changes_its_memory_all_the_time_arrives_whole()
    {
        await using var bench = await MigrationBench.InSyncAsync();
        // One process that never sleeps: what it writes goes by way of the same few translations, which the begin of the marks has to drop.
        const string churn = "awk 'BEGIN{for(;;){n++;for(i=0;i<3000;i++)a[i]=n;for(i=0;i<3000;i++)if(a[i]!=n){print \"differs\";exit};print \"same \" n;fflush()}}' &\n";
        await bench.Guest.WriteSerialAsync(Encoding.ASCII.GetBytes(churn), default);
        int Rounds() => bench.Said.Count(l => SameLine().IsMatch(l));
        bool Broke() => bench.Said.Any(l => l.TrimEnd().EndsWith("differs", StringComparison.Ordinal) || l.Contains("panic", StringComparison.Ordinal));
        await Until.TrueAsync(() => Rounds() > 3, "the guest writes and compares");
        var waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        Bench.Refuted(await bench.ReleaseAsync());
        var end = await bench.Guest.SwitchAsync(default);
        Bench.Refuted(end);
        await waiting.Whole;
        var before = Rounds();
        await bench.TakeOverAsync(waiting);
        await Until.TrueAsync(() => Rounds() > before + 10 || Broke(), "the guest writes and compares on");
        Say($"{end.Value?.MovedBytes >> 20} MiB sent, {before} rounds before, {Rounds()} since: {bench.Said[^1]}");
        Assert.False(Broke(), string.Join('\n', bench.Said.TakeLast(5)));
        await bench.BeatsOnAsync();
    }

    [GeneratedRegex(@"same [0-9]+\r?$")]
    private static partial Regex SameLine();

    private static async Task SentAsync(MigrationBench bench, IIncomingGuest waiting) =>
        Bench.Refuted(await bench.Guest.SendAsync(bench.Record, waiting.Address, default));

    /// <summary>As if nothing had been: in sync, running, writing.</summary>
    private static async Task GoesOnInSyncAsync(MigrationBench bench)
    {
        Assert.Equal((GuestPhase.Running, MirrorPhase.InSync, null), (bench.Guest.Phase, bench.Guest.Mirror, bench.Guest.Migration));
        await bench.BeatsOnAsync();
    }

    private static async Task EndAsync(MigrationBench bench, IIncomingGuest waiting)
    {
        await waiting.DisposeAsync();
        await bench.Bench.Processes.KillAsync($"incoming:{bench.Spec.Instance}", default);
    }

    [Fact]
    public async Task Failures_before_the_release_leave_the_guest_in_sync_and_it_moves_afterwards()
    {
        using var foreign = new TestAuthority();
        await using var bench = await MigrationBench.InSyncAsync();

        // Somebody else's node: the source shows it nothing.
        var stranger = await bench.ReceiveAsync(bench.NewTarget(foreign.Node(Path.Combine(bench.Bench.Root, "f"), "s")));
        var refused = await bench.Guest.SendAsync(bench.Record, stranger.Address, default);
        Say(refused.Refusal?.Message ?? "sent");
        Assert.Equal("migration.failed", refused.Refusal?.Code);
        await GoesOnInSyncAsync(bench);
        await EndAsync(bench, stranger);
        Assert.Equal("migration.bad-address", (await bench.Guest.SendAsync(bench.Record, new MigrationAddress("a b", 1), default)).Refusal?.Code);

        // Cancelled in the middle, and a second one meanwhile.
        bench.Bench.Options.MigrationRateMiB = 4;
        var waiting = await bench.ReceiveAsync();
        var sending = bench.Guest.SendAsync(bench.Record, waiting.Address, default);
        await Until.TrueAsync(() => bench.Guest.Migration is { MovedBytes: > 0 }, "something was sent");
        Assert.Equal("migration.running", (await bench.Guest.SendAsync(bench.Record, waiting.Address, default)).Refusal?.Code);
        await bench.Guest.CancelMigrationAsync(default);
        Assert.Equal("migration.cancelled", (await sending).Refusal?.Code);
        await GoesOnInSyncAsync(bench);
        await Until.TrueAsync(() => !bench.Incoming, "the target ends by itself when its source gives up");
        bench.Bench.Options.MigrationRateMiB = 10_000;

        // The target dies while the source stands still; the engine cancels.
        waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        await EndAsync(bench, waiting);
        await bench.Guest.CancelMigrationAsync(default);
        await GoesOnInSyncAsync(bench);

        // Nobody orders the switch.
        bench.Bench.Options.SwitchWait = TimeSpan.FromSeconds(0.5);
        waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        await Until.TrueAsync(() => bench.Guest.Migration is null, "the source gave up");
        Assert.Equal("migration.failed", (await bench.Guest.SwitchAsync(default)).Refusal?.Code);
        await GoesOnInSyncAsync(bench);
        await EndAsync(bench, waiting);
        bench.Bench.Options.SwitchWait = TimeSpan.FromSeconds(10);

        // The source's agent dies when everything was sent: what it left is never continued, and the target goes on.
        waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        Bench.Refuted(await bench.ReleaseAsync());
        Bench.Refuted(await bench.Guest.SwitchAsync(default));
        await bench.Bench.RestartAgentsAsync();
        var left = await bench.Bench.AdoptAsync(bench.Spec, bench.Guest.Pid, bench.Record);
        Assert.True(left.Left);
        await bench.TakeOverAsync(waiting);
        await bench.BeatsOnAsync();
        bench.Contiguous();
    }

    [Fact]
    public async Task Degrade_while_the_guest_is_sent_ends_that_and_it_goes_on_alone()
    {
        await using var bench = await MigrationBench.InSyncAsync(set: o => o.MigrationRateMiB = 4);
        var waiting = await bench.ReceiveAsync();
        var sending = bench.Guest.SendAsync(bench.Record, waiting.Address, default);
        await Until.TrueAsync(() => bench.Guest.Migration is { MovedBytes: > 0 }, "something was sent");
        await bench.Bench.Processes.KillAsync($"export:{bench.Spec.Instance}", default);
        Bench.Refuted(await bench.Guest.DegradeAsync(Bench.Record(bench.Spec, 2, SyncState.Alone), default));
        Assert.Equal("migration.cancelled", (await sending).Refusal?.Code);
        Assert.Equal((GuestPhase.Running, MirrorPhase.Alone, null), (bench.Guest.Phase, bench.Guest.Mirror, bench.Guest.Migration));
        await bench.BeatsOnAsync();
        bench.Contiguous();
    }

    [Fact]
    public async Task Target_that_dies_after_the_release_leaves_a_source_that_waits_broken_and_loses_nothing()
    {
        await using var bench = await MigrationBench.InSyncAsync();
        var waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        Bench.Refuted(await bench.ReleaseAsync());
        await EndAsync(bench, waiting);
        var end = await bench.Guest.SwitchAsync(default);
        Say(end.Value?.Why ?? "");
        Assert.True(end.Value is { Left: false, Facts.Sent: false }, $"{end}");
        Assert.Equal((MirrorPhase.Broken, null), (bench.Guest.Mirror, bench.Guest.Migration));
        await Until.TrueAsync(() => bench.Guest.Phase == GuestPhase.Paused, "it waits at its next write");
        var before = bench.Beat;
        Bench.Refuted(await bench.Guest.DegradeAsync(Bench.Record(bench.Spec, 2, SyncState.Alone), default));
        await bench.BeatsOnAsync();
        Assert.True(bench.Beat > before);
        bench.Contiguous();
    }

    [Fact]
    public async Task Taking_over_that_is_cut_short_leaves_a_guest_that_waits_broken_and_goes_on_alone_when_told()
    {
        await using var bench = await MigrationBench.InSyncAsync();
        var waiting = await bench.ReceiveAsync();
        await SentAsync(bench, waiting);
        Bench.Refuted(await bench.ReleaseAsync());
        Bench.Refuted(await bench.Guest.SwitchAsync(default));
        await waiting.Whole;
        await bench.Bench.Processes.KillAsync($"guest:{bench.Spec.Instance}", default);
        // The agent ends behind the keeper's step, before any disk is on both copies.
        bench.Bench.Secondary.PathsOf(bench.Spec.Instance).Waiting().Settle();
        Bench.Refuted(await bench.Bench.Processes.BecomeAsync($"incoming:{bench.Spec.Instance}", $"guest:{bench.Spec.Instance}", bench.Next, default));
        await waiting.DisposeAsync();
        var guest = await bench.AdoptOnTargetAsync(waiting.Pid);
        Assert.Equal((GuestPhase.Paused, MirrorPhase.Broken), (guest.Phase, guest.Mirror));
        Bench.Refuted(await guest.DegradeAsync(bench.Next with { Number = 3, Sync = SyncState.Alone }, default));
        await bench.BeatsOnAsync();
        bench.Contiguous();
    }
}
