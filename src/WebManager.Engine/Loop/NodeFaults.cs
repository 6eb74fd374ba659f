// What the nodes' silences say about the cluster: many at once freeze recovery (S40), one that falls silent again and again is drained (S43).
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Loop;

/// <summary>Remembers only what it has seen itself; the decisions it makes are stored.</summary>
public sealed class NodeFaults(NodeBook nodes, ClusterState state, EventBook events, TimeProvider clock, HeartbeatOptions beats, RecoveryOptions limits)
{
    private readonly Dictionary<string, List<long>> _silences = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private long? _releasedAt;

    /// <summary>Lost together, right now; empty: recovery may go on.</summary>
    /// <param name="after">The silence of the first of them that counts; null: the isolation time.</param>
    public IReadOnlyList<string> LostTogether(TimeSpan? after = null)
    {
        TimeSpan? released;
        lock (_gate) { released = _releasedAt is { } at ? clock.GetElapsedTime(at) : null; }
        return Freeze.Lost([.. nodes.All.Select(w => new NodeSight(w.Name, w.Health, w.LastReply is not null, w.Silence, Expected(w)))], limits.FreezeWindow, after ?? beats.Isolation, released);
    }

    private bool Expected(NodeWatch watch) => Maintenance.AwayExpected(watch.Name, state.Now) || AgentRestarts.SilenceExpected(watch.Name, watch.Silence, state.Now);

    public void Released() { lock (_gate) { _releasedAt = clock.GetTimestamp(); } }

    /// <summary>Stores the freeze when there is reason for one.</summary>
    public async Task FreezeAsync(CancellationToken ct)
    {
        if (state.Now.Cluster.FrozenAt is not null || LostTogether() is not { Count: > 0 } lost) { return; }
        var text = $"{string.Join(", ", lost)} were lost at once.";
        var frozen = await state.ChangeAsync<bool>((now, changes) =>
        {
            if (now.Cluster.FrozenAt is not null) { return false; }
            changes.Cluster = now.Cluster with { FrozenAt = clock.GetUtcNow(), FrozenText = text, Revision = now.Cluster.Revision + 1 };
            return true;
        }, ct);
        if (frozen is not { Ok: true, Value: true }) { return; }
        events.Add("recovery.frozen", Severity.Error, "cluster", $"{text} That looks like a fault of the network or the power, so nothing is started elsewhere until an administrator releases it. Nodes that return go on as usual.", "on", "frozen");
    }

    /// <summary>A node changed its health; one that does so too often is drained.</summary>
    public void Changed(NodeWatch watch, NodeHealth old)
    {
        if (old != NodeHealth.Online || watch.Health is not (NodeHealth.Suspect or NodeHealth.Lost) || Expected(watch)) { return; }
        lock (_gate)
        {
            if (!_silences.TryGetValue(watch.Name, out var times)) { _silences[watch.Name] = times = []; }
            times.RemoveAll(t => clock.GetElapsedTime(t) > limits.FlapWindow);
            times.Add(clock.GetTimestamp());
            if (times.Count < limits.FlapLimit) { return; }
            times.Clear();
        }
        _ = DrainAsync(watch.Name);
    }

    private async Task DrainAsync(string node)
    {
        var why = $"It fell silent {limits.FlapLimit} times within {limits.FlapWindow.TotalMinutes:0.#} minutes.";
        var drained = await state.ChangeAsync<bool>((now, changes) =>
        {
            if (!now.Nodes.TryGetValue(node, out var n) || n.Drained) { return false; }
            changes.Nodes.Add(n with { Drained = true, DrainedWhy = why, Revision = n.Revision + 1 });
            return true;
        }, CancellationToken.None);
        if (drained is { Ok: true, Value: true })
        {
            events.Add("node.drained", Severity.Error, $"node:{node}", $"{node} is drained: {char.ToLowerInvariant(why[0])}{why[1..]} It gets no new instances until a person takes that back.", "no", "yes");
        }
    }
}
