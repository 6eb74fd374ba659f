using WebManager.Agent.Hypervisor.Migration;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Testing;
using Xunit;

namespace WebManager.Agent.Tests.Rules;

public sealed class MigrationRulesTests
{
    private static readonly Guid Web = Guid.NewGuid();
    private static GenerationRecord G(long n, SyncState sync = SyncState.InSync, string p = "n1", string? s = "n2", string? tag = null) => new(Web, n, tag ?? $"{n:x16}", p, s, sync);
    private static StoredGenerations Has(GenerationRecord r) => new() { Record = r };
    private static NodeRules On(string node) => new(node, TimeSpan.Zero);
    private static readonly GenerationRecord Turned = G(2, p: "n2", s: "n1");
    private static NodeFacts Waits(long generation, bool whole = true, bool lease = true) => new(Lease: lease) { Incoming = generation, IncomingWhole = whole };
    private const SyncState Alone = SyncState.Alone;

    [Fact]
    public void Target_waits_only_as_secondary_of_a_guest_in_sync_whose_export_it_has_open()
    {
        var open = new NodeFacts(OpenExport: 1);
        Assert.Equal(NodeActs.StartIncoming, On("n2").Receive(Has(G(1)), G(1), open).Value!.Acts);
        Assert.Equal(NodeActs.StartIncoming | NodeActs.KillIncoming, On("n2").Receive(Has(G(1)), G(1), open with { Incoming = 1 }).Value!.Acts);
        Assert.Equal("generation.wrong-secondary", On("n3").Receive(Has(G(1)), G(1), open).Refusal?.Code);
        Assert.Equal("mirror.not-in-sync", On("n2").Receive(Has(G(1, Alone)), G(1, Alone), open).Refusal?.Code);
        Assert.Equal("replica.not-open", On("n2").Receive(Has(G(1)), G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("replica.not-open", On("n2").Receive(Has(G(1)), G(2), open).Refusal?.Code);
        Assert.Equal("generation.stale", On("n2").Receive(Has(G(2)), G(1), open).Refusal?.Code);
        Assert.Equal("guest.running", On("n2").Receive(Has(G(1)), G(1), open with { Guest = G(1) }).Refusal?.Code);
    }

    [Fact]
    public void Source_sends_only_the_guest_of_the_record_in_force_and_in_sync()
    {
        Assert.Equal(NodeActs.SendGuest, On("n1").Send(Has(G(1)), G(1), new(G(1))).Value!.Acts);
        Assert.Equal("generation.wrong-primary", On("n2").Send(Has(G(1)), G(1), new(G(1))).Refusal?.Code);
        Assert.Equal("generation.stale", On("n1").Send(Has(G(2)), G(1), new(G(2))).Refusal?.Code);
        Assert.Equal("guest.absent", On("n1").Send(Has(G(1)), G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("mirror.not-in-sync", On("n1").Send(Has(G(1, Alone)), G(1, Alone), new(G(1, Alone))).Refusal?.Code);
    }

    [Fact]
    public void Released_export_is_closed_and_never_opened_again_under_that_record()
    {
        var released = On("n2").Release(Has(G(1)) with { ExportOpened = 1 }, G(1), new NodeFacts(OpenExport: 1)).Value!;
        Assert.Equal(NodeActs.CloseExport, released.Acts);
        Assert.Equal("replica.spent", On("n2").OpenReplica(released.Next, G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(NodeActs.Already, On("n2").Release(released.Next, G(1), NodeFacts.Nothing).Value!.Acts);
        Assert.Equal("generation.stale", On("n2").Release(Has(G(2)), G(1), new NodeFacts(OpenExport: 2)).Refusal?.Code);
        Assert.Equal("generation.wrong-secondary", On("n1").Release(Has(G(1)), G(1), NodeFacts.Nothing).Refusal?.Code);
    }

    [Fact]
    public void Target_may_have_only_what_was_sent_whole_by_a_source_that_rested()
    {
        Assert.Null(On("n1").Switched(new SourceFacts(Sent: true, RanSince: false)));
        Assert.Equal("migration.failed", On("n1").Switched(new SourceFacts(Sent: true, RanSince: true))?.Code);
        Assert.Equal("migration.failed", On("n1").Switched(new SourceFacts(Sent: false, RanSince: false))?.Code);
    }

    [Fact]
    public void Target_goes_on_once_under_the_next_record_with_all_of_the_guest_and_a_lease()
    {
        var taken = On("n2").TakeOver(Has(G(1)), Turned, Waits(1)).Value!;
        Assert.Equal((NodeActs.TakeOver, 2, Turned), (taken.Acts, taken.Next.Started, taken.Next.Record));
        Assert.Equal("generation.spent", On("n2").TakeOver(taken.Next, Turned, Waits(1)).Refusal?.Code);
        Assert.Equal("generation.spent", On("n2").Start(taken.Next, Turned, new(Lease: true)).Refusal?.Code);
        Assert.Equal("lease.missing", On("n2").TakeOver(Has(G(1)), Turned, Waits(1, lease: false)).Refusal?.Code);
        Assert.Equal("migration.gone", On("n2").TakeOver(Has(G(1)), Turned, Waits(1, whole: false)).Refusal?.Code);
        Assert.Equal("migration.gone", On("n2").TakeOver(Has(G(1)), Turned, new(Lease: true)).Refusal?.Code);
        Assert.Equal("migration.gone", On("n2").TakeOver(Has(G(2)), G(3, p: "n2", s: "n1"), Waits(1)).Refusal?.Code);
        Assert.Equal("mirror.not-in-sync", On("n2").TakeOver(Has(G(1)), Turned with { Sync = Alone }, Waits(1)).Refusal?.Code);
        Assert.Equal(NodeActs.Already, On("n2").TakeOver(Has(Turned), Turned, new(Turned)).Value!.Acts);
        Assert.Equal("guest.running", On("n2").TakeOver(Has(Turned), G(3, p: "n2", s: "n1"), new(Turned)).Refusal?.Code);
    }

    [Fact]
    public void What_waits_outlives_only_the_record_it_came_under_and_the_one_that_makes_it_the_guest()
    {
        NodeActs Acts(GenerationRecord record) => On("n2").Store(Has(G(1)), record, Waits(1)).Value!.Acts & NodeActs.KillIncoming;
        Assert.Equal(NodeActs.None, Acts(G(1)));
        Assert.Equal(NodeActs.None, Acts(Turned));
        Assert.Equal(NodeActs.KillIncoming, Acts(G(2, Alone)));
        Assert.Equal(NodeActs.KillIncoming, Acts(Turned with { Sync = Alone }));
        Assert.Equal(NodeActs.KillIncoming, Acts(G(3, p: "n2", s: "n1")));
        Assert.True(On("n2").Start(Has(G(1)), Turned, Waits(1)).Value!.Acts.HasFlag(NodeActs.KillIncoming | NodeActs.StartGuest));
        Assert.Equal(NodeActs.KillIncoming, On("n2").Recover(Has(G(1)), Waits(1)));
    }

    [Fact]
    public void Guest_that_writes_too_fast_gets_longer_pauses_and_is_given_up_in_the_end()
    {
        var patience = TimeSpan.FromSeconds(60);
        double? Ms(double seconds) => Convergence.Downtime(TimeSpan.FromSeconds(seconds), patience)?.TotalMilliseconds;
        Assert.Equal([30, 30, 100, 100, 250, 250, null], new double[] { 0, 9.9, 10, 19.9, 20, 59.9, 60 }.Select(Ms));
    }

    [Fact]
    public void Patience_ends_only_when_nothing_grew_for_all_its_time()
    {
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        var patience = new Patience(clock, TimeSpan.FromMinutes(2));
        Assert.False(patience.IsOver(0));
        clock.Advance(TimeSpan.FromMinutes(1.9));
        Assert.False(patience.IsOver(1));
        clock.Advance(TimeSpan.FromMinutes(1.9));
        Assert.False(patience.IsOver(1));
        clock.Advance(TimeSpan.FromMinutes(0.1));
        Assert.True(patience.IsOver(1));
    }
}
