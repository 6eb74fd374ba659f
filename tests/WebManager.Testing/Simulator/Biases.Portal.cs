// Patterns in which the portal dies, its orders are lost or late, or more than one node fails.
namespace WebManager.Testing.Simulator;

internal static partial class Biases
{
    private static void SecondaryAgentRestarts(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        d.Do(d.Pick(["cut", "cut-one-way"]), p, Portal);
        d.Wait(0.5, 4.5);
        d.Do("agent-crash", s);
        if (d.Chance(0.5)) d.Do("cut", p, s);
        d.Wait(0.02, 0.6);
        d.Do("agent-start", s);
        if (d.Chance(0.5)) d.Do("cut", p, s);
        d.Wait(3, 8);
        d.Do("mend");
    }

    private static void AgentRestartMeetsAFault(Draft d, string i)
    {
        foreach (var node in d.Nodes)
        {
            if (d.Chance(0.5)) d.Do("successor", node, d.Pick(["0.3", Draft.Text(d.Between(0.2, 9)), "never", "fails", "refused"]));
            var after = d.Chance(0.3) ? 0 : d.Between(0, 2.5);
            if (d.Chance(0.5)) d.When("step", "node.restart-agent/leave", after, d.Pick(["power-off", "isolate", "freeze", "keeper-crash", "agent-crash"]), d.Pick([node, node, $"{i}.primary", $"{i}.secondary"]));
            if (d.Chance(0.2)) d.When("step", "node.restart-agent/leave", after, "portal-crash");
            if (d.Chance(0.2)) d.Do(d.Pick(["migrate", "failover", "reboot", "stop"]), i);
            d.Do("restart-agent", d.Chance(0.5) ? [node] : [node, $"{d.Random.Next(5, 21)}"]);
            d.Wait(0.5, 6);
            if (d.Chance(0.4)) d.Do("portal-start");
            if (d.Chance(0.4)) d.Mend();
        }

        d.Wait(0, 10);
    }

    private static void SecondaryReplaced(Draft d, string i)
    {
        if (d.Chance(0.6))
        {
            GoodSecondaryReplaced(d, i);
            return;
        }

        var (p, s, o) = ($"{i}.primary", $"{i}.secondary", $"{i}.other");
        // Kept away as the node it is now: after the change the same word means another one.
        if (d.Chance(0.3)) d.Do("duplicate", s, Draft.Text(d.Between(2, 25)));
        if (d.Chance(0.3)) d.When("guests/degrade", p, 0, "cut-one-way", d.Pick([p, Portal]), d.Pick([Portal, p]));
        d.Do(d.Pick(["power-off", "isolate", "freeze"]), s);
        d.Wait(1.5, 6);
        var (kind, subject) = d.Pick([("step", "instance.replace-secondary/replaced"), ("step", "instance.replace-secondary/copy"), ("step", "instance.replace-secondary/in-sync"),
            ("mirror.promised", i), ("replica/open.done", o), ("instances/remove", s), ("instances/remove.done", s), ("step", "instance.clean/settled")]);
        for (var n = d.Random.Next(3); n > 0; n--)
        {
            var after = d.Chance(0.3) ? 0 : d.Between(0, 2);
            d.When(kind, subject, after, d.Pick(["power-off", "isolate", "freeze", "agent-crash", "keeper-crash"]), d.Pick([p, p, o, s]));
        }
        if (d.Chance(0.3)) d.When(kind, subject, d.Between(0, 1), "portal-crash");
        if (d.Chance(0.3)) d.When(kind, subject, d.Between(0, 1), "cut", p, d.Pick([Portal, o, s]));
        d.Do("replace", d.Chance(0.3) ? [i] : [i, o]);
        d.Wait(0.5, 8);
        if (d.Chance(0.5)) d.Do("portal-start");
        d.Mend(1, 10);
        if (d.Chance(0.4)) d.Do(d.Pick(["power-off", "isolate", "freeze"]), d.Pick([p, s]));
        if (d.Chance(0.3)) d.Do("replace", i);
        d.Wait(1, 8);
    }

