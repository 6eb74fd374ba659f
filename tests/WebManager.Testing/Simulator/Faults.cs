// What can be done to the simulated world, as words: scenarios write them, the random exploration draws them.
using System.Globalization;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public enum FaultKind { Fault, Repair, Operation }

/// <param name="Args">What follows the word; in brackets what may be left out.</param>
public sealed record FaultWord(string Args, FaultKind Kind);

public static class Faults
{
    /// <summary>Each word with its arguments. A fault is one crash, cut, pause, burst of delays or change of a clock.</summary>
    public static readonly IReadOnlyDictionary<string, FaultWord> Words = new SortedDictionary<string, FaultWord>(StringComparer.Ordinal)
    {
        ["power-off"] = new("node", FaultKind.Fault), ["freeze"] = new("node", FaultKind.Fault), ["isolate"] = new("node", FaultKind.Fault),
        ["cut"] = new("a b", FaultKind.Fault), ["cut-one-way"] = new("from to", FaultKind.Fault), ["agent-crash"] = new("node", FaultKind.Fault),
        ["keeper-crash"] = new("node", FaultKind.Fault), ["guest-crash"] = new("instance", FaultKind.Fault), ["portal-crash"] = new("", FaultKind.Fault),
        ["clock-jump"] = new("node seconds", FaultKind.Fault), ["exports-hang"] = new("node [disk]", FaultKind.Fault),
        ["delay-burst"] = new("from to seconds longest", FaultKind.Fault), ["slow-disk"] = new("node seconds longest", FaultKind.Fault),
        ["disk-error"] = new("node on|full|off", FaultKind.Fault),
        ["power-on"] = new("node", FaultKind.Repair), ["thaw"] = new("node", FaultKind.Repair), ["heal"] = new("[a b]", FaultKind.Repair),
        ["agent-start"] = new("node", FaultKind.Repair), ["portal-start"] = new("", FaultKind.Repair), ["exports-work"] = new("node", FaultKind.Repair),
        ["mend"] = new("", FaultKind.Repair), ["repair"] = new("", FaultKind.Repair), ["duplicate"] = new("node seconds", FaultKind.Operation),
        ["start"] = new("instance", FaultKind.Operation), ["stop"] = new("instance", FaultKind.Operation), ["failover"] = new("instance", FaultKind.Operation),
        ["migrate"] = new("instance", FaultKind.Operation), ["remove"] = new("instance", FaultKind.Operation), ["reboot"] = new("instance", FaultKind.Operation), ["create"] = new("instance template nodes", FaultKind.Operation),
        ["remove-node"] = new("node", FaultKind.Operation), ["backup"] = new("", FaultKind.Operation), ["confirm"] = new("instance node", FaultKind.Operation),
        ["auto-recover"] = new("instance|cluster|group:name on|off", FaultKind.Operation), ["priority"] = new("instance low|normal|high", FaultKind.Operation),
        ["tag"] = new("node tag", FaultKind.Operation), ["rule"] = new("prefix", FaultKind.Operation),
        ["adopt"] = new("instance", FaultKind.Operation),
        ["replace"] = new("instance [node]", FaultKind.Operation), ["auto-replace"] = new("seconds", FaultKind.Operation),
        ["maintenance"] = new("node on|off [return|rebuild]", FaultKind.Operation),
        ["restart-agent"] = new("node [seconds]", FaultKind.Operation), ["successor"] = new("node seconds|never|fails|refused", FaultKind.Operation),
        ["unfreeze"] = new("", FaultKind.Operation), ["offline"] = new("node yes|no", FaultKind.Operation), ["power-command"] = new("node works|fails|hangs|lies", FaultKind.Operation),
        ["restore"] = new("", FaultKind.Fault), ["twin"] = new("", FaultKind.Fault), ["twin-crash"] = new("", FaultKind.Fault),
    };

    /// <summary>Whether the number of arguments can be right.</summary>
    public static bool Fits(string word, IReadOnlyList<string> args)
    {
        if (!Words.TryGetValue(word, out var form)) return false;
        var all = form.Args.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        var needed = form.Args.Split('[')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        return args.Count == all || args.Count == needed;
    }

    /// <summary>A node's name; i1.primary, i1.secondary, i1.other by the engine's record now. Null: there is none.</summary>
    public static string? NodeOf(SimWorld world, string name)
    {
        if (!char.IsLetter(name[0]) || !name.Contains('.', StringComparison.Ordinal)) return name;   // a number is none
        var (instance, role) = (world.Database.Find(name.Split('.')[0]), name.Split('.')[1]);
        return role switch
        {
            _ when instance is null => null,
            "primary" => instance.Primary,
            "secondary" => instance.Secondary,
            "other" => world.Nodes.FirstOrDefault(n => n.Name != instance.Primary && n.Name != instance.Secondary)?.Name,
            _ => throw new FormatException($"\"{name}\" is no node; after the dot: primary, secondary or other."),
        };
    }

