using WebManager.Agent.Rules;
using WebManager.Contracts;
using Xunit;

namespace WebManager.Agent.Tests.Rules;

/// <summary>Each rule once kept and once broken: the same schedule must tell the two apart.</summary>
public sealed class RuleSwitchTests
{
    private static readonly Guid Web = Guid.NewGuid();
    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);
    private static GenerationRecord G(long n, string p = "n1", string? s = "n2", SyncState sync = SyncState.InSync, string? tag = null) =>
        new(Web, n, tag ?? $"{n:x16}", p, s, sync);

    public static TheoryData<string> Names => [.. Schedules.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Each_rule_is_noticed_when_it_is_missing(string name)
    {
        var (broken, keeps) = Schedules[name];
        Assert.True(keeps(RuleSwitches.All));
        Assert.False(keeps(broken));
    }

    [Fact]
    public void Every_switch_has_a_schedule() =>
        Assert.Equal(typeof(RuleSwitches).GetProperties().Where(p => p.PropertyType == typeof(bool)).Select(p => p.Name).Order(), Schedules.Keys.Order());

    private static readonly Dictionary<string, (RuleSwitches Broken, Func<RuleSwitches, bool> Keeps)> Schedules = new()
    {
        [nameof(RuleSwitches.LeaseFromIssue)] = (new() { LeaseFromIssue = false }, r =>
        {
            var lease = Leased(r);
            lease.Issue("b", S(0.5));
            lease.Answer("b", [G(1)], S(3));            // delayed on the way (H1)
            return lease.Expired(S(3.4)).Count == 0 && lease.Expired(S(3.5)).Count == 1;
        }),
        [nameof(RuleSwitches.InSyncNeedsLease)] = (new() { InSyncNeedsLease = false }, r => Leased(r).Expired(S(3)).Count == 1),
        [nameof(RuleSwitches.AloneNeedsNoLease)] = (new() { AloneNeedsNoLease = false }, r => new LeaseRules(switches: r).Start(G(1, sync: SyncState.Alone), S(0)).Ok),
        [nameof(RuleSwitches.PromiseNeedsLease)] = (new() { PromiseNeedsLease = false }, r =>
        {
            var lease = Alone(r);
            lease.Issue("a", S(0));
            lease.Answer("a", [G(1, sync: SyncState.Alone)], S(0));
            return lease.Promise(G(1, sync: SyncState.Alone), S(1)).Ok && lease.Expired(S(3)).Count == 1;
        }),
        [nameof(RuleSwitches.SamePrimaryAdopts)] = (new() { SamePrimaryAdopts = false }, r =>
        {
            var lease = Leased(r);
            lease.Adopt(G(2, sync: SyncState.Alone), S(1));
            return lease.Expired(S(99)).Count == 0;
        }),
        [nameof(RuleSwitches.OtherPrimaryKills)] = (new() { OtherPrimaryKills = false }, r =>
        {
            var lease = Alone(r);
            lease.Adopt(G(2, "n2", "n1", SyncState.Alone), S(1));
            return lease.Expired(S(1)).Count == 1;
        }),
        [nameof(RuleSwitches.NamedIsKept)] = (new() { NamedIsKept = false }, r =>
            !Node("n2", r).Clean(new StoredGenerations { Record = G(1) }, G(1), NodeFacts.Nothing).Ok && !Node("n2", r).Clean(new StoredGenerations { Record = G(1) }, G(2, "n2", "n3"), NodeFacts.Nothing).Ok),
        [nameof(RuleSwitches.PauseIsConfirmed)] = (new() { PauseIsConfirmed = false }, r =>
        {
            var lease = Leased(r);
            lease.Pausing(Web);
            return lease.Expired(S(3)).Count == 1;
        }),
        [nameof(RuleSwitches.PauseIsEnough)] = (new() { PauseIsEnough = false }, r => Paused(r).Expired(S(99)).Count == 0),
        [nameof(RuleSwitches.ResumeNeedsLease)] = (new() { ResumeNeedsLease = false }, r => Paused(r).ToResume(S(99)).Count == 0),
        [nameof(RuleSwitches.ExportOpensOnce)] = (new() { ExportOpensOnce = false }, r => !Node("n2", r).OpenReplica(Opened(r), G(1), NodeFacts.Nothing).Ok),
        [nameof(RuleSwitches.StartsOnce)] = (new() { StartsOnce = false }, r =>
        {
            var first = Node("n1", r).Start(StoredGenerations.None, G(1), new(Lease: true)).Value!;
            return !Node("n1", r).Start(first.Next, G(1), new(Lease: true)).Ok;
        }),
        [nameof(RuleSwitches.StandDownSilences)] = (new() { StandDownSilences = false }, r =>
        {
            var down = Node("n2", r).StandDown(Opened(r), G(1), new(OpenExport: 1), Guid.Empty).Value!;
            return !Node("n2", r).Answers(down.Next, "n1", G(1), S(1));
        }),
        [nameof(RuleSwitches.RestartCountsAsHeard)] = (new() { RestartCountsAsHeard = false }, r => new NodeRules("n2", S(10), r).Heard(G(1), S(11)).AgentUpMs == 1000),
        [nameof(RuleSwitches.StaleRefused)] = (new() { StaleRefused = false }, r => !Node("n1", r).Store(Stored(G(2)), G(1), NodeFacts.Nothing).Ok),
        [nameof(RuleSwitches.ConflictRefused)] = (new() { ConflictRefused = false }, r => !Node("n1", r).Store(Stored(G(1)), G(1, tag: "other"), NodeFacts.Nothing).Ok),
        [nameof(RuleSwitches.EpochChecked)] = (new() { EpochChecked = false }, r => !Node("n1", r).Epoch(5, 4).Ok),
        [nameof(RuleSwitches.PromiseComesFirst)] = (new() { PromiseComesFirst = false }, r => !Node("n1", r).Store(Stored(G(1, sync: SyncState.Alone)), G(1), NodeFacts.Nothing).Ok),
        [nameof(RuleSwitches.NewerClosesExport)] = (new() { NewerClosesExport = false }, r =>
            Node("n2", r).Store(Opened(r), G(2, "n2", "n1", SyncState.Alone), new(OpenExport: 1)).Value!.Acts.HasFlag(NodeActs.CloseExport)),
        [nameof(RuleSwitches.CandidateIsNoRecord)] = (new() { CandidateIsNoRecord = false }, r => Node("n3", r).OpenCandidate(StoredGenerations.None, G(2, s: "n3"), NodeFacts.Nothing).Value!.Next.Record is null),
        [nameof(RuleSwitches.JoinedComesFirst)] = (new() { JoinedComesFirst = false }, r => !Node("n1", r).Store(Stored(G(1)), G(2, s: "n3"), new(G(1))).Ok),
        [nameof(RuleSwitches.SourceMustRest)] = (new() { SourceMustRest = false }, r => Node("n1", r).Switched(new SourceFacts(Sent: true, RanSince: true)) is not null),
    };

    private static LeaseRules Leased(RuleSwitches r)
    {
        var lease = new LeaseRules(switches: r);
        lease.Issue("a", S(0));
        lease.Answer("a", [G(1)], S(0));
        Assert.True(lease.Start(G(1), S(0)).Ok);
        return lease;
    }

    private static LeaseRules Paused(RuleSwitches r)
    {
        var lease = Leased(r);
        lease.Pausing(Web);
        lease.Paused(Web, S(2.9));
        return lease;
    }

    private static LeaseRules Alone(RuleSwitches r)
    {
        var lease = new LeaseRules(switches: r);
        Assert.True(lease.Start(G(1, sync: SyncState.Alone), S(0)).Ok);
        return lease;
    }

    private static NodeRules Node(string name, RuleSwitches r) => new(name, S(0), r);
    private static StoredGenerations Stored(GenerationRecord record) => new() { Record = record };
    private static StoredGenerations Opened(RuleSwitches r) => Node("n2", r).OpenReplica(StoredGenerations.None, G(1), NodeFacts.Nothing).Value!.Next;
}
