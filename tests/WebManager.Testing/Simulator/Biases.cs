// Patterns of faults around the moments at which weaker rules broke: one for each line of the protocol schedules, and some of the failover scenarios.
namespace WebManager.Testing.Simulator;

/// <param name="What">The schedule in a few words.</param>
/// <param name="Do">Drafts it for the named mirrored instance, which is most likely in sync now; the times are drawn around the moment.</param>
internal sealed record Bias(string What, Action<Draft, string> Do);

internal static partial class Biases
{
    /// <summary>Only where nothing is created or removed: an older database cannot know of it, and a person has to clean up.</summary>
    public const string Forking = "H6", Found = "L5";

    /// <summary>Only in histories whose database is restored or copied.</summary>
    public static bool Forks(string bias) => bias is Forking or Found;
    private const string Portal = SimNetwork.Portal;

    public static readonly IReadOnlyDictionary<string, Bias> All = new SortedDictionary<string, Bias>(StringComparer.Ordinal)
    {
        ["H1"] = new("the engine's answer is long under way while the primary is cut off", LateAnswer),
        ["H2"] = new("the secondary loses power with unflushed writes and is back at once", SecondaryBlinks),
        ["H3"] = new("the guest's process dies with a write in flight, starts in place, then its node dies", CrashThenPrimaryDies),
        ["H4"] = new("the primary is gone just when the copies became equal", LostAtThePromise),
        ["H5"] = new("the primary is cut off from the engine, a little later from the secondary", CutOneAfterTheOther),
        [Forking] = new("an older database is restored, or a second portal decides", SeveralHistories),
        ["H7"] = new("another node becomes the secondary while one of the three is lost", SecondaryReplaced),
        ["H9"] = new("the source of a migration goes on by itself before the switch, or the target never hears the end", SourceRunsOn),
        ["H8"] = new("the portal dies around the promotion, the former primary returns", PortalDiesAtPromotion),
        ["H10"] = new("the portal is away while the instance is degraded", PortalAwayWhileAlone),
        ["H11"] = new("the leave to go on alone, or its answer, is lost", LeaveLost),
        ["H12"] = new("the portal is away, then the secondary dies", PortalThenSecondary),
        ["H13"] = new("the primary's node stands still for about the isolation time", PrimaryFreezes),
        ["H14"] = new("the secondary's export or disk hangs while its agent beats", ExportHangs),
        ["H15"] = new("one of two disks loses its mirror", OneDiskHangs),
        ["H17"] = new("answers and orders of an earlier start arrive late and twice", LateOrders),
        ["H18"] = new("portal and secondary die together", PortalAndSecondary),
        ["H19"] = new("the degrade is recorded, the leave is lost, the primary dies", DegradeRecordedPrimaryDies),
        ["H20"] = new("clocks at the ends of what is allowed, the primary is cut off", (d, i) => CutOff(d, $"{i}.primary")),
        [Found] = new("what a lost history made is found on nodes and taken up while something fails", LostHistory),
        ["R4"] = new("the secondary's agent restarts while the primary is cut off", SecondaryAgentRestarts),
        ["S10"] = new("a disk answers with errors, or is full, and one thing more goes wrong", DiskFails),
        ["S20"] = new("the portal dies at a step boundary of whatever follows", PortalDiesAtAStep),
        ["S25"] = new("the primary dies, then the one that takes over", BothInTurn),
        ["S26"] = new("a live migration meets a fault at one of its steps", MigrationMeetsAFault),
        ["S41"] = new("all nodes lose power and return in any order", AllLosePower),
        ["S43"] = new("a node flaps", Flaps),
        ["S45"] = new("requests are late, reordered and doubled everywhere", LateAndDouble),
        ["S69"] = new("agents are restarted, one node after the other, and something fails meanwhile", AgentRestartMeetsAFault),
        ["S60"] = new("a node goes into maintenance, is rebooted and comes back, and something fails meanwhile", MaintenanceMeetsAFault),
        ["stop"] = new("a stop or failover by hand meets a fault", ByHand),
    };

    private static void SeveralHistories(Draft d, string i)
    {
        if (d.Chance(0.4)) d.Do("backup");
        d.Wait(0, 3);
        if (d.Chance(0.5)) d.Do(d.Pick(["failover", "reboot", "migrate"]), i);
        if (d.Chance(0.4)) d.Do("power-off", $"{i}.primary");
        d.Wait(0, 6);
        switch (d.Random.Next(6))
        {
            case 0 or 1 or 2: d.Do("restore"); break;
            case 3: d.Do("twin"); break;
            case 4:
                d.Do("twin");
                d.Do("cut", SimNetwork.Twin, d.Pick(d.Nodes));
                d.Do("cut", Portal, d.Pick(d.Nodes));
                break;
            default: d.Do("twin-crash"); break;
        }
    }

    private static void CutOff(Draft d, string node)
    {
        d.Do("isolate", node);
        d.Wait(0, 8);
        if (d.Chance(0.7)) d.Do("heal");
    }

    private static void LateAnswer(Draft d, string i)
    {
        var p = $"{i}.primary";
        d.Do("delay-burst", Portal, p, Draft.Text(d.Between(0.5, 3)), Draft.Text(d.Between(1, 6)));
        d.Wait(0, 1);
        d.Do("cut", p, $"{i}.secondary");
        d.Wait(0, 1.5);
        d.Do("cut-one-way", p, Portal);
        if (d.Chance(0.3)) d.Do("freeze", p);
        d.Wait(3, 9);
        d.Do("thaw", p);
        d.Do("heal");
    }

