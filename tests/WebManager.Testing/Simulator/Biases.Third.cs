// H7 while both copies are good: faults at each step of a change of secondary, and the primary that misses it.
namespace WebManager.Testing.Simulator;

internal static partial class Biases
{
    private static void GoodSecondaryReplaced(Draft d, string i)
    {
        var (p, s, o) = ($"{i}.primary", $"{i}.secondary", $"{i}.other");
        if (d.Chance(0.2)) d.Do("duplicate", d.Pick([p, s, o]), Draft.Text(d.Between(2, 25)));
        for (var n = d.Random.Next(3); n >= 0; n--) FaultAtAStep(d, i, p, s, o);
        d.Do("replace", d.Chance(0.2) ? [i] : [i, o]);
        d.Wait(0.5, 6);
        if (d.Chance(0.4)) d.Do("portal-start");
        // By now the names may mean other nodes: what the change left behind is tried out.
        if (d.Chance(0.4)) d.Do(d.Pick(["power-off", "isolate", "freeze"]), d.Pick([p, p, s]));
        if (d.Chance(0.4)) d.Do("replace", i, o);
        d.Wait(1, 8);
        if (d.Chance(0.5)) d.Mend(1, 8);
        if (d.Chance(0.5)) d.Do(d.Pick(["power-off", "isolate", "freeze"]), d.Pick([p, p, s]));
        d.Wait(1, 8);
    }

    private static void FaultAtAStep(Draft d, string i, string p, string s, string o)
    {
        const string Job = "instance.replace-secondary";
        var (kind, subject) = d.Pick([("step", $"{Job}/third.candidate"), ("step", $"{Job}/third.copy"), ("step", $"{Job}/third.switched"), ("step", $"{Job}/third.switched"),
            ("step", $"{Job}/handover.over"), ("step", $"{Job}/third.given-up"), ("mirror.joined", i), ("mirror.joined", i), ("guests/add-copy.done", p), ("replica/open.done", o),
            ("generation/store", p), ("generation/store.done", p), ("storing", i), ("stored", i), ("guests/drop-copy", p)]);
        var after = d.Chance(0.4) ? 0 : d.Between(0, 1.5);
        switch (d.Random.Next(10))
        {
            case 0 or 1: d.When(kind, subject, after, d.Pick(["power-off", "isolate", "freeze", "keeper-crash"]), d.Pick([p, p, s, o])); break;
            case 2:
                var node = d.Pick([p, p, o, s]);
                d.When(kind, subject, after, "agent-crash", node);
                d.When(kind, subject, after + d.Between(0.02, 3), "agent-start", node);
                break;
            case 3: d.When(kind, subject, after, d.Pick(["cut", "cut-one-way"]), p, d.Pick([o, s])); break;
            // The primary misses the change, and goes on with the former secondary.
            case 4 or 5 or 6:
                d.When(kind, subject, after, d.Pick(["cut", "cut", "cut-one-way"]), d.Pick([p, p, s]), Portal);
                if (d.Chance(0.3)) d.When(kind, subject, after + d.Between(0, 4), "cut", p, o);
                d.When(kind, subject, after + d.Between(1, 14), "heal");
                break;
            case 7:
                if (d.Chance(0.6)) d.When(kind, subject, after, "exports-hang", d.Pick([o, s]));
                else d.When(kind, subject, after, "disk-error", d.Pick([p, s, o]), d.Pick(["on", "full"]));
                break;
            case 8: d.When(kind, subject, after, "guest-crash", i); break;
            default:
                d.When(kind, subject, after, "portal-crash");
                d.When(kind, subject, after + d.Between(0.1, 12), "portal-start");
                break;
        }
    }
}
