// One node as the engine sees it: beats it, answers its keeper's challenges, keeps its newest report.
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Loop;

/// <summary>Times are the TimeProvider's monotonic timestamps.</summary>
public sealed class NodeWatch : IAsyncDisposable
{
    private readonly ClusterState _state;
    private readonly TimeProvider _clock;
    private readonly HeartbeatOptions _options;
    private readonly Standing _standing;
    private readonly ILogger _log;
    private readonly INodeLink _link;
    private readonly CancellationTokenSource _leaving = new();
    private readonly HashSet<(Guid, long)> _stoodDown = [];
    private readonly long _began;
    private static readonly TimeSpan LongCall = TimeSpan.FromMinutes(1);
    private CancellationTokenSource _answering = new();
    private CancellationTokenSource _sameRun = new();
    private readonly Signal _nudge = new();
    private Task _loops = Task.CompletedTask;
    private string? _nonce;
    private bool _askHello;
    private long? _heardAt;
    private long? _challengedAt;
    private long? _awaySince;
    private long _forgivenAt = long.MinValue;

    public NodeWatch(string node, INodeLink link, ClusterState state, Standing standing, TimeProvider clock, HeartbeatOptions options, ILogger log)
    {
        (Name, _link, _state, _standing, _clock, _options, _log) = (node, link, state, standing, clock, options, log);
        _began = clock.GetTimestamp();
    }

    public string Name { get; }
    public INodeLink Link => _link;

    /// <summary>The node's facts have changed (an image arrived); they are asked for with the next beat.</summary>
    public void AskHelloAgain()
    {
        _askHello = true;
        _nudge.Set();
    }

    public AgentHello? Hello { get; private set; }

    /// <summary>Null until the node has answered under this engine's epoch and was found to have obeyed no newer engine (R5).</summary>
    public BeatReply? LastReply { get; private set; }
    public DateTimeOffset? LastContact { get; private set; }

    /// <summary>When the beat was sent that the newest report answered: what was done on the node before is in it.</summary>
    public long? AsOf { get; private set; }
    public IReadOnlyDictionary<Guid, InstanceReport> Reports { get; private set; } = new Dictionary<Guid, InstanceReport>();

    /// <summary>The health last told to others; changed by the watcher's tick and by answers.</summary>
    public NodeHealth Health { get; private set; } = NodeHealth.Joining;

    /// <summary>The node answered this engine, or has been silent for so long that it counts as suspect: either way there is something to decide on.</summary>
    public bool Settled => Health != NodeHealth.Joining;

    /// <summary>How long it had been silent when it was found so.</summary>
    public TimeSpan? FoundAfter { get; private set; }

    /// <summary>How long it has been silent or set offline without a break, as far as this engine has seen; null: it is not.</summary>
    public TimeSpan? Away => _awaySince is { } since ? _clock.GetElapsedTime(since) : null;

    public TimeSpan Silence => _clock.GetElapsedTime(Math.Max(_heardAt ?? _began, _forgivenAt));

    /// <summary>Since the engine received a challenge of this node's keeper; its own start counts as one (R4).</summary>
    public TimeSpan SinceChallenge => _clock.GetElapsedTime(_challengedAt ?? _began);

    /// <summary>Raised on the engine's context after each answer and each change of health (the old health is given).</summary>
    public event Action<NodeWatch, NodeHealth>? Changed;

    public InstanceReport? ReportOf(Guid instance) => Reports.GetValueOrDefault(instance);

    public void Begin() => _loops = Task.WhenAll(BeatLoopAsync(), EventLoopAsync());

    /// <summary>Beat now rather than at the next turn.</summary>
    public void Nudge() => _nudge.Set();

    /// <summary>From now on this node's challenges are not answered for the generation (R4).</summary>
    public void StandDown(GenerationRecord record) { lock (_stoodDown) { _stoodDown.Add((record.Instance, record.Number)); } }

