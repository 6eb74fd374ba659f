using Bench = WebManager.Agent.Tests.Guests.Bench;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;
using static WebManager.Agent.Tests.Host.RealNodes;

namespace WebManager.Agent.Tests.Host;

/// <summary>A live migration by orders to two real agents; the test plays the engine.</summary>
[Collection(Bench.OneAtATime)]
[Trait("Speed", "Slow")]
public sealed class MigrationAgentTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();
    private TestNode _p = null!, _s = null!;
    private TestEngine _toP = null!, _toS = null!;
    private GuestSpec _guest = null!;
    private GenerationRecord _g1 = null!, _g2 = null!;

    public async ValueTask InitializeAsync()
    {
        Bench.NeedsImage();
        (_p, _s) = (await NodeAsync(_cluster, "n1"), await NodeAsync(_cluster, "n2"));
        var peers = new Dictionary<string, string> { ["n1"] = _p.Address, ["n2"] = _s.Address };
        (_toP, _toS) = (_p.Engine(), _s.Engine());
        (_toP.Peers, _toS.Peers) = (peers, peers);
        _guest = Bench.Spec(DiskTemplate.Mirror);
        _g1 = new GenerationRecord(_guest.Instance, 1, "1", "n1", "n2", SyncState.InSync);
        _g2 = new GenerationRecord(_guest.Instance, 2, "2", "n2", "n1", SyncState.InSync);
        await OrderAsync(_toP, new CreateDisksOrder(Guid.NewGuid(), 1, _guest));
        var open = await OrderAsync(_toS, new OpenReplicaOrder(Guid.NewGuid(), 1, _g1, _guest));
        await _toS.BeatAsync(_g1);
        await _toP.BeatAsync(_g1);
        await _toP.BeatAsync(_g1);
        await OrderAsync(_toP, new StartGuestOrder(Guid.NewGuid(), 1, _guest) { Record = _g1, Replica = open.Replica });
        await BeatUntilAsync(_toP, _g1, async () => await BeatsAsync(_toP, _guest.Instance) > 3);
    }

    public async ValueTask DisposeAsync()
    {
        _toP?.Dispose();
        _toS?.Dispose();
        await _cluster.DisposeAsync();
    }

    private static async Task<T> OrderAsync<T>(TestEngine engine, IAgentCall<T> order)
    {
        var outcome = await engine.CallAsync(order);
        Assert.True(outcome.Ok, $"{order.Path}: {outcome.Refusal?.Code}: {outcome.Refusal?.Message}");
        return outcome.Value;
    }

    private static async Task<string?> RefusedAsync<T>(TestEngine engine, IAgentCall<T> order) => (await engine.CallAsync(order)).Refusal?.Code;

    private async Task<MigrationAddress> SentAsync()
    {
        var received = await OrderAsync(_toS, new ReceiveGuestOrder(Guid.NewGuid(), 1, _g1, _guest));
        var report = await _toS.ReportAsync(_guest.Instance, _g1);
        Assert.Equal((GuestPhase.Absent, MigrationPhase.Receiving, null), (report!.Guest, report.Migration?.Phase, report.Pid));
        await OrderAsync(_toP, new SendGuestOrder(Guid.NewGuid(), 1, _g1, received.Address));
        report = await _toP.ReportAsync(_guest.Instance, _g1);
        Assert.Equal((GuestPhase.Running, MirrorPhase.InSync, MigrationPhase.Switching), (report!.Guest, report.Mirror, report.Migration?.Phase));
        return received.Address;
    }

    [Fact]
    public async Task Guest_moves_by_orders_is_leased_adopted_and_stopped_at_its_new_node()
    {
        var address = await SentAsync();
        Assert.Equal("migration.running", await RefusedAsync(_toP, new SendGuestOrder(Guid.NewGuid(), 1, _g1, address)));
        Assert.Equal("generation.stale", await RefusedAsync(_toP, new SwitchGuestOrder(Guid.NewGuid(), 1, _g1 with { Tag = "x" })));
        await OrderAsync(_toS, new ReleaseReplicaOrder(Guid.NewGuid(), 1, _g1));
        Assert.Null((await _toS.ReportAsync(_guest.Instance))!.ExportGeneration);
        var switched = await OrderAsync(_toP, new SwitchGuestOrder(Guid.NewGuid(), 1, _g1));
        Assert.True(switched is { MovedBytes: > 10_000_000, PausedMs: > 0 }, $"{switched}");
        Assert.Equal(GuestPhase.Absent, (await _toP.ReportAsync(_guest.Instance))!.Guest);

        // No beat gives a lease for the new record: the former primary does, asked as soon as it is waited for.
        var open = await OrderAsync(_toP, new OpenReplicaOrder(Guid.NewGuid(), 1, _g2, _guest));
        var taken = await OrderAsync(_toS, new TakeOverOrder(Guid.NewGuid(), 1, _g2, _guest, open.Replica));
        Assert.Equal(taken, await OrderAsync(_toS, new TakeOverOrder(Guid.NewGuid(), 1, _g2, _guest, open.Replica)));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', $"{_p.Log}{_s.Log}".Split('\n').Where(l => l.Contains("migration/", StringComparison.Ordinal) || l.Contains("release", StringComparison.Ordinal) || l.Contains("came from", StringComparison.Ordinal))));
        var (last, first) = (await BeatsAsync(_toP, _guest.Instance), 0);
        await BeatUntilAsync(_toS, _g2, async () => (first = (await AllBeatsAsync(_toS, _guest.Instance)).FirstOrDefault()) > 0);
        Assert.Equal(last + 1, first);

        // The new node's agent finds it again by its sockets, the keeper's note and its record.
        await _s.KillAgentAsync();
        await _s.RunAsync();
        InstanceReport? report = null;
        await BeatUntilAsync(_toS, _g2, async () => (report = await _toS.ReportAsync(_guest.Instance, _g2)) is { Guest: GuestPhase.Running, Mirror: MirrorPhase.InSync });
        Assert.Equal((taken.Pid, 2, null), (report!.Pid, report.GuestGeneration, report.Migration));
        var stopped = await OrderAsync(_toS, new StopGuestOrder(Guid.NewGuid(), 1, _guest.Instance, TimeSpan.FromSeconds(30)));
        Assert.True((stopped.End, stopped.Generation) == (GuestEnd.Clean, 2), $"{stopped} {_s.Log} {File.ReadAllText(Path.Combine(_s.Folder, "instances", $"{_guest.Instance}", "qemu.log"))} {File.ReadAllText(Path.Combine(_s.Folder, "keeper", "ends", $"guest_{_guest.Instance}.json"))}");
    }

    [Fact]
    public async Task Restarted_agents_end_what_was_under_way_and_the_guest_goes_on()
    {
        await SentAsync();
        await _p.KillAgentAsync();
        await _p.RunAsync();
        await BeatUntilAsync(_toP, _g1, async () => await _toP.ReportAsync(_guest.Instance, _g1) is { Guest: GuestPhase.Running, Mirror: MirrorPhase.InSync, Migration: null });
        var beats = await BeatsAsync(_toP, _guest.Instance);
        await BeatUntilAsync(_toP, _g1, async () => await BeatsAsync(_toP, _guest.Instance) > beats);
        Assert.Equal("migration.failed", await RefusedAsync(_toP, new SwitchGuestOrder(Guid.NewGuid(), 1, _g1)));

        // The target's agent ends what waits; nothing of it is reported any more, and its export is still open.
        var received = await OrderAsync(_toS, new ReceiveGuestOrder(Guid.NewGuid(), 1, _g1, _guest));
        await _s.KillAgentAsync();
        await _s.RunAsync();
        var report = await _toS.ReportAsync(_guest.Instance, _g1);
        Assert.Equal((1L, null), (report!.ExportGeneration, report.Migration));
        Assert.Equal("migration.failed", await RefusedAsync(_toP, new SendGuestOrder(Guid.NewGuid(), 1, _g1, received.Address)));
        Assert.Equal("migration.gone", await RefusedAsync(_toS, new TakeOverOrder(Guid.NewGuid(), 1, _g2, _guest, new ReplicaAddress("127.0.0.1", 1, ["x"]))));

        // A cancelled one leaves nothing; nothing to cancel is done.
        await SentAsync();
        await OrderAsync(_toP, new CancelMigrationOrder(Guid.NewGuid(), 1, _guest.Instance));
        await OrderAsync(_toS, new CancelMigrationOrder(Guid.NewGuid(), 1, _guest.Instance));
        await OrderAsync(_toS, new CancelMigrationOrder(Guid.NewGuid(), 1, _guest.Instance));
        Assert.Null((await _toS.ReportAsync(_guest.Instance, _g1))!.Migration);
        beats = await BeatsAsync(_toP, _guest.Instance);
        await BeatUntilAsync(_toP, _g1, async () => await _toP.ReportAsync(_guest.Instance, _g1) is { Guest: GuestPhase.Running, Mirror: MirrorPhase.InSync, Migration: null }
            && await BeatsAsync(_toP, _guest.Instance) > beats);
    }
}
