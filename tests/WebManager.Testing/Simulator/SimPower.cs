// Power commands of the simulated nodes: none unless a scenario gives one, with what it does.
using WebManager.Contracts;
using WebManager.Engine.Ports;

namespace WebManager.Testing.Simulator;

/// <summary>works: the node is off, then it says so. fails: it says so at once. hangs: until its limit. lies: it says success and does nothing.</summary>
public sealed class SimPower(SimWorld world, SimClock clock) : IPowerControl
{
    public static readonly IReadOnlyList<string> Ways = ["works", "fails", "hangs", "lies"];
    private static readonly TimeSpan Takes = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public bool Can(string node) => world.PowerCommands.ContainsKey(node);

    public async Task<Outcome<Done>> PowerOffAsync(string node, CancellationToken ct)
    {
        var way = world.PowerCommands[node];
        world.Happened("power.command", node, null, way);
        await Task.Delay(way == "hangs" ? Limit : Takes, clock, ct);
        if (way == "works") { world.Node(node).PowerOff(); }
        return way is "works" or "lies" ? Done.Value : new Refusal("power.failed", $"The power command of {node} {(way == "hangs" ? "did not end within 10 s" : "failed")}.");
    }
}