    public void StandUp(GenerationRecord record) { lock (_stoodDown) { _stoodDown.Remove((record.Instance, record.Number)); } }

    private bool Answers(GenerationRecord record) { lock (_stoodDown) { return !_stoodDown.Contains((record.Instance, record.Number)); } }

    /// <summary>
    /// A call that ends early with node.unreachable when the node falls silent, however long its limit. One that may take long also ends when
    /// another run of the agent answers: that of a machine that was switched off and on within a moment never will, and no packet says so.
    /// </summary>
    public async Task<Outcome<TReply>> CallAsync<TReply>(IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct)
    {
        if (Health is NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline || (call is IOrder && LastReply is null)) { return Unreachable(); }
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, _answering.Token, limit > LongCall ? _sameRun.Token : CancellationToken.None);
        try
        {
            return await _link.CallAsync(call, limit, both.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Unreachable();
        }
    }

    public Refusal Unreachable() => new("node.unreachable", $"Node {Name} does not answer.", "Wait until it is back, or look at its page.");

    /// <summary>Recomputes health from the clock; called by the watcher's tick.</summary>
    public void Tick()
    {
        var offline = _state.Now.Nodes.TryGetValue(Name, out var node) && node.Offline;
        SetHealth(Plan.Health.Of(offline, LastReply is not null, Silence, SinceChallenge, _options));
    }

    /// <summary>The engine itself stood still: the node's silence says nothing. The clock of its challenges is left alone, it only makes R4 wait.</summary>
    public void Forgive()
    {
        // One that has never answered this engine and was given up on stays so: it would be waited for anew after each pause.
        if (LastReply is not null || Health == NodeHealth.Joining) { _forgivenAt = _clock.GetTimestamp(); }
    }

    private void SetHealth(NodeHealth health)
    {
        if (health == Health) { return; }
        var old = Health;
        Health = health;
        _awaySince = health is NodeHealth.Online or NodeHealth.Joining ? null : _awaySince ?? _clock.GetTimestamp();
        if (old is not (NodeHealth.Suspect or NodeHealth.Lost)) { FoundAfter = health == NodeHealth.Online ? null : Silence; }
        _log.HealthChanged(Name, old, health, Silence);
        if (health is NodeHealth.Suspect or NodeHealth.Lost && !_answering.IsCancellationRequested) { _answering.Cancel(); }
        if (health == NodeHealth.Online && _answering.IsCancellationRequested) { _answering = new CancellationTokenSource(); }
        Changed?.Invoke(this, old);
    }