    /// <summary>Does it; false: nothing changed, because it was so already or there is nothing of that name.</summary>
    public static bool Do(SimWorld world, string word, IReadOnlyList<string> args)
    {
        var known = args.Select(a => NodeOf(world, a) ?? "").ToList();
        world.Log($"--- {word} {string.Join(' ', known)}");
        if (known.Contains("")) return false;
        var done = FaultActions.Do(world, word, known);
        if (done && Words[word].Kind == FaultKind.Fault) world.Faults++;
        return done;
    }
}

internal static class FaultActions
{
    public static bool Do(SimWorld world, string word, List<string> args) => word switch
    {
        "power-off" => world.Node(args[0]).PowerOff(),
        "power-on" => world.Node(args[0]).PowerOn(),
        "freeze" => world.Node(args[0]).Freeze(),
        "thaw" => world.Node(args[0]).Thaw(),
        "isolate" => Isolate(world, args[0]),
        "cut" => world.Network.Cut(args[0], args[1]) | world.Network.Cut(args[1], args[0]),
        "cut-one-way" => world.Network.Cut(args[0], args[1]),
        "heal" => world.Network.Heal((a, b) => args.Count == 0 || (a == args[0] && b == args[1]) || (a == args[1] && b == args[0])),
        "delay-burst" => world.Network.Burst(args[0], args[1], Seconds(args[2]), Seconds(args[3])),
        "duplicate" => world.Network.Duplicate(args[0], Seconds(args[1])),
        "agent-crash" => world.Node(args[0]).CrashAgent(),
        "agent-start" => world.Node(args[0]).StartAgent(),
        "keeper-crash" => world.Node(args[0]).CrashKeeper("killed"),
        "guest-crash" => CrashGuest(world, args[0]),
        "portal-crash" => world.CrashPortal(),
        "portal-start" => StartPortal(world),
        "clock-jump" => Jump(world, args[0], Seconds(args[1])),
        "exports-hang" => world.Node(args[0]).HangExports(args.Count > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : null),
        "exports-work" => world.Node(args[0]).ExportsWork(),
        "slow-disk" => Slow(world, args[0], Seconds(args[1]), Seconds(args[2])),
        "disk-error" => world.Node(args[0]).Faulty.Set(args[1]),
        "mend" => Mend(world),
        "repair" => Repair(world),
        "create" => Create(world, args),
        "remove-node" => Submit(world, new RemoveNode(args[0])),
        "backup" => Backup(world),
        "restore" => Restore(world),
        "twin" => StartTwin(world),
        "twin-crash" => world.Twin?.Crash() ?? false,
        "confirm" => Submit(world, new ConfirmInstance(args[0], args[1])),
        "adopt" => Adopt(world, args[0]),
        "replace" => Submit(world, new ReplaceSecondary(args[0]) { Node = args.ElementAtOrDefault(1) }),
        "auto-replace" => Submit(world, new ModifyCluster { ReplaceAfterSeconds = int.Parse(args[0], CultureInfo.InvariantCulture) }),
        "maintenance" => Submit(world, new MaintainNode(args[0], args[1] == "on") { Return = args.ElementAtOrDefault(2) == "return", Rebuild = args.ElementAtOrDefault(2) == "rebuild" }),
        "restart-agent" => Submit(world, new RestartAgent(args[0]) { TimeoutSeconds = args.Count > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : RestartAgent.UsualTimeout }),
        "successor" => Prepare(world.Node(args[0]), args[1]),
        "tag" => Submit(world, new AddNodeTags(args[0], [args[1]])),
        "rule" => Submit(world, new AddClusterTags([RuleFor(args[0])])),
        "unfreeze" => Submit(world, new UnfreezeCluster()),
        "auto-recover" or "priority" or "offline" => Submit(world, Policy(word, args[0], args[1])),
        "power-command" => Learn(world, args[0], args[1]),
        _ => Submit(world, Request(word, args[0])),
    };

    /// <summary>What the next order to restart the agent comes to.</summary>
    private static bool Prepare(SimNode node, string what)
    {
        node.Successor = what switch
        {
            "never" => new SimSuccessor(null),
            "fails" => new SimSuccessor(TimeSpan.FromSeconds(0.3), Failed: "The new program ended before it answered, with code 1."),
            "refused" => new SimSuccessor(null, Refused: new Refusal("agent.candidate-bad", "The installed program cannot take over.")),
            _ => new SimSuccessor(TimeSpan.FromSeconds(double.Parse(what, CultureInfo.InvariantCulture))),
        };
        return true;
    }

    private static OperationRequest Policy(string word, string subject, string value) => (word, subject) switch
    {
        ("auto-recover", "cluster") => new ModifyCluster { AutoRecover = value == "on" },
        ("auto-recover", _) when subject.StartsWith("group:", StringComparison.Ordinal) => new ModifyGroup(subject["group:".Length..]) { AutoRecover = value == "on" },
        ("auto-recover", _) => new ModifyInstance(subject) { AutoRecover = value == "on" },
        ("priority", _) => new ModifyInstance(subject) { Priority = Enum.Parse<RecoveryPriority>(value, ignoreCase: true) },
        _ => new ModifyNode(subject) { Offline = value == "yes" },
    };

