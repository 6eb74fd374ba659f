// Whether this engine may answer and decide (R5): it holds its lease, nobody has replaced it, and its database is the newest that any node knows of.
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Loop;

public sealed class Standing
{
    private readonly ClusterState _state;
    private readonly DatabaseLease _lease;
    private readonly IRandomness _random;
    private readonly TimeProvider _clock;
    private readonly EventBook _events;
    private readonly ILogger _log;
    private int _reckoning;

    public Standing(ClusterState state, DatabaseLease lease, IRandomness random, TimeProvider clock, EventBook events, ILogger log)
    {
        (_state, _lease, _random, _clock, _events, _log) = (state, lease, random, clock, events, log);
        lease.Taken += () => Superseded("another portal has taken its database over");
    }

    /// <summary>Raised when the epoch was raised: what nodes answered before does not count.</summary>
    public event Action? Anew;

    /// <summary>Whether challenges are answered now.</summary>
    public bool MayAnswer => _lease.Holds && Volatile.Read(ref _reckoning) == 0 && _state.Halted is null;

    /// <summary>
    /// A node tells which engines it has obeyed. Any run, or any decision, that this database does not have shows that it is outdated: every
    /// mirrored instance is in doubt from then on, and an epoch that others have gone past is raised above theirs. False: ask the node anew.
    /// </summary>
    public async Task<bool> ReckonAsync(string node, IReadOnlyList<EngineRun> heard)
    {
        if (Unknown(_state.Now.Cluster, heard).Count == 0 && !Behind(_state.Now.Cluster, heard)) { return true; }
        Interlocked.Increment(ref _reckoning);   // from here nothing is answered, also before it is stored
        try
        {
            var done = await _state.ChangeAsync<(int Doubted, long From, long To)>((now, changes) =>
            {
                var (unknown, cluster) = (Unknown(now.Cluster, heard), now.Cluster);
                var epoch = Behind(cluster, heard) ? heard.Max(r => r.Epoch) + 1 : cluster.Epoch;
                if (unknown.Count == 0 && epoch == cluster.Epoch) { return (0, epoch, epoch); }
                changes.Cluster = NextRun(cluster, epoch, _random.NewTag(), unknown) with { Revision = cluster.Revision + 1 };
                var doubted = now.Instances.Values.Where(i => i.Stage is LifeStage.Ready or LifeStage.Failed).ToList();
                return (Doubted(doubted, $"node {node} has obeyed a newer engine than this database knows of", changes), cluster.Epoch, epoch);
            }, CancellationToken.None);
            Tell(node, done.Value);
            return done.Value.From == done.Value.To;
        }
        finally { Interlocked.Decrement(ref _reckoning); }
    }

    private void Tell(string node, (int Doubted, long From, long To) done)
    {
        if (done.Doubted > 0)
        {
            _log.InDoubt($"node {node} has obeyed a newer engine", done.Doubted);
            _events.Add("engine.outdated", Severity.Error, "cluster", $"The portal's database is not the newest: {node} has obeyed a newer one. Nothing is decided for {done.Doubted} mirrored instance(s) until both of their nodes have answered.");
        }
        if (done.To == done.From) { return; }
        _log.EpochRaised(done.From, done.To, node);
        Anew?.Invoke();
    }

    /// <summary>A node that obeyed this engine has turned to another one.</summary>
    public void Superseded(string why) =>
        _state.Halt(new Refusal("engine.superseded", $"This portal decides nothing any more: {why}.", "Stop one of the two portals; then start this one again if it is to be the one."));

    /// <summary>The cluster's row for a new run of the engine: what was told under the old one stays known.</summary>
    public static Cluster NextRun(Cluster old, long epoch, string tag, IEnumerable<EngineRun> reckonedWith) => epoch == old.Epoch
        ? old with { Runs = [.. old.Runs.Concat(reckonedWith).TakeLast(RunsKept)] }
        : old with { Epoch = epoch, Tag = tag, Runs = [.. old.Runs.Concat(reckonedWith).Append(new EngineRun(old.Epoch, old.Tag, old.Decisions)).TakeLast(RunsKept)] };

    /// <summary>Puts the mirrored ones in doubt; how many.</summary>
    public static int Doubted(IEnumerable<Instance> instances, string why, Changes changes, DateTimeOffset now)
    {
        var doubted = instances.Where(i => i is { Template: DiskTemplate.Mirror, Doubt: null }).ToList();
        foreach (var i in doubted) { changes.Instances.Add(i with { Doubt = new Doubt(now, why), Revision = i.Revision + 1 }); }
        return doubted.Count;
    }

    /// <summary>Many more than a node keeps, so that one that was away for long rarely looks unknown; if it does, that costs a question, not a decision.</summary>
    private const int RunsKept = 64;

    private int Doubted(IEnumerable<Instance> instances, string why, Changes changes) => Doubted(instances, why, changes, _clock.GetUtcNow());

    private static bool Behind(Cluster own, IReadOnlyList<EngineRun> heard) =>
        heard.Any(r => r.Epoch > own.Epoch || (r.Epoch == own.Epoch && !Matches(r, own.Tag)));

    private static List<EngineRun> Unknown(Cluster own, IReadOnlyList<EngineRun> heard) => heard.Where(r =>
        !(r.Epoch == own.Epoch && Matches(r, own.Tag) && r.Decisions <= own.Decisions)
        && !own.Runs.Any(k => k.Epoch == r.Epoch && Matches(r, k.Tag) && r.Decisions <= k.Decisions)).ToList();

    /// <summary>An agent that only heard orders of a run, or none of its tag, does not know it.</summary>
    private static bool Matches(EngineRun heard, string tag) => heard.Tag == tag || heard.Tag.Length == 0 || tag.Length == 0;
}