    private async Task BeatLoopAsync()
    {
        var ct = _leaving.Token;
        while (!ct.IsCancellationRequested)
        {
            var began = _clock.GetTimestamp();
            try
            {
                await BeatAsync(ct);
                var rest = _options.Every - _clock.GetElapsedTime(began);
                if (rest > TimeSpan.Zero) { await _nudge.WaitAsync(rest, _clock, ct); }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            catch (LeaseLostException) { return; }
            catch (Exception ex) { _log.BeatFailed(ex, Name); await Task.Delay(_options.Every, _clock, CancellationToken.None); }
            _nudge.Reset();
        }
    }

    private async Task BeatAsync(CancellationToken ct)
    {
        var picture = _state.Now;
        // The first beat of an epoch only asks: what the node has obeyed may be newer than all this engine knows.
        var answers = LastReply is not null && _standing.MayAnswer;
        var request = new BeatRequest(picture.Cluster.Name, picture.Cluster.Epoch, Name)
        {
            Tag = picture.Cluster.Tag,
            Decisions = picture.Cluster.Decisions,
            Nonce = answers ? _nonce : null,
            StandsBehind = answers ? StandsOn(picture).Where(i => i.Doubt is null).Select(i => i.Generation).OfType<GenerationRecord>().Where(Answers).ToList() : [],
            Peers = picture.Nodes.Values.ToDictionary(n => n.Name, n => n.Address),
            KnownState = LastReply?.StateSerial ?? 0,
            KnownRun = LastReply?.Run ?? Guid.Empty,
        };
        _nonce = null;
        var sent = _clock.GetTimestamp();
        var reply = await _link.CallAsync(request, _options.Limit, ct);
        if (picture.Cluster.Epoch != _state.Now.Cluster.Epoch) { return; }   // it was asked under an epoch that is over
        if (reply.Ok) { await HeardAsync(reply.Value, sent, ct); }
        else if (reply.Refusal.Code == "order.stale-epoch") { await ObeysAnotherAsync(reply.Refusal, ct); }
        else if (reply.Refusal.Code != "node.unreachable") { _log.BeatRefused(Name, reply.Refusal.Code, reply.Refusal.Message); }
    }

    /// <summary>Also what it has traces of without being one of its nodes any more: a guest left there hears of the newer record.</summary>
    private IEnumerable<Instance> StandsOn(Picture picture) => picture.On(Name).Concat(Reports.Keys.Select(id => picture.Instances.GetValueOrDefault(id)).OfType<Instance>().Where(i => i.Primary != Name && i.Secondary != Name));

    private async Task HeardAsync(BeatReply reply, long sent, CancellationToken ct)
    {
        var newRun = LastReply?.Run != reply.Run;
        (_heardAt, LastContact, _nonce) = (_clock.GetTimestamp(), _clock.GetUtcNow(), reply.Nonce);
        if (reply.Nonce is not null) { _challengedAt = _heardAt; }
        if (newRun || Hello is null || _askHello)
        {
            var hello = await _link.CallAsync(new HelloRequest(), _options.Limit, ct);
            if (!hello.Ok || !await _standing.ReckonAsync(Name, hello.Value.Engines)) { return; }
            (Hello, _askHello) = (hello.Value, false);
        }
        if (LastReply is null) { Nudge(); }   // now its challenge may be answered, and it hears what is newest
        if (newRun && LastReply is not null)
        {
            _sameRun.Cancel();
            _sameRun = new CancellationTokenSource();
        }
        var news = newRun || reply.Instances is not null || reply.DiskFault != LastReply?.DiskFault || reply.Keeper != LastReply?.Keeper;
        (LastReply, AsOf) = (reply, sent);
        if (reply.Instances is { } instances) { Reports = instances.ToDictionary(r => r.Instance); }
        var old = Health;
        Tick();
        if (news && Health == old) { Changed?.Invoke(this, old); }
    }

    /// <summary>It obeys a newer engine. If it obeyed this one before, this one was replaced; otherwise this one goes past it, knowing that its database is old.</summary>
    private async Task ObeysAnotherAsync(Refusal refusal, CancellationToken ct)
    {
        if (LastReply is not null)
        {
            _standing.Superseded($"node {Name} has turned to another one");
            return;
        }
        _log.BeatRefused(Name, refusal.Code, refusal.Message);
        var hello = await _link.CallAsync(new HelloRequest(), _options.Limit, ct);
        if (hello.Ok) { await _standing.ReckonAsync(Name, hello.Value.Engines); }
    }

    /// <summary>The epoch was raised: the node has not answered under it.</summary>
    public void Anew()
    {
        (LastReply, _nonce, Reports) = (null, null, new Dictionary<Guid, InstanceReport>());
        Tick();
        Nudge();
    }

    /// <summary>Events only say "ask now"; what is lost while the stream is down comes with the next beat anyway.</summary>
    private async Task EventLoopAsync()
    {
        var ct = _leaving.Token;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await foreach (var happened in _link.EventsAsync(ct))
                {
                    _log.NodeSaid(Name, happened.Kind, happened.Instance, happened.Text);
                    Nudge();
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            catch (Exception ex) { _log.EventsFailed(ex, Name); }
            try { await Task.Delay(_options.Every, _clock, ct); }
            catch (OperationCanceledException) { return; }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        _answering.Cancel();
        await _loops;
        _leaving.Dispose();
        _answering.Dispose();
        _sameRun.Dispose();
    }
}
