// All watches by name, and what can be awaited of them.
using Microsoft.Extensions.Logging;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Loop;

public sealed class NodeBook(INodeLinks links, ClusterState state, Standing standing, TimeProvider clock, HeartbeatOptions options, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(100);
    private readonly SortedDictionary<string, NodeWatch> _watches = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Signal _anything = new();
    private Task _ticking = Task.CompletedTask;

    public event Action<NodeWatch, NodeHealth>? Changed;

    public IReadOnlyList<NodeWatch> All { get { lock (_watches) { return [.. _watches.Values]; } } }

    public NodeWatch? Find(string? node)
    {
        lock (_watches) { return node is null ? null : _watches.GetValueOrDefault(node); }
    }

    public NodeHealth HealthOf(string? node) => Find(node)?.Health ?? NodeHealth.Lost;

    /// <summary>One that is not known has always been silent.</summary>
    public TimeSpan SilenceOf(string? node) => Find(node)?.Silence ?? TimeSpan.MaxValue;

    public InstanceReport? ReportOf(string? node, Guid instance) => Find(node)?.ReportOf(instance);

    /// <summary>
    /// Each node that the engine began with has answered it, or was silent for so long that it counts as away: what any of them could say against
    /// this database was heard (R5).
    /// </summary>
    public bool Opened { get; private set; }

    /// <summary>All nodes, with what those that answered have of the instance.</summary>
    public IReadOnlyList<Witness> WitnessesOf(Guid instance) => [.. All.Select(w => new Witness(w.Name, w.Health == NodeHealth.Online, w.ReportOf(instance)))];

    public void Begin()
    {
        standing.Anew += () => { foreach (var watch in All) { watch.Anew(); } };
        _ticking = TickAsync();
    }

    public Task OpenedAsync(CancellationToken ct) => Opened ? Task.CompletedTask : UntilAsync(Open, Timeout.InfiniteTimeSpan, ct);

    private bool Open() => Opened |= All.All(w => w.Settled);

    public void Add(Node node)
    {
        var watch = new NodeWatch(node.Name, links.To(node.Name, node.Address), state, standing, clock, options, log);
        watch.Changed += OnChanged;
        lock (_watches) { _watches[node.Name] = watch; }
        watch.Begin();
    }

    public async Task RemoveAsync(string node)
    {
        NodeWatch? watch;
        lock (_watches) { _watches.Remove(node, out watch); }
        if (watch is not null) { await watch.DisposeAsync(); }
    }

    /// <summary>Waits for the condition, looked at after every report and every tick; false when the limit passed first.</summary>
    public async Task<bool> UntilAsync(Func<bool> met, TimeSpan limit, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        while (!met())
        {
            var rest = limit == Timeout.InfiniteTimeSpan ? TickEvery : limit - clock.GetElapsedTime(began);
            if (rest <= TimeSpan.Zero) { return false; }
            await _anything.WaitAsync(rest < TickEvery ? rest : TickEvery, clock, ct);
        }
        return true;
    }

    /// <summary>Waits a little for reports of these nodes that are newer than now; nodes that do not answer are not waited for.</summary>
    public Task CaughtUpAsync(IEnumerable<string> nodes, CancellationToken ct)
    {
        var (now, watches) = (clock.GetTimestamp(), nodes.Select(Find).OfType<NodeWatch>().ToList());
        foreach (var watch in watches) { watch.Nudge(); }
        return UntilAsync(() => watches.All(w => w.Health != NodeHealth.Online || w.AsOf >= now), TimeSpan.FromSeconds(1), ct);
    }

    private void OnChanged(NodeWatch watch, NodeHealth old)
    {
        Changed?.Invoke(watch, old);
        _anything.Pulse();
    }

    private async Task TickAsync()
    {
        var last = clock.GetTimestamp();
        while (!_leaving.IsCancellationRequested)
        {
            var stoodStill = clock.GetElapsedTime(last) > TickEvery * 5;
            last = clock.GetTimestamp();
            foreach (var watch in All)
            {
                if (stoodStill) { watch.Forgive(); }
                watch.Tick();
            }
            try { await Task.Delay(TickEvery, clock, _leaving.Token); }
            catch (OperationCanceledException) { return; }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        await _ticking;
        foreach (var watch in All) { await watch.DisposeAsync(); }
        _leaving.Dispose();
    }
}
