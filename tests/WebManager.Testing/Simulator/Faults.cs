// What can be done to the simulated world, as words: scenarios write them, the random exploration draws them.
using System.Globalization;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public static class Faults
{
    /// <summary>Each word with its arguments.</summary>
    public static readonly IReadOnlyDictionary<string, string> Words = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["power-off"] = "node", ["power-on"] = "node", ["freeze"] = "node", ["thaw"] = "node", ["isolate"] = "node", ["cut"] = "a b", ["cut-one-way"] = "from to",
        ["heal"] = "[a b]", ["agent-crash"] = "node", ["agent-start"] = "node", ["keeper-crash"] = "node", ["guest-crash"] = "instance", ["portal-crash"] = "",
        ["portal-start"] = "", ["clock-jump"] = "node seconds", ["exports-hang"] = "node", ["exports-work"] = "node", ["start"] = "instance", ["stop"] = "instance", ["failover"] = "instance",
        ["remove"] = "instance", ["reboot"] = "instance",
        ["auto-recover"] = "instance|cluster on|off", ["priority"] = "instance low|normal|high", ["unfreeze"] = "", ["offline"] = "node yes|no", ["power-command"] = "node works|fails|hangs|lies",
    };

    /// <summary>Whether the number of arguments can be right.</summary>
    public static bool Fits(string word, IReadOnlyList<string> args) =>
        Words.TryGetValue(word, out var form) && (args.Count == form.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length || (form.StartsWith('[') && args.Count == 0));

    public static void Do(SimWorld world, string word, IReadOnlyList<string> args)
    {
        world.Log($"--- {word} {string.Join(' ', args)}");
        switch (word)
        {
            case "power-off": world.Node(args[0]).PowerOff(); break;
            case "power-on": world.Node(args[0]).PowerOn(); break;
            case "freeze": world.Node(args[0]).Freeze(); break;
            case "thaw": world.Node(args[0]).Thaw(); break;
            case "isolate": Isolate(world, args[0]); break;
            case "cut": world.Network.Cut(args[0], args[1]); world.Network.Cut(args[1], args[0]); break;
            case "cut-one-way": world.Network.Cut(args[0], args[1]); break;
            case "heal": world.Network.Heal((a, b) => args.Count == 0 || (a == args[0] && b == args[1]) || (a == args[1] && b == args[0])); break;
            case "agent-crash": world.Node(args[0]).CrashAgent(); break;
            case "agent-start": world.Node(args[0]).StartAgent(); break;
            case "keeper-crash": world.Node(args[0]).CrashKeeper("killed"); break;
            case "guest-crash": CrashGuest(world, args[0]); break;
            case "portal-crash": world.CrashPortal(); break;
            case "portal-start": world.Spawn(world.StartPortalAsync); break;
            case "clock-jump": ClockOf(world, args[0]).WallOffset += TimeSpan.FromSeconds(double.Parse(args[1], CultureInfo.InvariantCulture)); break;
            case "exports-hang": world.Node(args[0]).ExportsHang = true; break;
            case "exports-work": world.Node(args[0]).ExportsHang = false; break;
            case "power-command": world.PowerCommands[args[0]] = args[1]; break;
            case "unfreeze": Submit(world, new UnfreezeCluster()); break;
            case "auto-recover" or "priority" or "offline": Submit(world, Policy(word, args[0], args[1])); break;
            default: Submit(world, Request(word, args[0])); break;
        }
    }

    private static OperationRequest Policy(string word, string subject, string value) => (word, subject) switch
    {
        ("auto-recover", "cluster") => new ModifyCluster { AutoRecover = value == "on" },
        ("auto-recover", _) => new ModifyInstance(subject) { AutoRecover = value == "on" },
        ("priority", _) => new ModifyInstance(subject) { Priority = Enum.Parse<RecoveryPriority>(value, ignoreCase: true) },
        _ => new ModifyNode(subject) { Offline = value == "yes" },
    };

    private static OperationRequest Request(string word, string instance) => word switch
    {
        "start" => new StartInstance(instance),
        "stop" => new StopInstance(instance),
        "failover" => new FailoverInstance(instance),
        "remove" => new RemoveInstance(instance),
        "reboot" => new RebootInstance(instance),
        _ => throw new InvalidOperationException($"There is no fault or operation {word}."),
    };

    private static void Submit(SimWorld world, OperationRequest request) => world.Spawn(async () =>
    {
        if (world.Portal is not { Dead: false } portal) return;
        var accepted = await portal.Engine.SubmitAsync(request, SimPortal.Admin, "the scenario", CancellationToken.None);
        if (!accepted.Ok) world.Happened("refused", request.Subjects[0], null, accepted.Refusal.Code);
    });

    private static void Isolate(SimWorld world, string node)
    {
        foreach (var other in world.Nodes.Select(n => n.Name).Append(SimNetwork.Portal).Where(n => n != node))
        {
            world.Network.Cut(node, other);
            world.Network.Cut(other, node);
        }
    }

    private static void CrashGuest(SimWorld world, string instance)
    {
        foreach (var guest in world.Nodes.SelectMany(n => n.Guests.Values).Where(g => world.NameOf(g.Instance) == instance && !g.Dying).ToList())
        {
            world.Spawn(() => guest.KillAsync(Contracts.Agent.GuestEnd.Crashed));
        }
    }

    private static SimClock ClockOf(SimWorld world, string name) => name == SimNetwork.Portal
        ? world.Portal?.Clock ?? throw new InvalidOperationException("The portal does not run.")
        : world.Node(name).Clock;
}
