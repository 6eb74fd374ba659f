// The orchestrator as one object: loads the state, begins a new epoch, watches, reconciles, runs jobs.
using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Contracts.Agent;
using WebManager.Engine.Live;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine;

/// <summary>What a cluster is begun with when the database is empty. Subnet and gateway may change later through the configuration.</summary>
public sealed record ClusterDefaults(string Name)
{
    public string? Subnet { get; init; }
    public string? Gateway { get; init; }
}

/// <summary>
/// Everything runs on the caller's synchronisation context (none in the portal, the simulator's own in tests): no Task.Run, no
/// ConfigureAwait(false), no clock but the TimeProvider.
/// </summary>
public sealed class ClusterEngine : IClusterEngine, IAsyncDisposable
{
    private readonly IClusterStore _store;
    private readonly EngineParts _parts;
    private readonly JobRunner _runner;
    private readonly Door _door;
    private readonly RowMaker _rows;
    private readonly Reconciler _reconciler;
    private readonly DatabaseLease _lease;
    private readonly Lock _ending = new();
    private Task? _stopped;
    private Task? _ended;

    public ClusterEngine(IClusterStore store, INodeLinks links, IImageCatalog images, IRandomness random, TimeProvider clock,
        HeartbeatOptions heartbeat, RecoveryOptions recovery, ILogger log, IPeople people, IStepObserver? steps = null, IPowerControl? power = null)
    {
        _store = store;
        var state = new ClusterState(store, clock);
        _lease = new DatabaseLease(store, random.NewGuid(), clock, heartbeat, log);
        var events = new EventBook(state, Feeds, clock, log);
        var standing = new Standing(state, _lease, random, clock, events, log);
        var nodes = new NodeBook(links, state, standing, clock, heartbeat, log);
        power ??= new NoPowerControl();
        _parts = new EngineParts(state, nodes, images, random, clock, heartbeat, recovery, new PowerDesk(power, nodes, events, clock, heartbeat.Every * 1.5),
            new NodeFaults(nodes, state, events, clock, heartbeat, recovery), events, Feeds, steps, log, people);
        _runner = new JobRunner(_parts, store);
        _door = new Door(_parts, _runner, store);
        _runner.Door = _door;
        _rows = new RowMaker(state, nodes, Feeds, events, power, people);
        _reconciler = new Reconciler(_parts, _door, _rows);
        state.Committed += OnCommitted;
        state.Halting += OnHalting;
        nodes.Changed += OnNode;
        people.Changed += _rows.OnPeople;
    }

    public ClusterFeeds Feeds { get; } = new();
    public Cluster Cluster => _parts.Now.Cluster;
    public Picture Now => _parts.Now;
    public Refusal? Halted => _parts.State.Halted;

    /// <summary>Begins the next epoch on what the store holds; answers when the engine watches and open jobs are being carried on.</summary>
    public async Task StartAsync(ClusterDefaults defaults, CancellationToken ct)
    {
        var former = await _lease.TakeAsync(ct);
        var stored = await _store.LoadAsync(ct);
        var moved = former is not null && former.Place != _store.Place;
        var lease = await BeginRunAsync(stored, RunOf(stored.Cluster, defaults), moved, ct);
        var picture = _parts.Now;
        await ShowLogsAsync(picture, ct);
        _rows.All();
        _parts.Events.Begin(stored.LastEventId, stored.Events);
        foreach (var node in picture.Nodes.Values) { _parts.Nodes.Add(node); }
        if (moved) { TellMoved(picture); }
        _lease.Begin(lease);
        _parts.Nodes.Begin();
        var open = picture.Jobs.Values.Where(j => !j.Ended).ToList();
        _parts.Log.Began(picture.Cluster.Epoch, picture.Nodes.Count, picture.Instances.Count, open.Count);
        if (open.Count > 0) { _parts.Events.Add("engine.recovered", Severity.Info, "cluster", $"The engine is back; {open.Count} open job(s) are carried on."); }
        _runner.Begin(picture.Cluster);
        foreach (var job in open.OrderBy(j => j.Status is not (JobStatus.Running or JobStatus.Canceling))) { _runner.Begin(job, resumed: true); }   // first those that held their locks
        _reconciler.Begin();
    }

    private Cluster RunOf(Cluster? old, ClusterDefaults defaults) => old is null
        ? new Cluster(_parts.Random.NewGuid(), defaults.Name, 1, _parts.Clock.GetUtcNow(), 1) { Subnet = defaults.Subnet, Gateway = defaults.Gateway, Tag = _parts.Random.NewTag() }
        : Standing.NextRun(old, old.Epoch + 1, _parts.Random.NewTag(), []) with { Revision = old.Revision + 1, Subnet = defaults.Subnet ?? old.Subnet, Gateway = defaults.Gateway ?? old.Gateway };

