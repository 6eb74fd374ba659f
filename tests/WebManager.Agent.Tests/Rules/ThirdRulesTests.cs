// R4, H7: what a node does with a candidate, and when its guest may have another secondary.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Rules;

public sealed class ThirdRulesTests
{
    private static readonly Guid Web = Guid.NewGuid();
    private static GenerationRecord G(long n, SyncState sync = SyncState.InSync, string p = "n1", string? s = "n2", string? tag = null) => new(Web, n, tag ?? $"{n:x16}", p, s, sync);
    private static readonly GenerationRecord Candidate = G(2, s: "n3");
    private static NodeRules On(string node) => new(node, TimeSpan.Zero);
    private static StoredGenerations Has(GenerationRecord record) => new() { Record = record };
    private static NodeFacts On3(GenerationRecord under, ThirdPhase phase = ThirdPhase.Joined) => new(under) { Third = new ThirdCopy(2, Candidate.Tag, phase) };

    [Fact]
    public void Candidate_is_no_record_until_it_is_stored_as_one()
    {
        var opened = On("n3").OpenCandidate(StoredGenerations.None, Candidate, NodeFacts.Nothing).Value!;
        Assert.Equal((null, Candidate, NodeActs.OpenExport), (opened.Next.Record, opened.Next.Candidate, opened.Acts));
        Assert.False(On("n3").Answers(opened.Next, "n1", Candidate, TimeSpan.Zero));
        Assert.Equal(NodeActs.Already, On("n3").OpenCandidate(opened.Next, Candidate, new(OpenExport: 2)).Value!.Acts);
        Assert.Equal("replica.spent", On("n3").OpenCandidate(opened.Next, Candidate, NodeFacts.Nothing).Refusal?.Code);
        // Decided: the export stays open, and is spent if it is lost.
        var stored = On("n3").Store(opened.Next, Candidate, new(OpenExport: 2)).Value!;
        Assert.Equal((Candidate, null, NodeActs.None), (stored.Next.Record, stored.Next.Candidate, stored.Acts));
        Assert.Equal(Candidate, stored.Next.Holds);
        Assert.True(On("n3").Answers(stored.Next, "n1", Candidate, TimeSpan.Zero));
        Assert.Equal("replica.spent", On("n3").OpenReplica(stored.Next, Candidate, NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("replica.spent", On("n3").OpenReplica(opened.Next, Candidate, NodeFacts.Nothing).Refusal?.Code);
    }

    [Fact]
    public void Candidate_goes_with_any_record_that_is_another_one()
    {
        var opened = On("n3").OpenCandidate(StoredGenerations.None, Candidate, NodeFacts.Nothing).Value!.Next;
        var cleaned = On("n3").Clean(opened, G(1), new(OpenExport: 2)).Value!;
        Assert.Equal((G(1), null, NodeActs.CloseExport), (cleaned.Next.Record, cleaned.Next.Candidate, cleaned.Acts));
        // One of the same number and another tag, which names this node: not that export.
        Assert.Equal(NodeActs.CloseExport, On("n3").Store(opened, Candidate with { Tag = "x" }, new(OpenExport: 2)).Value!.Acts);
        // A second try after the first was cleaned, and one while it is still there.
        Assert.True(On("n3").OpenCandidate(cleaned.Next, Candidate with { Tag = "x" }, NodeFacts.Nothing).Ok);
        Assert.Equal(NodeActs.CloseExport | NodeActs.OpenExport, On("n3").OpenCandidate(opened, Candidate with { Tag = "x" }, new(OpenExport: 2)).Value!.Acts);
        Assert.Equal("generation.stale", On("n3").OpenCandidate(Has(G(2, tag: "y")), Candidate, NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.wrong-secondary", On("n2").OpenCandidate(StoredGenerations.None, Candidate, NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal(NodeActs.None, On("n3").Recover(opened with { Record = G(1) }, new(OpenExport: 2)));
    }

    [Fact]
    public void Guest_in_sync_takes_another_secondary_only_when_it_writes_to_that_one()
    {
        Assert.Equal("generation.not-joined", On("n1").Store(Has(G(1)), Candidate, new(G(1))).Refusal?.Code);
        Assert.Equal("generation.not-joined", On("n1").Store(Has(G(1)), Candidate, On3(G(1), ThirdPhase.Copying)).Refusal?.Code);
        Assert.Equal("generation.not-joined", On("n1").Store(Has(G(1)), Candidate with { Tag = "x" }, On3(G(1))).Refusal?.Code);
        Assert.Equal(NodeActs.AdoptRecord, On("n1").Store(Has(G(1)), Candidate, On3(G(1))).Value!.Acts);
        Assert.True(On("n1").Store(Has(G(1)), Candidate, NodeFacts.Nothing).Ok);   // nothing runs: nothing is lost
        Assert.True(On("n1").Degrade(Has(G(1)), G(2, SyncState.Alone), On3(G(1))).Ok);
    }

    [Fact]
    public void Copy_is_added_under_the_record_in_force_and_kept_once_it_is_decided()
    {
        Assert.Equal(NodeActs.AddCopy, On("n1").AddCopy(Has(G(1)), G(1), Candidate, new(G(1))).Value!.Acts);
        Assert.Equal("guest.absent", On("n1").AddCopy(Has(G(1)), G(1), Candidate, NodeFacts.Nothing).Refusal?.Code);
        Assert.Equal("generation.stale", On("n1").AddCopy(Has(G(2, SyncState.Alone, tag: "y")), G(1), Candidate, new(G(2, SyncState.Alone, tag: "y"))).Refusal?.Code);
        Assert.Null(On("n1").DropCopy(Has(G(1)), Candidate));
        Assert.Equal("mirror.decided", On("n1").DropCopy(Has(Candidate), Candidate)?.Code);
        Assert.Equal("mirror.copying", On("n1").Send(Has(G(1)), G(1), On3(G(1))).Refusal?.Code);
    }
}