    private static void PortalDiesAtPromotion(Draft d, string i)
    {
        var p = $"{i}.primary";
        var step = d.Pick(["stand-down", "promote", "fenced", "start", "settled"]);
        var after = d.Chance(0.4) ? 0 : d.Between(0, 0.8);
        d.When("step", $"instance.recover/{step}", after, "portal-crash");
        d.When("step", $"instance.recover/{step}", after + d.Between(0.1, 10), "portal-start");
        d.Do(d.Pick(["power-off", "isolate", "freeze"]), p);
        d.Wait(2, 10);
        d.Do("mend");
        d.Wait(0, 8);
    }

    private static void PortalAwayWhileAlone(Draft d, string i)
    {
        d.Do(d.Pick(["power-off", "isolate"]), $"{i}.secondary");
        d.Wait(1, 8);
        d.Do("portal-crash");
        d.Wait(1, 12);
        if (d.Chance(0.4)) d.Do(d.Pick(["power-on", "agent-crash", "freeze"]), $"{i}.primary");
        d.Do("portal-start");
    }

    private static void LeaveLost(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        var (kind, subject) = d.Pick([("guests/degrade", p), ("guests/degrade.done", p), ("step", "instance.degrade/alone"), ("stored", i)]);
        d.When(kind, subject, d.Chance(0.5) ? 0 : d.Between(0, 0.05), d.Pick(["cut", "cut-one-way", "cut"]), p, Portal);
        d.When(kind, subject, d.Between(0.3, 6), "heal", p, Portal);
        if (d.Chance(0.3)) d.When(kind, subject, d.Between(0, 0.2), "agent-crash", p);
        if (d.Chance(0.5)) d.Do("cut", p, s);
        else d.Do("power-off", s);
        d.Wait(3, 10);
        d.Do("mend");
    }

    private static void PortalThenSecondary(Draft d, string i)
    {
        d.Do("portal-crash");
        d.Wait(0, 6);
        d.Do(d.Pick(["power-off", "isolate", "exports-hang", "agent-crash"]), $"{i}.secondary");
        d.Wait(0, 6);
        if (d.Chance(0.4)) d.Do("heal");
        d.Do("portal-start");
        d.Wait(0, 6);
    }

    private static void PortalAndSecondary(Draft d, string i)
    {
        d.Do("portal-crash");
        if (d.Chance(0.3)) d.Wait(0, 0.3);
        d.Do("power-off", $"{i}.secondary");
        d.Wait(0.5, 10);
        d.Do(d.Pick(["portal-start", "mend"]));
        d.Wait(0, 5);
    }

    private static void DegradeRecordedPrimaryDies(Draft d, string i)
    {
        var p = $"{i}.primary";
        var (kind, subject) = d.Pick([("step", "instance.degrade/alone"), ("storing", i), ("stored", i), ("guests/degrade", p)]);
        d.When(kind, subject, d.Between(0, 0.03), "cut", p, Portal);
        d.When(kind, subject, d.Between(0, 2), d.Pick(["power-off", "freeze", "isolate"]), p);
        if (d.Chance(0.3)) d.When(kind, subject, d.Between(0, 0.5), "portal-crash");
        d.Do(d.Pick(["power-off", "isolate"]), $"{i}.secondary");
        d.Wait(3, 9);
        d.Do("mend");
        d.Wait(0, 3);
    }

    private static void PortalDiesAtAStep(Draft d, string i)
    {
        for (var k = d.Random.Next(1, 4); k > 0; k--) d.CrashAtAStep();
        var word = d.Pick(["power-off", "isolate", "guest-crash", "failover", "reboot", "stop", "migrate", "migrate"]);
        d.Do(word, word is "power-off" or "isolate" ? d.Pick([$"{i}.primary", $"{i}.secondary"]) : i);
        d.Wait(1, 10);
        d.Do("mend");
        if (word == "stop") d.In(d.Between(0, 8), "start", i);
    }