    /// <summary>
    /// The new epoch and, in the same transaction, what follows when this database was moved, copied or restored since an engine last worked on it
    /// (R5): every mirrored instance is in doubt, and what was under way then is not carried on.
    /// </summary>
    private async Task<EngineLease> BeginRunAsync(StoredState stored, Cluster cluster, bool moved, CancellationToken ct)
    {
        EngineLease? lease = null;
        _parts.State.Begin(PictureOf(stored, cluster));
        _parts.State.Holder = _lease.Holder;
        await _parts.State.ChangeAsync<Done>((now, changes) =>
        {
            changes.Cluster = cluster;
            if (now.Groups.IsEmpty) { changes.Groups.Add(new NodeGroup(NodeGroup.FirstId, NodeGroup.FirstName, _parts.Clock.GetUtcNow(), 1)); }
            _lease.MoveHere(changes);
            lease = changes.Lease;
            if (moved) { Restored.Into(changes, now, _parts.Clock.GetUtcNow()); }
            // Instances from before there was a ledger.
            if (now.Holdings.IsEmpty) { Quota.Ledger.Repair(now, changes, _parts.Clock.GetUtcNow(), "quota.begin", 0); }
            return Done.Value;
        }, ct);
        return lease!;
    }

    private void TellMoved(Picture picture)
    {
        var doubted = picture.Instances.Values.Count(i => i.Doubt is not null);
        _parts.Log.InDoubt("it was moved, copied or restored", doubted);
        _parts.Events.Add("engine.restored", Severity.Warning, "cluster", $"The portal's database was moved, copied or restored. Nothing is decided for {doubted} mirrored instance(s) until both of their nodes have answered; what was under way is not carried on.");
    }

    private static Picture PictureOf(StoredState stored, Cluster cluster) => new(cluster)
    {
        Nodes = stored.Nodes.ToImmutableSortedDictionary(n => n.Name, n => n, StringComparer.Ordinal),
        Groups = stored.Groups.ToImmutableSortedDictionary(g => g.Id, g => g),
        Instances = stored.Instances.ToImmutableSortedDictionary(i => i.Id, i => i),
        Names = stored.Instances.ToImmutableSortedDictionary(i => i.Name, i => i.Id, StringComparer.Ordinal),
        Jobs = stored.Jobs.ToImmutableSortedDictionary(j => j.Id, j => j),
        Open = [.. stored.Jobs.Where(j => !j.Ended).OrderBy(j => j.Id)],
        OpenReservations = [.. stored.Jobs.Where(j => !j.Ended && j.Reserved is not null)],
        UserGroups = stored.UserGroups.ToImmutableSortedDictionary(g => g.Id, g => g),
        Grants = stored.Grants.ToImmutableSortedDictionary(g => g.Key, g => g, StringComparer.Ordinal),
        Access = new AccessIndex(stored.Grants, stored.UserGroups),
        Holdings = stored.Holdings.ToImmutableSortedDictionary(h => h.Owner, h => h, StringComparer.Ordinal),
        UserRequests = stored.UserRequests.ToImmutableSortedDictionary(r => r.Id, r => r),
        SshKeys = stored.SshKeys.ToImmutableSortedDictionary(k => k.Id, k => k),
        Templates = stored.Templates.ToImmutableSortedDictionary(t => t.Id, t => t),
        Quotas = stored.Quotas.ToImmutableSortedDictionary(q => q.Owner, q => q, StringComparer.Ordinal),
        Removed = [.. stored.Removed],
        LastJobId = stored.LastJobId,
    };

    /// <summary>Open jobs go on with the next serial of their log.</summary>
    private async Task ShowLogsAsync(Picture picture, CancellationToken ct)
    {
        _rows.All();
        foreach (var job in picture.Jobs.Values.Where(j => !j.Ended))
        {
            foreach (var line in await _store.JobLogAsync(job.Id, ct)) { _rows.Show(line); }
        }
    }

