using System.Diagnostics;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A guest that writes moves alive between two real QEMUs, and every way in which that may fail.</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class MigrationTests
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
        Assert.True(gap.TotalSeconds < 3 * Bench.Slowness, $"{gap}");

        // The new primary dies: the former one's copy has all that was acknowledged.
        await bench.Bench.Processes.KillAsync($"guest:{bench.Spec.Instance}", default);
        var said = bench.Beat;
        Bench.Refuted(await bench.Back.CloseAsync(bench.Spec.Instance, default));
        Assert.InRange(await bench.ResumedOnSourceAsync(), said, said + 1);
    }
}
