// One random history: a cluster, faults drawn from the seed, then everything is repaired and must come to rest.
using System.Globalization;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public sealed class Exploration
{
    private static readonly TimeSpan Repair = TimeSpan.FromSeconds(180);
    private readonly Random _draw;
    private readonly SimWorld _world;
    private readonly List<ScenarioInstance> _instances = [];
    private readonly List<string> _nodes;
    private readonly TimeSpan _length;
    private readonly PortalFaults _portals;
    private string _favourite;

    public Exploration(int seed, RuleSwitches? rules = null, bool rates = true)
    {
        _draw = new Random(seed);
        var drift = rates && _draw.Next(3) == 0;
        var nodeRates = new Dictionary<string, double>();
        _nodes = [.. Enumerable.Range(1, _draw.Next(2, 5)).Select(i => $"n{i}")];
        foreach (var node in _nodes) nodeRates[node] = drift ? 0.95 + 0.1 * _draw.NextDouble() : 1;
        _world = new SimWorld(new SimOptions
        {
            Seed = seed,
            Rules = rules ?? RuleSwitches.All,
            NodeClockRate = n => nodeRates.GetValueOrDefault(n, 1),
            PortalClockRate = drift ? 0.95 + 0.1 * _draw.NextDouble() : 1,
        });
        _world.Network.SlowPart = _draw.Next(3) switch { 0 => 0, 1 => 0.005, _ => 0.05 };
        _world.Network.Slow = TimeSpan.FromSeconds(_draw.Next(2) == 0 ? 0.8 : 4);
        _world.Network.LatePart = _draw.NextDouble();
        _length = TimeSpan.FromSeconds(_draw.Next(10, 90));
        _favourite = _nodes[0];
        _portals = new PortalFaults(_world, seed);
    }

    public SimWorld World => _world;

    /// <summary>Sentences about what was wrong at the end; a broken invariant throws before.</summary>
    public IReadOnlyList<string> Run()
    {
        IReadOnlyList<string> faults = [];
        _world.Scheduler.Run(async () => faults = await RunAsync(), TimeSpan.FromHours(1));
        return faults;
    }

    private async Task<IReadOnlyList<string>> RunAsync()
    {
        await _world.BeginAsync([.. _nodes]);
        await MakeInstancesAsync();
        _favourite = Pick(_nodes);
        if (_draw.Next(3) > 0) _world.AtStep = MaybeCrashAtStep;
        for (var until = _world.Now + _length; _world.Now < until;)
        {
            await _world.DelayAsync(TimeSpan.FromSeconds(_draw.Next(4) switch { 0 => 0.3, 1 => 2, 2 => 5, _ => 15 } * _draw.NextDouble()));
            var (word, args) = Draw();
            Faults.Do(_world, word, args);
            _portals.Maybe();
        }

        await RepairAsync();
        return Findings();
    }

    private async Task MakeInstancesAsync()
    {
        for (var i = 1; i <= _draw.Next(1, 4); i++)
        {
            var primary = Pick(_nodes);
            var template = _draw.Next(6) switch { 0 => DiskTemplate.Diskless, 1 => DiskTemplate.File, _ => DiskTemplate.Mirror };
            var secondary = template == DiskTemplate.Mirror ? Pick([.. _nodes.Where(n => n != primary)]) : null;
            var instance = new ScenarioInstance($"i{i}", template, primary, secondary, _draw.Next(4) == 0);
            _instances.Add(instance);
            await ScenarioRun.CreateAsync(_world, instance);
        }

        await _world.DelayAsync(TimeSpan.FromSeconds(2 * _draw.NextDouble()));
    }

    private (string Word, IReadOnlyList<string> Args) Draw()
    {
        // Faults cluster around one node; what is broken is repaired about as often as something breaks.
        if (_draw.Next(6) == 0) _favourite = Pick(_nodes);
        var node = _draw.Next(3) > 0 ? _favourite : Pick(_nodes);
        string Other() => _draw.Next(3) == 0 ? SimNetwork.Portal : Pick([.. _nodes.Where(n => n != node)]);
        return _draw.Next(30) switch
        {
            0 or 1 or 2 => ("power-off", [node]),
            3 or 4 or 5 => ("power-on", [Broken(n => !n.Powered) ?? node]),
            6 or 7 => ("freeze", [node]),
            8 or 9 => ("thaw", [Broken(n => n.Frozen) ?? node]),
            10 => ("isolate", [node]),
            11 or 12 => ("cut", [node, Other()]),
            13 => ("cut-one-way", [node, Other()]),
            14 => ("cut-one-way", [Other(), node]),
            15 or 16 or 17 => ("heal", []),
            18 => ("agent-crash", [node]),
            19 => ("agent-start", [node]),
            20 => ("keeper-crash", [node]),
            21 => ("guest-crash", [Pick(_instances).Name]),
            22 => ("portal-crash", []),
            23 or 24 => ("portal-start", []),
            25 => ("exports-hang", [node]),
            26 => ("exports-work", [node]),
            27 => ("clock-jump", [node, (_draw.Next(7200) - 3600).ToString(CultureInfo.InvariantCulture)]),
            28 => ("failover", [Pick(_instances).Name]),
            _ => (Pick(["stop", "start", "reboot", "start", "failover"]), [Pick(_instances).Name]),
        };
    }

    private string? Broken(Func<SimNode, bool> which) => _world.Nodes.FirstOrDefault(which)?.Name;

    private void MaybeCrashAtStep(string operation, string step)
    {
        if (_world.Random.Next(12) != 0) return;
        _world.Log($"--- portal-crash at {operation} {step}");
        _world.CrashPortal();
        _world.Spawn(async () =>
        {
            await _world.DelayAsync(_world.Between(100, 8000));
            await _world.StartPortalAsync();
        });
    }

    private async Task RepairAsync()
    {
        _world.Log("--- everything is repaired");
        _world.AtStep = null;
        _world.Network.Heal((_, _) => true);
        _world.Network.SlowPart = 0;
        foreach (var node in _world.Nodes)
        {
            node.ExportsHang = false;
            node.Thaw();
            node.PowerOn();
            node.StartAgent();
        }

        await _portals.RepairAsync();
        // A crashed portal's start may still be under way.
        await _world.DelayAsync(Repair);
    }

    private List<string> Findings()
    {
        var found = new List<string>(AtRest.Faults(_world));
        foreach (var i in _world.Database.Instances.Where(i => i is { Wanted: AdminState.Up, Stage: LifeStage.Ready }))
        {
            if (_world.Truth.Executing(i.Id) is null) found.Add($"{i.Name} is wanted up and does not run ({i.Generation}).");
            else if (i is { Template: DiskTemplate.Mirror, Mirror: not MirrorState.InSync }) found.Add($"{i.Name} is still {i.Mirror} ({i.Generation}).");
        }

        return found;
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_draw.Next(from.Count)];
}
