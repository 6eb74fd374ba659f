// The lab as a whole: brings its nodes up, pulls plugs, begins anew. One change at a time.
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Data;
using WebManager.Web.Nodes;

namespace WebManager.Web.Lab;

public sealed class LabCluster(IOptions<LabOptions> settings, DataFolder data, IServiceProvider services, TimeProvider time, ILogger<LabCluster> log)
    : IDisposable
{
    private static readonly Caller s_caller = new("", "lab", true, "lab");
    private static readonly TimeSpan s_joinLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_jobLimit = TimeSpan.FromSeconds(90);

    private readonly LabOptions _options = settings.Value;
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private IReadOnlyList<LabNode> _nodes = [];
    private LabProcesses? _processes;
    private LabNetwork? _network;
    private LabSwitch? _switch;
    private bool _broughtUp;

    public bool Enabled => _options.Enabled;

    /// <summary>Known once the lab's service has started, which is before the engine; null without a lab.</summary>
    public LabIdentity? Identity { get; private set; }

    /// <summary>Every living process of the lab's nodes, by its marker.</summary>
    internal LabProcesses Processes => _processes ?? throw new InvalidOperationException("The lab is not open.");

    private LabSwitch Switch => _switch ?? throw new InvalidOperationException("The lab is not open.");

    private IClusterEngine Engine => services.GetRequiredService<IClusterEngine>();

    public async Task OpenAsync(CancellationToken ct)
    {
        var folder = data.Folder("lab");
        var possible = await LabNetwork.PossibleAsync(ct);
        Identity = LabIdentity.Open(folder, _options.Network, possible ? LabWires.Namespaces : LabWires.Loopback, await LabNetwork.UsedAsync(ct));
        _processes = new LabProcesses(Identity.Id, time);
        _network = Identity.Wires == LabWires.Namespaces ? new LabNetwork(Identity, folder) : null;
        _switch = new LabSwitch(Identity);
        await _switch.ReadAsync(ct);
        var program = AgentProgram.Install(_options.Agent, folder, Processes.Find());
        _nodes = [.. Enumerable.Range(1, _options.Nodes).Select(i => new LabNode(i, Identity, _options, folder, program, time))];
        if (_network is not null && !possible)
            throw new InvalidOperationException($"The lab in {folder} was made with network namespaces, which need root. Run as root, or remove {folder} to begin a new lab.");
    }

    /// <summary>Nodes that run are found again, those that do not are started, those that never joined join.</summary>
    public async Task BringUpAsync(CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            _broughtUp = true;
            if (_network is not null) await _network.EnsureHostAsync(ct);
            var results = await Task.WhenAll(_nodes.Select(n => BringUpAsync(n, ct)));
            foreach (var failed in results.Where(r => !r.Ok)) log.LabNodeFailed(failed.Refusal!.Message);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<Outcome<Done>> BringUpAsync(LabNode node, CancellationToken ct)
    {
        try
        {
            if (!node.HasJoined)
            {
                await Processes.KillAsync(node.Name, ct);
                node.Forget();
                if (await JoinAsync(node, ct) is { Ok: false } refused) return refused;
            }
            else if (Engine.Feeds.Nodes.Find(node.Name) is null)
            {
                // The portal's data is another or older: what the node holds may be all that is left. Guests go on under their keeper.
                if (await JoinAsync(node, ct) is { Ok: false } refused) return refused;
                await Processes.AskToEndAsync(p => p.IsAgent && p.Node == node.Name, TimeSpan.FromSeconds(2), ct);
            }
            return await StartAsync(node, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new Refusal("lab.failed", $"Node {node.Name}: {e.Message}");
        }
    }

    private async Task<Outcome<Done>> JoinAsync(LabNode node, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(s_joinLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var token = await services.GetRequiredService<IJoinTokens>().CreateAsync(node.Name, s_caller, either.Token);
        if (!token.Ok) return token.Refusal;
        log.LabNodeJoins(node.Name, node.Address);
        return await node.JoinAsync(PortalAddress(), token.Value.Token, either.Token);
    }

    private async Task<Outcome<Done>> StartAsync(LabNode node, CancellationToken ct)
    {
        // An agent that was killed a moment ago is still listed; taking it for a running one would leave the node without any.
        var running = await Processes.LivingAsync(node.Name, ct);
        if (_network is not null)
        {
            // With nothing running the node comes up like a machine that was off: no taps and addresses from before, and whole cables.
            if (running.Count == 0)
            {
                if (await HealAsync(node, null, ct) is { Ok: false } refused) return refused;
                await _network.RemoveNodeAsync(node.Number, ct);
            }
            await _network.EnsureNodeAsync(node.Number, ct);
        }
        if (running.Any(p => p.IsAgent)) return Done.Value;
        if (Switch.Cuts.Nodes.Contains(node.Number)) return new Refusal("lab.cut.off", $"{node.Name} is cut off, so nobody could see whether its agent starts.", $"wm lab heal {node.Name}");
        log.LabNodeStarts(node.Name, running.Count);
        return await node.StartAsync(ct);
    }

    private Uri PortalAddress()
    {
        var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var address = addresses.OrderBy(a => a.StartsWith("https:", StringComparison.OrdinalIgnoreCase)).FirstOrDefault()
            ?? throw new InvalidOperationException("The portal listens nowhere, so the lab's nodes cannot join.");
        var own = BindingAddress.Parse(address);
        return new Uri($"{own.Scheme}://{(own.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : own.Host)}:{own.Port}");
    }

    public LabView View()
    {
        if (Identity is null) return new LabView(false, null, []);
        var running = Processes.Find().ToLookup(p => p.Node);
        return new LabView(true, Identity.Subnet ?? $"{Identity.Prefix}.0/24", [.. _nodes.Select(n => View(n, [.. running[n.Name]]))]);
    }

    private LabNodeView View(LabNode node, IReadOnlyList<LabProcess> running)
    {
        var state = running.Count == 0 ? "down" : running.All(p => p.Stopped) ? "frozen" : "running";
        return new LabNodeView(node.Name, node.Address, state, running.Count, _options.Cpus, _options.MemoryMiB, _options.DiskMiB)
        {
            CutOff = Switch.Cuts.Nodes.Contains(node.Number), CutFrom = [.. Switch.Cuts.From(node.Number).Select(m => $"n{m}")],
        };
    }

    public Task<Outcome<LabView>> KillAsync(string node, CancellationToken ct) => OnNodeAsync(node, async n =>
    {
        await Processes.KillAsync(n.Name, ct);
        if (_network is not null) await _network.ForgetAddressesAsync(n.Number, ct);
        return Done.Value;
    }, ct);

    public Task<Outcome<LabView>> FreezeAsync(string node, CancellationToken ct) => OnNodeAsync(node, async n =>
    {
        if (Processes.Find(n.Name).Count == 0) return new Refusal("lab.down", $"{n.Name} is down; there is nothing to freeze.", $"wm lab start {n.Name}");
        await Processes.FreezeAsync(n.Name, ct);
        return Done.Value;
    }, ct);

    public Task<Outcome<LabView>> ThawAsync(string node, CancellationToken ct) => OnNodeAsync(node, async n =>
    {
        await Processes.ThawAsync(n.Name, ct);
        return Done.Value;
    }, ct);

    public Task<Outcome<LabView>> StartAsync(string node, CancellationToken ct) => OnNodeAsync(node, async n =>
        Processes.Find(n.Name) is { Count: > 0 } running && running.All(p => p.Stopped)
            ? new Refusal("lab.frozen", $"{n.Name} is frozen.", $"wm lab thaw {n.Name}")
            : await BringUpAsync(n, ct), ct);

    private async Task<Outcome<LabView>> OnNodeAsync(string name, Func<LabNode, Task<Outcome<Done>>> act, CancellationToken ct)
    {
        if (Identity is null) return s_noLab;
        return _nodes.FirstOrDefault(n => n.Name == name) is { } node ? await AloneAsync(() => act(node), ct) : NoNode("lab.node.not-found", name, "name");
    }

    /// <summary>Silently, from everything or from one other node; its links stay up.</summary>
    public Task<Outcome<LabView>> CutAsync(string node, string? from, CancellationToken ct) =>
        OnPairAsync(node, from, (n, other) => Switch.ChangeAsync(cuts => cuts.Cut(n.Number, other?.Number), ct), ct);

    public Task<Outcome<LabView>> HealAsync(string node, string? from, CancellationToken ct) => OnPairAsync(node, from, (n, other) => HealAsync(n, other, ct), ct);

    public async Task<Outcome<LabView>> HealAllAsync(CancellationToken ct) =>
        Identity is null ? s_noLab : await AloneAsync(() => Switch.ChangeAsync(_ => LabCuts.None, ct), ct);

    private Task<Outcome<Done>> HealAsync(LabNode node, LabNode? from, CancellationToken ct) => Switch.ChangeAsync(cuts => cuts.Heal(node.Number, from?.Number), ct);

    private Task<Outcome<LabView>> OnPairAsync(string node, string? from, Func<LabNode, LabNode?, Task<Outcome<Done>>> act, CancellationToken ct) => OnNodeAsync(node, async n =>
    {
        if (from is null) return await act(n, null);
        if (from == node) return new Refusal("lab.cut.itself", $"{node} cannot be cut from itself.", "Name another node, or none.") { Field = "from" };
        return _nodes.FirstOrDefault(m => m.Name == from) is { } other ? await act(n, other) : NoNode("lab.node.unknown", from, "from");
    }, ct);

    private Refusal NoNode(string code, string name, string field) =>
        new(code, $"The lab has no node {name}.", $"There are {string.Join(", ", _nodes.Select(n => n.Name))}.") { Field = field };

    /// <summary>All instances and nodes go; three fresh nodes join.</summary>
    public async Task<Outcome<LabView>> ResetAsync(CancellationToken ct)
    {
        if (Identity is null) return s_noLab;
        return await AloneAsync(async () =>
        {
            if (await EmptyAsync(ct) is { Ok: false } refused) return refused;
            await Processes.KillAsync(_ => true, ct);
            foreach (var node in _nodes)
            {
                if (_network is not null) await _network.RemoveNodeAsync(node.Number, ct);
                node.Forget();
            }
            return await AllUpAsync(ct);
        }, ct);
    }

    private async Task<Outcome<Done>> AllUpAsync(CancellationToken ct)
    {
        var results = await Task.WhenAll(_nodes.Select(n => BringUpAsync(n, ct)));
        return results.FirstOrDefault(r => !r.Ok) is { Refusal: { } refusal } ? refusal : Done.Value;
    }

    /// <summary>Through the engine's door like any caller's changes; the nodes run meanwhile, so that they can clean up.</summary>
    private async Task<Outcome<Done>> EmptyAsync(CancellationToken ct)
    {
        if (await Switch.ChangeAsync(_ => LabCuts.None, ct) is { Ok: false } uncut) return uncut;
        foreach (var node in _nodes) await Processes.ThawAsync(node.Name, ct);
        if (await AllUpAsync(ct) is { Ok: false } failed) return failed;
        var instances = Engine.Feeds.Instances.Current().Values.Select(i => (OperationRequest)new RemoveInstance(i.Name));
        if (await AllAsync(instances, ct) is { Ok: false } refused) return refused;
        return await AllAsync(_nodes.Where(n => Engine.Feeds.Nodes.Find(n.Name) is not null).Select(n => new RemoveNode(n.Name)), ct);
    }

    private async Task<Outcome<Done>> AllAsync(IEnumerable<OperationRequest> requests, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(s_jobLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        var jobs = new List<long>();
        foreach (var request in requests.ToList())
        {
            var job = await Engine.SubmitAsync(request, s_caller, "lab reset", either.Token);
            if (!job.Ok) return job.Refusal;
            jobs.Add(job.Value);
        }
        try
        {
            foreach (var job in jobs)
            {
                if (await Engine.WaitAsync(job, either.Token) is { Error: { } error }) return error;
            }
            return Done.Value;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return new Refusal("lab.busy", "The instances are not gone yet; the lab is as it was.", "Look at wm job list, then try again.");
        }
    }

    private async Task<Outcome<LabView>> AloneAsync(Func<Task<Outcome<Done>>> act, CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            var done = await act();
            return done.Ok ? View() : done.Refusal;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private static readonly Refusal s_noLab = new("lab.off", "This portal has no lab.", "Start it with ./run.sh, or set Lab:Enabled.");

    /// <summary>Agents are asked, then everything is killed; disks are safe against that. A portal that never came up leaves the lab as it found it.</summary>
    public async Task TakeDownAsync()
    {
        if (!_broughtUp || !_options.StopNodes) return;
        await Processes.AskToEndAsync(p => p.IsAgent, TimeSpan.FromSeconds(2), CancellationToken.None);
        await Processes.KillAsync(_ => true, CancellationToken.None);
        if (_network is not null) await RemoveNetworkAsync(_network);
    }

    private async Task RemoveNetworkAsync(LabNetwork network)
    {
        await Switch.ChangeAsync(_ => LabCuts.None, CancellationToken.None);
        foreach (var node in _nodes) await network.RemoveNodeAsync(node.Number, CancellationToken.None);
        await network.RemoveHostAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        _switch?.Dispose();
        _oneAtATime.Dispose();
    }
}
