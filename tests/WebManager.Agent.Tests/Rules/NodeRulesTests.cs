using WebManager.Contracts.Agent;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using Xunit;

namespace WebManager.Agent.Tests.Rules;

public sealed class NodeRulesTests
{
    private static readonly Guid Web = Guid.NewGuid();
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
    private static GenerationRecord G(long n, SyncState sync = SyncState.InSync, string p = "n1", string? s = "n2", string? tag = null) => new(Web, n, tag ?? $"{n:x16}", p, s, sync);
    private static StoredGenerations Has(GenerationRecord r) => new() { Record = r };
    private static NodeRules On(string node) => new(node, S(0));
    private const SyncState Alone = SyncState.Alone;

    [Fact]
    public void Stored_records_never_go_back()
    {
        Assert.Equal("generation.stale", On("n1").Store(Has(G(2)), G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.stale", On("n1").Store(Has(G(2)), G(2, Alone), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.conflict", On("n1").Store(Has(G(2)), G(2, tag: "x"), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.conflict", On("n1").Store(Has(G(2)), G(2, s: "n3"), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(G(3), On("n1").Store(Has(G(2)), G(3), NodeFacts.Nothing).Value!.Next.Record);
        Assert.Equal(NodeActs.None, On("n1").Store(Has(G(2)), G(2), new(G(2))).Value!.Acts);
    }

    [Fact]
    public void Old_copy_goes_only_under_a_record_that_is_the_newest_and_does_not_name_the_node()
    {
        Assert.Equal(G(3, s: "n3"), On("n2").Clean(Has(G(2)), G(3, s: "n3"), NodeFacts.Nothing).Value!.Next.Record);
        Assert.Equal(NodeActs.KillGuest | NodeActs.CloseExport, On("n2").Clean(Has(G(2)), G(3, s: "n3"), new(G(1, p: "n2", s: "n1"), OpenExport: 2)).Value!.Acts);
        Assert.Equal("generation.names-node", On("n2").Clean(Has(G(2)), G(2), NodeFacts.Nothing).Refusal?.Code);
        // It is the secondary again: the order was long under way (H7).
        Assert.Equal("generation.stale", On("n2").Clean(Has(G(4)), G(3, s: "n3"), NodeFacts.Nothing).Refusal?.Code);
        // What it remembers keeps older orders out.
        Assert.Equal("generation.stale", On("n2").OpenReplica(Has(G(3, s: "n3")), G(2), NodeFacts.Nothing).Refusal?.Code);
    }

    [Fact]
    public void Guest_goes_on_under_its_own_primary_and_dies_under_another()
    {
        Assert.Equal(NodeActs.AdoptRecord, On("n1").Store(Has(G(1)), G(2, Alone), new(G(1))).Value!.Acts);
        Assert.Equal(NodeActs.KillGuest, On("n1").Store(Has(G(1)), G(2, Alone, "n2", "n1"), new(G(1))).Value!.Acts);
    }

    [Fact]
    public void Primary_takes_in_sync_only_after_its_promise()
    {
        var alone = Has(G(2, Alone));
        Assert.Equal("generation.not-promised", On("n1").Store(alone, G(2), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.not-promised", On("n1").Store(alone, G(3), new(G(2, Alone))).Refusal?.Code);
        var promised = On("n1").Promise(alone, G(2, Alone)).Value!.Next;
        Assert.Equal(NodeActs.AdoptRecord, On("n1").Store(promised, G(2), new(G(2, Alone))).Value!.Acts);
        Assert.True(On("n2").Store(alone, G(2), NodeFacts.Nothing).Ok);      // the secondary promises nothing
        Assert.Equal("mirror.promised", On("n1").CancelCopy(promised).Refusal?.Code);
        Assert.Equal("mirror.promised", On("n1").Start(promised, G(2, Alone), NodeFacts.Nothing).Refusal?.Code);
        Assert.True(On("n1").Degrade(promised, G(3, Alone), new(G(2, Alone))).Ok);
        Assert.Equal("generation.stale", On("n1").Promise(Has(G(3, Alone)), G(2, Alone)).Refusal?.Code);
    }

    [Fact]
    public void What_a_copy_was_last_equal_under_counts_only_while_nobody_but_that_primary_could_write_to_it()
    {
        StoredGenerations Stored(StoredGenerations before, GenerationRecord r) => On("n2").Store(before, r, NodeFacts.Nothing).Value!.Next;
        var equal = Stored(StoredGenerations.None, G(5));
        Assert.Equal(G(5), equal.Holds);
        var degraded = Stored(equal, G(7, Alone));
        Assert.Equal(G(5), degraded.Holds);
        Assert.Equal(G(5), On("n2").OpenReplica(degraded, G(8, Alone), NodeFacts.Nothing).Value!.Next.Holds);
        Assert.Equal(G(7), Stored(degraded, G(7)).Holds);
        Assert.Null(Stored(degraded, G(8, Alone, "n3", "n2")).Holds);
        Assert.Null(Stored(degraded, G(8, Alone, "n1", "n3")).Holds);
        Assert.Null(On("n2").Start(degraded, G(8, Alone, "n2", "n1"), NodeFacts.Nothing).Value!.Next.Holds);
        Assert.Null(On("n1").Store(StoredGenerations.None, G(5), NodeFacts.Nothing).Value!.Next.Holds);
    }

    [Fact]
    public void Export_opens_once_per_generation()
    {
        var first = On("n2").OpenReplica(StoredGenerations.None, G(1), NodeFacts.Nothing).Value!;
        Assert.Equal(NodeActs.OpenExport, first.Acts);
        Assert.True(On("n2").OpenReplica(first.Next, G(1), new(OpenExport: 1)).Value!.Acts.HasFlag(NodeActs.Already));
        Assert.Equal("replica.spent", On("n2").OpenReplica(first.Next, G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(NodeActs.CloseExport | NodeActs.OpenExport, On("n2").OpenReplica(first.Next, G(2), new(OpenExport: 1)).Value!.Acts);
        Assert.Equal("generation.wrong-secondary", On("n3").OpenReplica(StoredGenerations.None, G(1), NodeFacts.Nothing).Refusal?.Code);
    }

    [Fact]
    public void Secondary_answers_only_for_the_newest_in_sync_record_that_names_it()
    {
        Assert.True(On("n2").Answers(Has(G(2)), "n1", G(2), S(1)));
        Assert.False(On("n2").Answers(Has(G(2)), "n1", G(1), S(1)));
        Assert.False(On("n2").Answers(Has(G(2)), "n1", G(3), S(1)));
        Assert.False(On("n2").Answers(Has(G(2, Alone)), "n1", G(2, Alone), S(1)));
        Assert.False(On("n2").Answers(Has(G(2)), "n3", G(2), S(1)));
        Assert.False(On("n3").Answers(Has(G(2)), "n1", G(2), S(1)));
        Assert.False(On("n2").Answers(StoredGenerations.None, "n1", G(2), S(1)));
    }

    [Fact]
    public void Stood_down_secondary_is_silent_but_still_listens()
    {
        var rules = new NodeRules("n2", S(10));
        var (by, earlier) = (Guid.NewGuid(), Guid.NewGuid());
        var down = rules.StandDown(Has(G(1)), G(1), NodeFacts.Nothing, by).Value!.Next;
        Assert.Equal(by, down.Silenced());
        Assert.Null(rules.Heard(G(1), S(12)).SinceHeardMs);
        Assert.Equal(2000, rules.Heard(G(1), S(12)).AgentUpMs);
        Assert.False(rules.Answers(down, "n1", G(1), S(13)));
        Assert.Equal(1500, rules.Heard(G(1), S(14.5)).SinceHeardMs);
        Assert.False(rules.Answers(rules.StandUp(down, G(1), earlier).Value!.Next, "n1", G(1), S(15)));
        var up = rules.StandUp(down, G(1), by).Value!.Next;
        Assert.Null(up.Silenced());
        Assert.True(rules.Answers(up, "n1", G(1), S(15)));
        Assert.Equal("generation.stale", rules.StandDown(Has(G(2)), G(1), NodeFacts.Nothing, by).Refusal?.Code);
        Assert.True(rules.Answers(rules.Store(down, G(2), NodeFacts.Nothing).Value!.Next, "n1", G(2), S(15)));
    }

    [Fact]
    public void Start_needs_a_fresh_generation_the_right_node_and_a_lease()
    {
        var rules = On("n1");
        Assert.Equal("generation.wrong-primary", On("n2").Start(StoredGenerations.None, G(1), new(Lease: true)).Refusal?.Code);
        Assert.Equal("lease.missing", rules.Start(StoredGenerations.None, G(1), NodeFacts.Nothing).Refusal?.Code);
        Assert.True(rules.Start(StoredGenerations.None, G(1, Alone), NodeFacts.Nothing).Ok);
        var started = rules.Start(StoredGenerations.None, G(1), new(Lease: true)).Value!;
        Assert.Equal((NodeActs.StartGuest, 1), (started.Acts, started.Next.Started));
        Assert.Equal(NodeActs.Already, rules.Start(started.Next, G(1), new(G(1))).Value!.Acts);
        Assert.Equal("generation.spent", rules.Start(started.Next, G(1), new(Lease: true)).Refusal?.Code);
        Assert.Equal("guest.running", rules.Start(started.Next, G(2), new(G(1), Lease: true)).Refusal?.Code);
        Assert.Equal("generation.stale", rules.Start(Has(G(3)), G(2), new(Lease: true)).Refusal?.Code);
        Assert.Equal(NodeActs.CloseExport | NodeActs.StartGuest, On("n2").Start(Has(G(1)), G(2, Alone, "n2", "n1"), new(OpenExport: 1)).Value!.Acts);
    }

    [Fact]
    public void Degrade_takes_only_alone_records_of_this_primary()
    {
        Assert.Equal("generation.not-alone", On("n1").Degrade(Has(G(1)), G(2), new(G(1))).Refusal?.Code);
        Assert.Equal("generation.wrong-primary", On("n2").Degrade(Has(G(1)), G(2, Alone), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(NodeActs.AdoptRecord | NodeActs.Degrade, On("n1").Degrade(Has(G(1)), G(2, Alone), new(G(1))).Value!.Acts);
        Assert.Equal(NodeActs.Degrade, On("n1").Degrade(Has(G(2, Alone)), G(2, Alone), new(G(2, Alone))).Value!.Acts);
        Assert.Equal(NodeActs.None, On("n1").Degrade(Has(G(1)), G(2, Alone), NodeFacts.Nothing).Value!.Acts);
    }

    [Fact]
    public void Copy_begins_only_under_an_alone_record_with_a_secondary()
    {
        Assert.Equal("generation.not-alone", On("n1").BeginCopy(Has(G(1)), G(1), new(G(1))).Refusal?.Code);
        Assert.Equal("generation.no-secondary", On("n1").BeginCopy(StoredGenerations.None, G(1, Alone, s: null), NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(NodeActs.BeginCopy, On("n1").BeginCopy(Has(G(1, Alone)), G(1, Alone), new(G(1, Alone))).Value!.Acts);
        var promised = On("n1").Promise(Has(G(1, Alone)), G(1, Alone)).Value!.Next;
        Assert.Equal(NodeActs.Already, On("n1").BeginCopy(promised, G(1, Alone), new(G(1, Alone))).Value!.Acts);
    }

    [Fact]
    public void Returning_node_keeps_what_is_newest_and_ends_what_is_not()
    {
        Assert.Equal(NodeActs.AdoptRecord, On("n1").Recover(Has(G(2, Alone)), new(G(1))));
        Assert.Equal(NodeActs.KillGuest, On("n1").Recover(Has(G(2, Alone, "n2", "n1")), new(G(1))));
        Assert.Equal(NodeActs.CloseExport, On("n2").Recover(Has(G(2)), new(OpenExport: 1)));
        Assert.Equal(NodeActs.None, On("n2").Recover(Has(G(2)), new(OpenExport: 2)));
    }

    [Fact]
    public void Epoch_only_grows()
    {
        Assert.Equal(7, On("n1").Epoch(5, 7).Value);
        Assert.Equal("order.stale-epoch", On("n1").Epoch(7, 6).Refusal?.Code);
    }

    [Fact]
    public void Of_two_engines_with_one_epoch_the_first_stays_and_what_it_told_is_kept()
    {
        var rules = new NodeRules("n1", TimeSpan.Zero);
        var heard = rules.Hear(HeardEngines.None, new EngineRun(3, "a", 10)).Value!;
        heard = rules.Hear(heard, new EngineRun(3, "a", 8)).Value!;
        Assert.Equal(new EngineRun(3, "a", 10), heard.Last);
        Assert.Equal("order.stale-epoch", rules.Hear(heard, new EngineRun(3, "b", 99)).Refusal?.Code);
        Assert.Equal("order.stale-epoch", rules.Hear(heard, new EngineRun(2, "a", 99)).Refusal?.Code);
        Assert.Equal([new EngineRun(3, "a", 10), new EngineRun(4, "b", 0)], rules.Hear(heard, new EngineRun(4, "b", 0)).Value!.Runs);
    }
}
