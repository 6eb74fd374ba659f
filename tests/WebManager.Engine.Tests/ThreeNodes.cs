// A simulated cluster of three nodes that are ready, for a test to play in.
using WebManager.Testing.Simulator;

namespace WebManager.Engine.Tests;

internal static class ThreeNodes
{
    public static void InCluster(Func<SimWorld, Task> test) => InCluster(new SimOptions(), test, TimeSpan.FromMinutes(10));

    public static void InCluster(SimOptions options, Func<SimWorld, Task> test) => InCluster(options, test, TimeSpan.FromMinutes(30));

    public static void InCluster(SimOptions options, Func<SimWorld, Task> test, TimeSpan limit)
    {
        var world = new SimWorld(options);
        world.Network.SlowPart = 0;
        world.Scheduler.Run(async () =>
        {
            await world.BeginAsync("n1", "n2", "n3");
            // Capacity is known once the agents have said hello and that is stored.
            await world.DelayAsync(TimeSpan.FromSeconds(1));
            await test(world);
            await world.Portal!.StopAsync();
        }, limit);
    }
}
