// Patterns around the steps of a live migration.
namespace WebManager.Testing.Simulator;

internal static partial class Biases
{
    /// <summary>Moments of a migration, each with the node that is asked (by its role then).</summary>
    private static readonly (string Kind, string Role)[] MigrationSteps =
    [
        ("migration/receive", "secondary"), ("migration/receive.done", "secondary"), ("migration/send", "primary"), ("migration/send.done", "primary"),
        ("replica/release", "secondary"), ("replica/release.done", "secondary"), ("migration/switch", "primary"), ("migration/switch.done", "primary"),
        ("storing", ""), ("stored", ""), ("replica/open", "secondary"), ("replica/open.done", "secondary"), ("migration/take-over", "primary"), ("migration/take-over.done", "primary"),
    ];

    private static void MigrationMeetsAFault(Draft d, string i)
    {
        for (var k = d.Random.Next(1, 3); k > 0; k--)
        {
            var (kind, role) = d.Pick(MigrationSteps);
            FaultAt(d, kind, role == "" ? i : $"{i}.{role}", i, kind == "migration/send" ? d.Between(0, 3) : d.Chance(0.4) ? 0 : d.Between(0, 0.3));
        }

        d.Do("migrate", i);
        d.Wait(1, 8);
        if (d.Chance(0.3)) d.Do("migrate", i);
        d.Wait(1, 14);
        if (d.Chance(0.6)) d.Do("mend");
        if (d.Chance(0.3)) d.In(d.Between(0, 3), "migrate", i);
        d.Wait(0, 6);
    }

    private static void MaintenanceMeetsAFault(Draft d, string i)
    {
        var node = d.Pick(d.Nodes);
        void FaultOnTheWay()
        {
            var (kind, role) = d.Chance(0.4) ? ("step", "") : d.Pick(MigrationSteps);
            if (kind == "step") FaultAt(d, "step", d.Pick(["node.maintenance/enter", "node.maintenance/move", "node.maintenance/leave"]), i, d.Chance(0.4) ? 0 : d.Between(0, 2));
            else FaultAt(d, kind, role == "" ? i : $"{i}.{role}", i, d.Chance(0.4) ? 0 : d.Between(0, 0.3));
        }

        if (d.Chance(0.6)) FaultOnTheWay();
        d.Do("maintenance", [node, "on", .. d.Pick<string[]>([[], ["return"], ["return"], ["rebuild"]])]);
        d.Wait(1, 15);
        if (d.Chance(0.4)) d.Mend();
        if (d.Chance(0.7))
        {
            d.Do("power-off", node);
            d.In(d.Between(1, 12), "power-on", node);
        }

        d.Wait(0, 14);
        if (d.Chance(0.3)) FaultOnTheWay();
        if (d.Chance(0.2)) d.Do("maintenance", d.Pick(d.Nodes), "on", "return");
        if (d.Chance(0.8)) d.Do("maintenance", node, "off");
        d.Wait(0, 10);
    }

    private static void FaultAt(Draft d, string kind, string subject, string i, double after)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        switch (d.Random.Next(10))
        {
            case 0 or 1: d.When(kind, subject, after, "power-off", d.Pick([p, s])); break;
            case 2: d.When(kind, subject, after, d.Pick(["isolate", "freeze", "keeper-crash"]), d.Pick([p, s])); break;
            case 3:
                var node = d.Pick([p, s]);
                d.When(kind, subject, after, "agent-crash", node);
                d.When(kind, subject, after + d.Between(0.02, 3), "agent-start", node);
                break;
            case 4 or 5: d.When(kind, subject, after, d.Pick(["cut", "cut", "cut-one-way"]), p, s); break;
            case 6:
                d.When(kind, subject, after, d.Pick(["cut", "cut-one-way"]), d.Pick([p, s]), Portal);
                d.When(kind, subject, after + d.Between(0.3, 6), "heal");
                break;
            case 7: d.When(kind, subject, after, "guest-crash", i); break;
            default:
                d.When(kind, subject, after, "portal-crash");
                d.When(kind, subject, after + d.Between(0.1, 12), "portal-start");
                break;
        }
    }

    private static void SourceRunsOn(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        switch (d.Random.Next(4))
        {
            case 0:
                // A new run of the source's agent finds the guest paused.
                var at = d.Pick(["migration/send.done", "replica/release", "replica/release.done"]);
                var subject = at == "migration/send.done" ? p : s;
                var after = d.Between(0, 0.01);
                d.When(at, subject, after, "agent-crash", p);
                d.When(at, subject, after + d.Between(0.005, 0.4), "agent-start", p);
                break;
            case 1:
                d.When("migration/switch", p, d.Between(0, 0.03), d.Pick(["cut", "cut-one-way"]), d.Pick([p, s]), d.Pick([p, s]));
                break;
            case 2:
                // The release takes longer than the source waits.
                d.When("migration/send.done", p, 0, "slow-disk", s, "20", Draft.Text(d.Between(4, 30)));
                break;
            default:
                d.When("migration/switch", p, d.Between(0, 0.03), "freeze", d.Pick([p, s]));
                d.When("migration/switch", p, d.Between(0.5, 5), "thaw", d.Pick([p, s]));
                break;
        }

        d.Do("migrate", i);
        d.Wait(2, 14);
        d.Do("mend");
        if (d.Chance(0.4)) d.Do("power-off", p);
        d.Wait(0, 6);
    }
}
