// A random scenario in the making: a cluster by the seed, then faults one after the other.
using System.Globalization;
using WebManager.Contracts;

namespace WebManager.Testing.Simulator;

/// <summary>What the drawing of faults needs: the time so far, the cluster, and the seed's numbers.</summary>
internal sealed class Draft
{
    private readonly List<ScenarioFault> _given = [];
    private readonly HashSet<string> _off = [];
    private readonly HashSet<string> _frozen = [];
    private readonly double _quiet;
    private string _favourite;
    private int _created;

    /// <param name="forks">Databases are restored and second portals begin; nothing is created or removed then.</param>
    /// <param name="quiet">Part of the instances that only read: nothing but the lease stops them.</param>
    public Draft(Random random, bool forks, double quiet)
    {
        (Random, Forks, _quiet) = (random, forks, quiet);
        Nodes = [.. Enumerable.Range(1, random.Next(2, 5)).Select(i => $"n{i}")];
        Instances = [.. Enumerable.Range(1, random.Next(1, 4)).Select(i => NewInstance($"i{i}", mirrored: i == 1))];
        _favourite = Pick(Nodes);
    }

    public Random Random { get; }
    public bool Forks { get; }
    public IReadOnlyList<string> Nodes { get; }
    public IReadOnlyList<ScenarioInstance> Instances { get; }
    public IReadOnlyList<ScenarioFault> Given => _given;
    public double Now { get; private set; }

    /// <summary>Faults so far; some will find nothing to break.</summary>
    public int Count => _given.Count(g => Faults.Words[g.Word].Kind == FaultKind.Fault);

    public T Pick<T>(IReadOnlyList<T> from) => from[Random.Next(from.Count)];

    public double Between(double from, double to) => from + (to - from) * Random.NextDouble();

    public bool Chance(double part) => Random.NextDouble() < part;

    public void Wait(double from, double to) => Now += Between(from, to);

    public void Do(string word, params string[] args) => Add(new ScenarioFault(Round(Now), word, args));

    /// <summary>So many seconds from now, without waiting for it.</summary>
    public void In(double seconds, string word, params string[] args) => Add(new ScenarioFault(Round(Now + seconds), word, args));

    /// <summary>At the next such moment and delay seconds later.</summary>
    public void When(string kind, string subject, double delay, string word, params string[] args) =>
        Add(new ScenarioFault(Round(Now), word, args, new ScenarioMoment(kind, subject, Round(delay))));

    /// <summary>All is well again, and there is time for the mirrors to become whole.</summary>
    public void Mend(double from = 3, double to = 10)
    {
        Do("mend");
        Wait(from, to);
    }

    /// <summary>Any faults, clustered around one node; what is broken is repaired about as often as something breaks.</summary>
    public void Uniform(int count, double longest = 6)
    {
        for (var i = 0; i < count; i++)
        {
            Now += Random.Next(4) switch { 0 => 0.3, 1 => 1, 2 => 2, _ => longest } * Random.NextDouble();
            if (Random.Next(6) == 0) _favourite = Pick(Nodes);
            Any(Random.Next(3) > 0 ? _favourite : Pick(Nodes));
        }
    }

    private void Any(string node)
    {
        switch (Random.Next(36))
        {
            case 0 or 1 or 2: Do("power-off", node); break;
            case 3 or 4 or 5: Do("power-on", _off.FirstOrDefault() ?? node); break;
            case 6 or 7: Do("freeze", node); break;
            case 8 or 9: Do("thaw", _frozen.FirstOrDefault() ?? node); break;
            case 10: Do("isolate", node); break;
            case 11 or 12: Do("cut", node, Other(node)); break;
            case 13: Do("cut-one-way", node, Other(node)); break;
            case 14: Do("cut-one-way", Other(node), node); break;
            case 15 or 16 or 17: Do("heal"); break;
            case 18: Do("agent-crash", node); break;
            case 19: Do("agent-start", node); break;
            case 20: Do("keeper-crash", node); break;
            case 21: Do("guest-crash", Pick(Instances).Name); break;
            case 22: Do("portal-crash"); break;
            case 23 or 24: Do("portal-start"); break;
            case 25: Do("exports-hang", Chance(0.5) ? [node] : [node, Pick(["0", "1"])]); break;
            case 26: Do("exports-work", node); break;
            case 27: Do("clock-jump", Chance(0.8) ? node : SimNetwork.Portal, Text(Random.Next(7200) - 3600)); break;
            case 28: Burst(Chance(0.5) ? node : "*", Chance(0.5) ? Other(node) : "*"); break;
            case 29: Do("slow-disk", Chance(0.8) ? node : SimNetwork.Portal, Text(Between(0.5, 10)), Text(Between(0.1, 6))); break;
            case 30: Do("duplicate", node, Text(Between(1, 20))); break;
            case 31: CrashAtAStep(); break;
            case 32: if (_created < 3 && !Forks) Create(); break;
            case 33: Do(Pick(["stop", "start", Forks ? "stop" : "remove"]), _created == 0 ? Pick(Instances).Name : $"c{Random.Next(_created) + 1}"); break;
            default: Do(Pick(["stop", "start", "reboot", "start", "failover", "migrate", "migrate"]), Pick(Instances).Name); break;
        }
    }

    /// <summary>Messages of the one to the other take long for a while.</summary>
    public void Burst(string from, string to, double most = 6) => Do("delay-burst", from, to, Text(Between(0.3, most)), Text(Between(0.2, 5)));

    /// <summary>The portal dies at one of the next step boundaries, or inside a commit, and comes back.</summary>
    public void CrashAtAStep()
    {
        var (kind, subject) = Random.Next(4) switch { 0 => ("storing", "*"), 1 => ("stored", "*"), _ => ("step", "*") };
        var after = Chance(0.6) ? 0 : Between(0, 0.6);
        When(kind, subject, after, "portal-crash");
        When(kind, subject, after + Between(0.1, 8), "portal-start");
    }

    /// <summary>Its name; another one each time.</summary>
    public string Create()
    {
        var made = NewInstance($"c{++_created}", mirrored: Chance(0.7));
        Do("create", made.Name, made.Template.ToString().ToLowerInvariant(), made.Secondary is null ? made.Primary : $"{made.Primary}/{made.Secondary}");
        return made.Name;
    }

    public string Other(string node) => Random.Next(3) == 0 ? SimNetwork.Portal : Pick([.. Nodes.Where(n => n != node)]);

    public static string Text(double number) => Round(number).ToString(CultureInfo.InvariantCulture);

    private static double Round(double seconds) => Math.Round(seconds, 3);

    private ScenarioInstance NewInstance(string name, bool mirrored)
    {
        var primary = Pick(Nodes);
        var template = mirrored || Random.Next(6) > 1 ? DiskTemplate.Mirror : Random.Next(2) == 0 ? DiskTemplate.Diskless : DiskTemplate.File;
        var secondary = template == DiskTemplate.Mirror ? Pick([.. Nodes.Where(n => n != primary)]) : null;
        return new ScenarioInstance(name, template, primary, secondary, Chance(_quiet));
    }

    private void Add(ScenarioFault fault)
    {
        _given.Add(fault);
        if (fault.When is not null) return;
        switch (fault.Word)
        {
            case "power-off": _off.Add(fault.Args[0]); break;
            case "power-on": _off.Remove(fault.Args[0]); break;
            case "freeze": _frozen.Add(fault.Args[0]); break;
            case "thaw": _frozen.Remove(fault.Args[0]); break;
            case "mend": _off.Clear(); _frozen.Clear(); break;
            default: break;
        }
    }
}