    private static void SecondaryBlinks(Draft d, string i)
    {
        var s = $"{i}.secondary";
        if (d.Chance(0.4)) d.Do("duplicate", s, Draft.Text(d.Between(2, 20)));
        if (d.Chance(0.3)) d.Do("slow-disk", s, Draft.Text(d.Between(1, 8)), Draft.Text(d.Between(0.1, 2)));
        var off = d.Between(0.02, d.Chance(0.5) ? 0.5 : 4);
        if (d.Chance(0.5))
        {
            d.Do("power-off", s);
            d.In(off, "power-on", s);
        }
        else
        {
            // In the middle of what follows: the export opens, the copy begins or ends.
            var at = d.Pick(["replica/open", "replica/open.done", "generation/store", "generation/store.done"]);
            d.Do(d.Pick(["failover", "reboot", "reboot"]), i);
            var after = d.Between(0, 0.05);
            d.When(at, s, after, "power-off", s);
            d.When(at, s, after + off, "power-on", s);
        }

        d.Wait(1, 12);
        if (d.Chance(0.6)) d.Do("power-off", $"{i}.primary");
        d.Wait(2, 8);
    }

    private static void CrashThenPrimaryDies(Draft d, string i)
    {
        var p = $"{i}.primary";
        if (d.Chance(0.6)) d.Do("cut", p, $"{i}.secondary");
        d.Wait(0, 1.2);
        d.When("guest.started", i, d.Between(0, 2), d.Pick(["power-off", "isolate", "freeze"]), p);
        d.Do("guest-crash", i);
        d.Wait(0.5, 6);
        if (d.Chance(0.7)) d.Do("heal");
        d.Wait(1, 6);
    }

    private static void LostAtThePromise(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        d.Do("power-off", s);
        d.In(d.Between(0.1, 5), "power-on", s);
        var (kind, subject) = d.Pick([("mirror.promised", i), ("step", "instance.resync/in-sync"), ("stored", i), ("storing", i), ("guests/resync.done", p), ("generation/store", s)]);
        var after = d.Chance(0.3) ? 0 : d.Between(0, 0.4);
        d.When(kind, subject, after, d.Pick(["isolate", "power-off", "freeze", "isolate", "agent-crash", "keeper-crash"]), p);
        if (d.Chance(0.3)) d.When(kind, subject, after + d.Between(0, 1), "portal-crash");
        if (d.Chance(0.3)) d.When(kind, subject, after + d.Between(0, 1), "cut", p, s);
        d.Wait(6, 16);
        if (d.Chance(0.5)) d.Do("portal-start");
        d.Wait(0, 4);
    }

    private static void CutOneAfterTheOther(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        d.Do(d.Pick(["cut", "cut-one-way"]), p, Portal);
        d.Wait(0, 5);
        d.Do(d.Pick(["cut", "cut", "cut-one-way"]), p, s);
        d.Wait(0, 6);
        if (d.Chance(0.5)) d.Do("heal", p, d.Pick([Portal, s]));
        d.Wait(0, 4);
        d.Do("heal");
    }

    private static void PrimaryFreezes(Draft d, string i)
    {
        var p = $"{i}.primary";
        if (d.Chance(0.4)) d.Do("cut", p, d.Pick([Portal, $"{i}.secondary"]));
        d.Do("freeze", p);
        d.Wait(0.5, 6);
        d.Do("thaw", p);
        d.Wait(0, 3);
        if (d.Chance(0.5)) d.Do("freeze", p);
        d.Wait(0, 5);
        d.Do("thaw", p);
    }

    private static void ExportHangs(Draft d, string i)
    {
        var s = $"{i}.secondary";
        if (d.Chance(0.6)) d.Do("exports-hang", s);
        else d.Do("slow-disk", s, Draft.Text(d.Between(1, 10)), Draft.Text(d.Between(0.5, 8)));
        d.Wait(0, 5);
        if (d.Chance(0.4)) d.Do(d.Pick(["power-off", "isolate", "keeper-crash"]), $"{i}.primary");
        d.Wait(0, 5);
        d.Do("exports-work", s);
    }

    private static void OneDiskHangs(Draft d, string i)
    {
        var s = $"{i}.secondary";
        d.Do("exports-hang", s, d.Pick(["0", "1"]));
        d.Wait(0, 3);
        if (d.Chance(0.5)) d.Do(d.Pick(["power-off", "isolate", "keeper-crash"]), $"{i}.primary");
        d.Wait(0, 5);
        d.Do("exports-work", s);
    }

    private static void LateOrders(Draft d, string i)
    {
        var p = $"{i}.primary";
        d.Do("duplicate", p, Draft.Text(d.Between(3, 25)));
        if (d.Chance(0.5)) d.Do("duplicate", $"{i}.secondary", Draft.Text(d.Between(3, 25)));
        d.Burst(Portal, d.Chance(0.6) ? p : "*");
        for (var k = d.Random.Next(1, 5); k > 0; k--)
        {
            d.Do(d.Pick(["stop", "start", "reboot", "failover", "guest-crash"]), i);
            d.Wait(0, 3);
            if (d.Chance(0.3)) d.Do("cut", p, Portal);
            if (d.Chance(0.5)) d.Do("heal");
            if (d.Chance(0.3)) d.CrashAtAStep();
        }

        d.Do("start", i);
        d.Wait(0, 6);
    }
}
