// L5: an older database comes back, and what was made since is taken up from the nodes.
namespace WebManager.Testing.Simulator;

internal static partial class Biases
{
    private static void LostHistory(Draft d, string i)
    {
        d.Do("backup");
        d.Wait(0, 1);
        var made = d.Create();
        d.Wait(0.5, 6);
        if (d.Chance(0.3)) d.Do(d.Pick(["stop", "failover", "migrate", "reboot"]), made);
        if (d.Chance(0.5)) Strike(d, $"{made}.primary", $"{made}.secondary");
        d.Wait(0, 5);
        d.Do("restore");
        d.Wait(2, 7);
        var node = d.Pick(d.Nodes);
        if (d.Chance(0.4)) d.When("instance.settled", $"instance:{made}", d.Between(0, 1), "power-off", node);
        if (d.Chance(0.5)) Strike(d, node, d.Pick(d.Nodes));
        for (var tries = 0; tries < 3; tries++)
        {
            d.Do("adopt", made);
            d.Wait(0, 4);
            if (tries == 1 && d.Chance(0.6)) d.Mend();
        }
    }

    private static void Strike(Draft d, string one, string other) => d.Do(d.Pick(["power-off", "isolate", "freeze", "agent-crash", "keeper-crash"]), d.Chance(0.7) ? one : other);
}
