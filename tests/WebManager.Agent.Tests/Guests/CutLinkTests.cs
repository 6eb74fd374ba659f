using System.Diagnostics;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>The secondary behind a link that falls silent: no error, no answer, for minutes.</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class CutLinkTests
{
    private static readonly string Net = $"wmc{Environment.ProcessId}";

    private static Task<Programs.Result> Ip(string arguments) => Programs.RunAsync("ip", arguments.Split(' '), default);

    private static async Task LinkAsync()
    {
        Bench.NeedsImage();
        Assert.SkipUnless(Environment.IsPrivilegedProcess && (await Ip($"netns add {Net}")).Ok, "Needs root and network namespaces.");
        await Ip($"link add {Net}a type veth peer name {Net}b netns {Net}");
        await Ip($"addr add 10.251.77.1/24 dev {Net}a");
        await Ip($"link set {Net}a up");
        await Ip($"-n {Net} addr add 10.251.77.2/24 dev {Net}b");
        await Ip($"-n {Net} link set {Net}b up");
        await Ip($"-n {Net} link set lo up");
    }

    [Fact]
    public async Task Silent_cut_is_noticed_degraded_and_healed_by_a_copy()
    {
        await LinkAsync();
        try
        {
            await using var bench = new Bench { SecondaryNamespace = Net, SecondaryHost = "10.251.77.2" };
            await bench.RestartAgentsAsync();
            var spec = Bench.Spec(DiskTemplate.Mirror);
            var record = Bench.Record(spec, 1, SyncState.InSync);
            var guest = await bench.StartAsync(spec, record, await bench.OpenAsync(spec, record));
            await bench.BeatsOnAsync(spec);
            var gap = await bench.LongestGapAsync(spec, guest, Bench.Record(spec, 2, SyncState.Alone), () => Ip($"-n {Net} link set {Net}b down"));
            TestContext.Current.TestOutputHelper?.WriteLine($"silent cut: {gap.TotalSeconds:0.00} s without an acknowledged write");
            Assert.True(gap.TotalSeconds < 4 * Bench.Slowness, $"{gap}");
            await UnreachableAsync(bench, spec, guest);
            await Ip($"-n {Net} link set {Net}b up");
            await CopyCutInTheMiddleAsync(bench, spec, guest);
            await bench.BeatsOnAsync(spec);
        }
        finally { await Ip($"netns del {Net}"); }
    }

    private static async Task DegradeAsync(IGuest guest, GenerationRecord record)
    {
        var watch = Stopwatch.StartNew();
        Bench.Refuted(await guest.DegradeAsync(record, default));
        TestContext.Current.TestOutputHelper?.WriteLine($"degraded in {watch.ElapsedMilliseconds} ms");
        Assert.True(watch.Elapsed.TotalSeconds < 2);
    }

    // Connecting must not hold QEMU, nor the guest, for the minutes that TCP would try.
    private static async Task UnreachableAsync(Bench bench, GuestSpec spec, IGuest guest)
    {
        var watch = Stopwatch.StartNew();
        var alone = Bench.Record(spec, 2, SyncState.Alone);
        var refused = await guest.ResyncAsync(alone, new ReplicaAddress("10.251.77.2", 21000, ["x"]), _ => Task.CompletedTask, default);
        TestContext.Current.TestOutputHelper?.WriteLine($"refused in {watch.ElapsedMilliseconds} ms: {refused.Refusal?.Message}");
        Assert.Equal("replica.unreachable", refused.Refusal?.Code);
        Assert.True(watch.Elapsed.TotalSeconds < 5);
        await bench.BeatsOnAsync(spec);
    }

    private static async Task CopyCutInTheMiddleAsync(Bench bench, GuestSpec spec, IGuest guest)
    {
        for (var generation = 3; generation < 6; generation++)
        {
            var record = Bench.Record(spec, generation, SyncState.Alone);
            var replica = await bench.OpenAsync(spec, record);
            bench.Options.CopyStall = TimeSpan.FromSeconds(2);
            Bench.Refuted(await guest.ResyncAsync(record, replica, _ => Task.CompletedTask, default));
            if (generation < 5) await Ip($"-n {Net} link set {Net}b down");
            await Until.TrueAsync(() => guest.Mirror != MirrorPhase.Copying, "copy ended");
            TestContext.Current.TestOutputHelper?.WriteLine($"copy: {guest.Mirror} {guest.MirrorText}");
            await Ip($"-n {Net} link set {Net}b up");
            if (guest.Mirror != MirrorPhase.Alone && generation < 5) await DegradeAsync(guest, record);
        }
        Assert.Equal(MirrorPhase.Promised, guest.Mirror);
    }
}