    /// <summary>The cluster tag that makes node tags PREFIX:VALUE name failure domains.</summary>
    internal static string RuleFor(string prefix) => "htools:nlocation:" + prefix;

    private static bool Learn(SimWorld world, string node, string way)
    {
        world.PowerCommands[node] = way;
        return true;
    }

    private static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));

    private static OperationRequest Request(string word, string instance) => word switch
    {
        "start" => new StartInstance(instance),
        "stop" => new StopInstance(instance),
        "failover" => new FailoverInstance(instance),
        "migrate" => new MigrateInstance(instance) { AllowFailover = true },
        "remove" => new RemoveInstance(instance),
        "reboot" => new RebootInstance(instance),
        _ => throw new InvalidOperationException($"There is no fault or operation {word}."),
    };

    private static bool Create(SimWorld world, List<string> args) =>
        Submit(world, ScenarioInstances.Request(ScenarioReader.ReadInstance(args[0], args[1], args[2], [])));

    private static bool Submit(SimWorld world, OperationRequest request)
    {
        if (world.Portal is not { Dead: false, Listens: true } portal) return false;
        world.Spawn(async () =>
        {
            var accepted = await portal.Engine.SubmitAsync(request, SimPortal.Admin, "the scenario", CancellationToken.None);
            if (!accepted.Ok) world.Happened("refused", request.Subjects[0], null, accepted.Refusal.Code);
        });
        return true;
    }

    /// <summary>Of what nodes have and no record names. False: nothing of that name was found.</summary>
    public static bool Adopt(SimWorld world, string name) =>
        world.Portal is { Dead: false, Listens: true, Engine: { Halted: null } engine } && engine.Now.Found.Values.FirstOrDefault(f => f.Name == name) is { } found
        && Submit(world, new AdoptInstance(found.Name, found.Id) { OwnerFromTags = true });

    private static bool Backup(SimWorld world)
    {
        if (world.Database.Lease is not { } lease) return false;
        world.Backup = world.Database.Copy("backup", lease with { Place = EngineLease.InBackup, Released = true });
        return true;
    }

    /// <summary>The portal ends; its database is as in the backup when it begins again.</summary>
    private static bool Restore(SimWorld world)
    {
        if (world.Backup is not { } backup) return false;
        world.CrashPortal();
        world.Forked = true;
        world.Database.Restore(backup);
        world.Spawn(world.StartPortalAsync);
        return true;
    }

    private static bool StartTwin(SimWorld world)
    {
        if (world.Twin is { Dead: false }) return false;
        world.Spawn(world.StartTwinAsync);
        return true;
    }

    private static bool Isolate(SimWorld world, string node)
    {
        var any = false;
        foreach (var other in world.Nodes.Select(n => n.Name).Append(SimNetwork.Portal).Append(SimNetwork.Twin).Where(n => n != node))
        {
            any |= world.Network.Cut(node, other) | world.Network.Cut(other, node);
        }

        return any;
    }

    private static bool CrashGuest(SimWorld world, string instance)
    {
        var guests = world.Nodes.SelectMany(n => n.Guests.Values).Where(g => world.NameOf(g.Instance) == instance && !g.Dying).ToList();
        foreach (var guest in guests) world.Spawn(() => guest.KillAsync(Contracts.Agent.GuestEnd.Crashed));
        return guests.Count > 0;
    }

    private static bool StartPortal(SimWorld world)
    {
        if (world.Portal is { Dead: false }) return false;
        world.Spawn(world.StartPortalAsync);
        return true;
    }

    private static bool Jump(SimWorld world, string who, TimeSpan by)
    {
        var clock = who != SimNetwork.Portal ? world.Node(who).Clock : world.Portal is { Dead: false } portal ? portal.Clock : null;
        if (clock is null) return false;
        clock.WallOffset += by;
        return true;
    }

    private static bool Slow(SimWorld world, string who, TimeSpan time, TimeSpan longest)
    {
        var disk = who == SimNetwork.Portal ? world.PortalDisk : world.Node(who).SlowDisk;
        disk.Slow(world.Now + time, longest);
        return true;
    }

    /// <summary>All links, nodes, agents and the portal are well again; what runs slow goes on so.</summary>
    private static bool Mend(SimWorld world)
    {
        world.Network.Heal((_, _) => true);
        foreach (var node in world.Nodes)
        {
            node.ExportsWork();
            node.Faulty.Set("off");
            node.Thaw();
            node.PowerOn();
            node.Successor = new SimSuccessor(TimeSpan.FromSeconds(0.4));
            node.StartAgent();
        }

        return StartPortal(world);
    }

    /// <summary>From here nothing more goes wrong.</summary>
    private static bool Repair(SimWorld world)
    {
        world.Moments.Clear();
        world.Network.Calm();
        world.PortalDisk.Slow(world.Now, TimeSpan.Zero);
        foreach (var node in world.Nodes) node.SlowDisk.Slow(world.Now, TimeSpan.Zero);
        return Mend(world);
    }
}
