// Patterns of faults around a disk that answers with errors.
namespace WebManager.Testing.Simulator;

internal static partial class Biases
{
    private static void DiskFails(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        var failing = d.Pick([p, p, p, s]);
        var how = d.Pick(["on", "full"]);
        // In the middle of another change: a copy that begins or ends, a start, a stop, a migration.
        if (d.Chance(0.3)) d.Do(d.Pick(["failover", "reboot", "migrate", "guest-crash"]), i);
        if (d.Chance(0.3))
        {
            d.Do("power-off", s);
            d.In(d.Between(0.1, 4), "power-on", s);
            d.Wait(0, 5);
        }

        d.Do("disk-error", failing, how);
        Meanwhile(d, i, p, s);
        d.Wait(0, 12);
        if (d.Chance(0.3)) d.Do("disk-error", s, d.Pick(["on", "full"]));
        d.Wait(0, 6);
        foreach (var node in d.Nodes.Where(_ => d.Chance(0.8))) d.Do("disk-error", node, "off");
        d.Wait(0, 10);
    }

    private static void Meanwhile(Draft d, string i, string p, string s)
    {
        var (kind, subject) = d.Pick([("guest.disk-error", i), ("step", "instance.recover/disk-fault"), ("step", "instance.recover/stop"), ("step", "instance.recover/promote"), ("step", "instance.recover/start"), ("guests/stop", p), ("guests/stop.done", p)]);
        var after = d.Chance(0.3) ? 0 : d.Between(0, 2);
        switch (d.Random.Next(8))
        {
            case 0: d.When(kind, subject, after, d.Pick(["power-off", "isolate", "freeze"]), s); break;
            case 1: d.When(kind, subject, after, d.Pick(["power-off", "isolate", "freeze", "keeper-crash", "agent-crash"]), p); break;
            case 2: d.When(kind, subject, after, "portal-crash"); break;
            case 3: d.When(kind, subject, after, "cut", p, s); break;
            case 4: d.When(kind, subject, after, "cut", p, Portal); break;
            case 5: d.When(kind, subject, after, "disk-error", p, "off"); break;
            case 6: d.When(kind, subject, after, "disk-error", s, d.Pick(["on", "full"])); break;
            default: break;
        }
    }
}
