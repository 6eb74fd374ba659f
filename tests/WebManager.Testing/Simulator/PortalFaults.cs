// Restored databases and second portals in random histories (R5): a quarter of the seeds has them, drawn apart from the other faults.
namespace WebManager.Testing.Simulator;

public sealed class PortalFaults(SimWorld world, int seed)
{
    private readonly Random _draw = new(seed ^ 0x5e5);
    private readonly bool _any = new Random(seed ^ 0x5e5).Next(4) == 0;

    public void Maybe()
    {
        if (!_any) return;
        switch (_draw.Next(14))
        {
            case 0: Faults.Do(world, "backup", []); break;
            case 1 or 2: Faults.Do(world, "restore", []); break;
            case 3: Faults.Do(world, "twin", []); break;
            case 4: Faults.Do(world, "twin-crash", []); break;
            case 5: Faults.Do(world, "cut", [SimNetwork.Twin, Node()]); break;
            case 6: Faults.Do(world, "cut", [SimNetwork.Portal, Node()]); break;
        }
    }

    /// <summary>One portal is left, the first one, whatever the other did meanwhile.</summary>
    public async Task RepairAsync()
    {
        world.Twin?.Crash();
        if (world.Portal is { Dead: false, Engine.Halted: not null }) world.CrashPortal();
        await world.StartPortalAsync();
        if (!_any) return;
        // It may have been on its way to stand still.
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        if (world.Portal is { Dead: false, Engine.Halted: null }) return;
        world.CrashPortal();
        await world.StartPortalAsync();
    }

    private string Node() => world.Nodes.ElementAt(_draw.Next(world.Nodes.Count)).Name;
}
