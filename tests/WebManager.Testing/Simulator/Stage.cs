// Sets up the world of a scenario and does its faults; scenario files and random histories both stand on it, so that one can be replayed as the other.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public sealed class Stage
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);
    private readonly Scenario _scenario;

    public Stage(Scenario scenario, RuleSwitches? rules = null, bool keepHistory = true)
    {
        _scenario = scenario;
        World = new SimWorld(new SimOptions
        {
            Seed = scenario.Seed,
            Rules = rules ?? RuleSwitches.All,
            NodeClockRate = n => scenario.Rates.GetValueOrDefault(n, 1),
            PortalClockRate = scenario.Rates.GetValueOrDefault(SimNetwork.Portal, 1),
            Pace = scenario.Pace,
            StuckPart = scenario.StuckPart,
            Recovery = Recovery(scenario),
            KeepHistory = keepHistory,
        });
    }

    private static RecoveryOptions Recovery(Scenario scenario)
    {
        var options = new RecoveryOptions();
        if (scenario.RestartLimit is { } limit) (options.RestartLimit, options.RestartBackoff) = (limit, TimeSpan.FromSeconds(scenario.RestartSeconds));
        if (!scenario.Freezes) options.FreezeWindow = TimeSpan.Zero;
        return options;
    }

    public SimWorld World { get; }

    /// <summary>When everything ran; the scenario's times count from here.</summary>
    public TimeSpan Zero { get; private set; }

    /// <summary>Nodes, portal and instances, on a quiet network.</summary>
    public async Task SetAsync()
    {
        World.Network.SlowPart = 0;
        await World.BeginAsync([.. _scenario.Nodes]);
        foreach (var place in _scenario.Places) await MakeAsync(place);
        foreach (var instance in _scenario.Instances) await MakeAsync(instance);
        await World.DelayAsync(Settle);
        Zero = World.Now;
        World.Network.SlowPart = _scenario.SlowPart;
        World.Network.Slow = TimeSpan.FromSeconds(_scenario.SlowSeconds);
        World.Network.LatePart = _scenario.LatePart;
    }

    public async Task FaultsAsync()
    {
        foreach (var fault in _scenario.Given.OrderBy(f => f.At))
        {
            await UntilAsync(fault.At);
            if (fault.When is null) Faults.Do(World, fault.Word, fault.Args);
            else World.Moments.Arm(fault);
        }
    }

    public Task UntilAsync(double at)
    {
        var left = Zero + TimeSpan.FromSeconds(at) - World.Now;
        return left > TimeSpan.Zero ? World.DelayAsync(left) : Task.CompletedTask;
    }

    private async Task MakeAsync(ScenarioPlace place)
    {
        IEnumerable<OperationRequest> requests = place.Word == "group"
            ? [new AddGroup(place.Value), new AssignNodes(place.Value, place.Nodes)]
            : [new AddClusterTags([FaultActions.RuleFor(place.Value.Split(':')[0])]), .. place.Nodes.Select(n => new AddNodeTags(n, [place.Value]))];
        foreach (var request in requests) Succeeded(await World.Portal!.DoAsync(request), $"{place.Word} {place.Value}");
    }

    private static void Succeeded(Job job, string what)
    {
        if (job.Status != JobStatus.Success) throw new InvalidOperationException($"{what} was not made: {job.Error?.Message}");
    }

    private async Task MakeAsync(ScenarioInstance i) => Succeeded(await ScenarioInstances.CreateAsync(World, i), i.Name);
}

public static class ScenarioInstances
{
    public static Task<Job> CreateAsync(SimWorld world, ScenarioInstance i) => world.Portal!.DoAsync(Request(i));

    public static CreateInstance Request(ScenarioInstance i) => new(i.Name, "alpine", 1, 256, i.Template, i.Template == DiskTemplate.Diskless ? [] : [1024])
    {
        Primary = Chosen(i.Primary), Secondary = Chosen(i.Secondary), OsParams = i.Quiet ? new Dictionary<string, string> { ["quiet"] = "on" } : [],
    };

    private static string? Chosen(string? node) => node == "any" ? null : node;
}
