using Bench = WebManager.Agent.Tests.Guests.Bench;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;
using static WebManager.Agent.Tests.Host.RealNodes;

namespace WebManager.Agent.Tests.Host;

/// <summary>Two agents, two keepers, real QEMU guests by emulation; the test plays the engine.</summary>
[Trait("Speed", "Slow")]
public sealed class FailoverTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();

    public ValueTask InitializeAsync()
    {
        Bench.NeedsImage();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Secondary_takes_over_without_losing_an_acknowledged_write_when_the_primary_node_dies()
    {
        var (p, s) = (await NodeAsync("n1"), await NodeAsync("n2"));
        using var toP = p.Engine();
        using var toS = s.Engine();
        var guest = Bench.Spec(DiskTemplate.Mirror);
        var g1 = new GenerationRecord(guest.Instance, 1, "1", "n1", "n2", SyncState.InSync);
        Bench.Refuted(await toP.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, guest)));
        var open = await toS.CallAsync(new OpenReplicaOrder(Guid.NewGuid(), 1, g1, guest));
        Assert.True(open.Ok, open.Refusal?.Message);
        await toP.BeatAsync(g1);
        await toP.BeatAsync(g1);
        var started = await toP.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, guest) { Record = g1, Replica = open.Value!.Replica });
        Assert.True(started.Ok, started.Refusal?.Message);
        await BeatUntilAsync(toP, g1, async () => await BeatsAsync(toP, guest.Instance) > 5);

        // The agent alone dies and returns: the same process goes on.
        await p.KillAgentAsync();
        await p.RunAsync();
        InstanceReport? report = null;
        try { await BeatUntilAsync(toP, g1, async () => (report = await toP.ReportAsync(guest.Instance, g1)) is { Guest: GuestPhase.Running, Mirror: MirrorPhase.InSync }); }
        catch (TimeoutException) { Assert.Fail($"{report}\n{p.Log}"); }
        Assert.Equal(started.Value!.Pid, report!.Pid);

        // The whole node dies.
        var acknowledged = await BeatsAsync(toP, guest.Instance);
        Real.Kill(p.KeeperPid);
        await p.KillAgentAsync();
        var down = await toS.CallAsync(new StandDownOrder(Guid.NewGuid(), 1, g1));
        Assert.True(down.Ok, down.Refusal?.Message);
        var g2 = new GenerationRecord(guest.Instance, 2, "2", "n2", "n1", SyncState.Alone);
        Bench.Refuted(await toS.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, g2)));
        Assert.Null((await toS.ReportAsync(guest.Instance))!.ExportGeneration);
        var again = await toS.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, guest) { Record = g2 });
        Assert.True(again.Ok, again.Refusal?.Message);
        await Until.TrueAsync(async () => await BeatsAsync(toS, guest.Instance) > acknowledged, 60);
        Assert.True(await FirstBeatAsync(toS, guest.Instance) > acknowledged);

        // The former primary returns: nothing of the guest runs there, and it takes the newer record.
        await p.RunAsync();
        report = await toP.ReportAsync(guest.Instance);
        Assert.Equal((GuestPhase.Absent, GuestEnd.Killed, 1), (report!.Guest, report.End, report.GuestGeneration));
        Bench.Refuted(await toP.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, g2)));
        var stopped = (await toS.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, guest.Instance, TimeSpan.FromSeconds(30)))).Value!;
        Assert.Equal((GuestEnd.Clean, 2), (stopped.End, stopped.Generation));
    }

    [Fact]
    public async Task Copy_through_the_agents_ends_in_a_promise_and_survives_as_in_sync()
    {
        var (p, s) = (await NodeAsync("n1"), await NodeAsync("n2"));
        using var toP = p.Engine();
        using var toS = s.Engine();
        var guest = Bench.Spec(DiskTemplate.Mirror);
        var alone = new GenerationRecord(guest.Instance, 1, "1", "n1", "n2", SyncState.Alone);
        Bench.Refuted(await toP.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, guest)));
        Bench.Refuted(await toP.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, guest) { Record = alone }));
        var open = await toS.CallAsync(new OpenReplicaOrder(Guid.NewGuid(), 1, alone, guest));
        toP.Peers = new Dictionary<string, string> { ["n2"] = s.Address };
        await toP.BeatAsync(alone);
        var copy = await toP.CallAsync(new ResyncOrder(Guid.NewGuid(), 1, alone, guest, open.Value!.Replica));
        Assert.True(copy.Ok, copy.Refusal?.Message);
        await BeatUntilAsync(toP, alone, async () => (await toP.ReportAsync(guest.Instance, alone))!.Mirror == MirrorPhase.Promised);
        // The secondary's agent hashed its copy, asked with the primary's certificate; nothing was known, so all was compared.
        Assert.DoesNotContain("cannot hash its copy", p.Log, StringComparison.Ordinal);
        Assert.Equal(64L << 20, (await toP.ReportAsync(guest.Instance, alone))!.Copy!.ComparedBytes);
        var inSync = alone with { Sync = SyncState.InSync };
        Bench.Refuted(await toP.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, inSync)));
        Bench.Refuted(await toS.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, inSync)));
        await BeatUntilAsync(toP, inSync, async () => (await toP.ReportAsync(guest.Instance, inSync)) is { Mirror: MirrorPhase.InSync, Guest: GuestPhase.Running });
    }

    private Task<TestNode> NodeAsync(string name) => RealNodes.NodeAsync(_cluster, name);

    private static async Task<int> FirstBeatAsync(TestEngine engine, Guid instance) => (await AllBeatsAsync(engine, instance)).FirstOrDefault();
}
