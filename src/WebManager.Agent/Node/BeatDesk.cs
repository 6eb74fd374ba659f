using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Answers heartbeats from memory: waits for no lane and no disk, but for a new epoch.</summary>
public sealed class BeatDesk(NodeIdentity identity, InstanceTable table, IKeeper keeper, EpochFile epochs, PeerBook peers,
    Generations generations, NodeRules rules, GuestWatch watch, DiskProbe probe)
{
    public async Task<Outcome<BeatReply>> AnswerAsync(BeatRequest beat, CancellationToken ct)
    {
        if (beat.Node != identity.Node) return new Refusal("beat.wrong-node", $"This is {identity.Node}, not {beat.Node}.", "Check the node's address.") { Field = "node" };
        if (beat.Cluster != identity.Cluster) return new Refusal("beat.wrong-cluster", $"This node belongs to {identity.Cluster}.") { Field = "cluster" };
        if (epochs.Check(new EngineRun(beat.Epoch, beat.Tag, beat.Decisions)) is { } stale) return stale;
        // The keeper dooms what is outdated at once; storing it goes the ordinary way.
        keeper.Answer(beat.Nonce, beat.StandsBehind);
        foreach (var record in beat.StandsBehind) Hear(record, beat.Epoch);
        peers.Learn(beat.Peers);
        var nonce = await keeper.ChallengeAsync(ct);
        var known = beat.KnownRun == identity.Run ? beat.KnownState : 0;
        var (serial, reports) = table.Since(known);
        return new BeatReply(identity.Node, identity.Run, identity.Boot, serial)
        {
            Nonce = nonce,
            Instances = reports,
            Load = identity.Load,
            KeeperAlive = keeper.Alive,
            DiskFault = probe.Fault,
            Version = NodeIdentity.Version,
            Keeper = keeper.Facts,
        };
    }

    /// <summary>
    /// A newer record for a guest that runs here: killed under another primary, else taken on; on disk in both cases. Also that copies are in
    /// sync, on both nodes: the order that says so may have been lost, and a secondary that does not know answers no challenge; also one that was a
    /// candidate up to now.
    /// </summary>
    public void Hear(GenerationRecord record, long epoch)
    {
        if (table.Find(record.Instance) is not { } unit || !IsNews(unit, record)) return;
        watch.InBackground("newer record", () => InLane.RunAsync<Done>(unit, async u =>
        {
            if (!IsNews(u, record)) return Done.Value;
            var decision = await generations.ApplyAsync(u, epoch, stored => rules.Store(stored, record, u.Facts()), CancellationToken.None);
            return decision.Ok ? Done.Value : decision.Refusal;
        }, CancellationToken.None));
    }

    private static bool IsNews(InstanceUnit unit, GenerationRecord record) =>
        record.Number > (unit.Running?.Number ?? long.MaxValue) || record.SameAs(unit.Stored.Candidate)
        || (record.Sync == SyncState.InSync && record.SameAs(unit.Stored.Record) && unit.Stored.Record!.Sync == SyncState.Alone);
}