    public Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, CancellationToken ct) => SubmitAsync(request, caller, why, JobTerms.Usual, ct);

    public Task<Outcome<long>> SubmitAsync(OperationRequest request, Caller caller, string why, JobTerms terms, CancellationToken ct) => _door.SubmitAsync(request, caller, why, terms, ct);

    public Task<bool> ChangedAsync(long job, Func<bool> known, TimeSpan limit, CancellationToken ct) => _runner.ChangedAsync(job, known, limit, ct);

    public IReadOnlyList<LockRow> Locks => _runner.Locks;

    public OwnerRow? OwnerRow(string owner) => _rows.OwnerRow(owner);

    public Sight SightOf(Caller caller) => new(() => _parts.Now, caller);

    public Refusal? WouldRefuse(OperationRequest request, Caller caller) => _door.WouldRefuse(request, caller);

    public async Task<Job> WaitAsync(long job, CancellationToken ct) =>
        await _runner.WaitAsync(job, ct) ?? await _store.JobAsync(job, ct) ?? throw new KeyNotFoundException($"There is no job {job}.");

    public MaintenancePlan? PlanMaintenance(string node) => _parts.Now.Nodes.ContainsKey(node) ? MaintenancePlanner.Plan(node, _parts.Now, _parts) : null;

    public Instance? FindInstance(string nameOrId) => _parts.Now.Find(nameOrId);

    /// <summary>A read-only call to a node's agent (serial tail and the like).</summary>
    public Task<Outcome<TReply>> AskAsync<TReply>(string node, IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct) =>
        _parts.Nodes.Find(node) is { } watch
            ? watch.CallAsync(call, limit, ct)
            : Task.FromResult<Outcome<TReply>>(new Refusal("node.unknown", $"There is no node {Shown.Name(node)}."));

    /// <summary>Something that a face saw or did beside the operations, like a plug pulled in the lab.</summary>
    public void RecordEvent(string kind, Severity severity, string subject, string text) => _parts.Events.Add(kind, severity, subject, text);

    private void OnCommitted(Picture before, Changes changes)
    {
        _rows.OnCommitted(before, changes);
        _runner.Noticed(changes);
        if (before.Cluster.FrozenAt is not null && changes.Cluster is { FrozenAt: null }) { _parts.Faults.Released(); }
        var ended = changes.Jobs.Where(j => j.Ended && !(before.Jobs.GetValueOrDefault(j.Id)?.Ended ?? false)).ToList();
        foreach (var job in ended) { _reconciler.Ended(job); }
        if (changes.Instances.Count > 0 || changes.Cluster is not null || changes.Groups.Count > 0 || ended.Count > 0) { _reconciler.Look(); }
        foreach (var i in changes.Instances.Where(i => i.Generation is not null))
        {
            _parts.Nodes.Find(i.Primary)?.Nudge();   // the keeper's next lease is for the new generation
        }
    }

    private void OnNode(NodeWatch watch, NodeHealth old)
    {
        _rows.OnNode(watch, old);
        _parts.Faults.Changed(watch, old);
        _reconciler.Look();
        if (watch.Hello is { } hello) { Adopt(watch.Name, hello); }
    }

    /// <summary>Keeps the stored capacity equal to what the agent states.</summary>
    private void Adopt(string name, AgentHello hello)
    {
        static bool Same(Node n, AgentHello h) => n.Cpus == h.Cpus && n.MemoryMiB == h.MemoryMiB && n.DiskMiB == h.DiskMiB;
        if (!_parts.Now.Nodes.TryGetValue(name, out var node) || Same(node, hello)) { return; }
        _ = _parts.State.ChangeAsync<Done>((now, changes) =>
        {
            if (now.Nodes.TryGetValue(name, out var n) && !Same(n, hello))
            {
                changes.Nodes.Add(n with { Cpus = hello.Cpus, MemoryMiB = hello.MemoryMiB, DiskMiB = hello.DiskMiB, Revision = n.Revision + 1 });
            }
            return Done.Value;
        }, CancellationToken.None);
    }

    private void OnHalting(Refusal why)
    {
        _parts.Log.StandsStill(why.Message);
        _parts.Events.Add("engine.superseded", Severity.Error, "cluster", $"{why.Message} {why.Remedy}");
        _ = StopAsync();
    }

    /// <summary>Ends the loops, jobs and beats; the rows stay as they were last seen.</summary>
    private Task StopAsync()
    {
        lock (_ending) { return _stopped ??= StopPartsAsync(); }
    }

    private async Task StopPartsAsync()
    {
        await Task.Yield();   // what finds out that it has to stop is one of the parts
        await _reconciler.DisposeAsync();
        await _runner.DisposeAsync();
        await _parts.Nodes.DisposeAsync();
        await _parts.Events.DisposeAsync();
        if (_parts.State.Halted is null) { await _lease.ReleaseAsync(); } else { await _lease.AbandonAsync(); }
    }

    /// <summary>Stops everything; a second time does nothing (a container disposes it once for each name it is registered under).</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_ending) { _ended ??= StopAsync(); }
        await _ended;
    }
}