    private static void BothInTurn(Draft d, string i)
    {
        var (kind, subject, after) = d.Pick([("guest.started", i, 2.0), ("step", "instance.recover/promote", 0.7), ("generation/store", "*", 0.1), ("guests/start", "*", 0.3)]);
        d.When(kind, subject, d.Between(0, after), d.Pick(["power-off", "isolate", "freeze"]), $"{i}.primary");
        d.Do("power-off", $"{i}.primary");
        d.Wait(2, 9);
        d.Do("power-on", d.Pick(d.Nodes));
        d.Wait(0, 6);
        d.Do("mend");
        d.Wait(0, 4);
    }

    private static void AllLosePower(Draft d, string i)
    {
        foreach (var node in d.Nodes) d.In(d.Between(0, d.Chance(0.5) ? 0.1 : 3), "power-off", node);
        if (d.Chance(0.5)) d.In(d.Between(0, 3), "portal-crash");
        d.Wait(4, 6);
        foreach (var node in d.Nodes) d.In(d.Between(0, d.Chance(0.5) ? 1 : 12), "power-on", node);
        d.In(d.Between(0, 10), "portal-start");
        d.Wait(2, 15);
    }

    private static void Flaps(Draft d, string i)
    {
        var node = d.Pick([$"{i}.primary", $"{i}.secondary", d.Pick(d.Nodes)]);
        var (down, up) = d.Pick([("power-off", "power-on"), ("freeze", "thaw"), ("isolate", "heal")]);
        for (var k = d.Random.Next(2, 8); k > 0; k--)
        {
            d.Do(down, node);
            d.Wait(0.2, 4);
            if (up == "heal") d.Do("heal");
            else d.Do("mend");
            d.Wait(0.2, 5);
        }
    }

    private static void LateAndDouble(Draft d, string i)
    {
        foreach (var node in d.Nodes) d.Do("duplicate", node, Draft.Text(d.Between(5, 30)));
        for (var k = d.Random.Next(1, 5); k > 0; k--)
        {
            d.Burst(d.Chance(0.7) ? Portal : "*", d.Pick(["*", $"{i}.primary", $"{i}.secondary"]), 2);
            d.Do(d.Pick(["reboot", "failover", "guest-crash", "migrate"]), i);
            d.Wait(0, 2.5);
            if (d.Chance(0.5)) d.In(d.Between(0.1, 2), "portal-start");
            if (d.Chance(0.5)) d.Do("portal-crash");
            d.Wait(0, 1.5);
        }

        d.Do(d.Pick(["power-off", "isolate", "agent-crash"]), d.Pick([$"{i}.primary", $"{i}.secondary"]));
        d.Wait(0.5, 6);
        d.Do("mend");
        d.CrashAtAStep();
        d.Wait(0, 4);
    }

    private static void ByHand(Draft d, string i)
    {
        var (p, s) = ($"{i}.primary", $"{i}.secondary");
        var (kind, subject) = d.Pick([("guests/stop", p), ("guests/stop.done", p), ("step", "instance.failover/swapped"), ("generation/store", "*"), ("replica/open.done", s), ("guests/start", "*"), ("guest.started", i)]);
        var fault = d.Pick(["power-off", "isolate", "freeze", "agent-crash", "keeper-crash", "portal-crash"]);
        if (fault == "portal-crash") d.When(kind, subject, d.Between(0, 0.3), fault);
        else d.When(kind, subject, d.Chance(0.3) ? 0 : d.Between(0, 0.5), fault, d.Pick([p, s]));
        d.Do(d.Pick(["failover", "failover", "stop", "reboot"]), i);
        d.Wait(1, 9);
        d.Do("mend");
        d.Wait(0, 3);
        d.Do("start", i);
    }
}
