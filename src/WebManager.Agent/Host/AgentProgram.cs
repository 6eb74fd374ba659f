using System.Globalization;
using System.Text.RegularExpressions;
using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Agent.Upgrade;
using WebManager.Contracts;

namespace WebManager.Agent.Host;

/// <summary>The verbs. Exit codes: 0 done, 1 refused, 2 wrong arguments, 3 the portal cannot be reached.</summary>
internal static partial class AgentProgram
{
    private const string Usage = """
        WebManager.Agent join URL TOKEN --dir D --name N --address HOST:PORT
                         [--memory MiB] [--disk MiB] [--cpus N] [--bridge BR] [--netns NAME] [--hypervisor auto|kvm|tcg|fake]
        WebManager.Agent rejoin URL TOKEN --dir D                                      (a portal that begins anew; instances stay)
        WebManager.Agent run    --dir D [--after PID]                                  (after: started by the agent that it follows)
        WebManager.Agent version                                                       (what this program is, as JSON)
        WebManager.Agent keeper --dir D [--isolation hh:mm:ss] [--watchdog DEVICE]     (started by the agent)
        """;

    private static readonly Dictionary<string, (int, string[])> Verbs = new()
    {
        ["run"] = (0, ["dir", "after"]),
        ["join"] = (2, ["dir", "name", "address", "memory", "disk", "cpus", "bridge", "netns", "hypervisor"]),
        ["rejoin"] = (2, ["dir"]),
        ["keeper"] = (0, ["dir", "isolation", "watchdog"]),
    };

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--help" or "-h" or "help"])
        {
            Console.WriteLine(Usage);
            return 0;
        }

        if (args is ["version"])
        {
            Console.WriteLine(ProgramFacts.Own.ToJson());
            return 0;
        }

        var parsed = Arguments.Parse(args, Verbs);
        if (!parsed.Ok) return Wrong(parsed.Refusal.Message + "\n" + Usage);
        if (parsed.Value["dir"] is not { } dir) return Wrong("--dir is missing: the node's own folder.");
        var folder = new NodeFolder(dir);
        return parsed.Value.Verb switch
        {
            "keeper" => await KeeperAsync(parsed.Value, folder),
            "join" => await JoinAsync(parsed.Value, folder),
            "rejoin" => NodeConfig.Read(folder) is { } known ? await JoinCommand.RunAsync(parsed.Value.Words[0], parsed.Value.Words[1], folder, known, again: true)
                : Wrong($"{folder.Root} holds no agent.json: this node has joined no cluster. Use join."),
            _ => await RunAgentAsync(folder, AgentStart.ProgramOf(await File.ReadAllTextAsync("/proc/self/cmdline"), args.Length), follows: parsed.Value["after"] is not null),
        };
    }

    private static async Task<int> RunAgentAsync(NodeFolder folder, IReadOnlyList<string> program, bool follows)
    {
        if (NodeConfig.Read(folder) is not { } config)
        {
            await Console.Error.WriteLineAsync($"{folder.Root} holds no agent.json: this node has not joined a cluster. See `join`.");
            return 1;
        }

        // Opening it would start it, which is the keeper's part; that it is missing is said here, where somebody looks.
        if (config.Watchdog is { } watchdog && !File.Exists(watchdog))
        {
            await Console.Error.WriteLineAsync($"There is no {watchdog}, which agent.json names as the watchdog. Load its driver, or take it out of agent.json.");
            return 1;
        }

        await using var succession = follows ? await Succession.ToAsync(folder.Root, CancellationToken.None) : null;
        var (start, line) = (new AgentStart(program), succession);
        while (true)
        {
            var (code, again) = await AgentHost.RunAsync(folder, config, start, line);
            if (again is null) return code;
            (start, line) = (new AgentStart(program) { HandedOver = again }, null);
        }
    }

    private static async Task<int> KeeperAsync(Arguments args, NodeFolder folder)
    {
        var isolation = LeaseRules.DefaultIsolation;
        if (args["isolation"] is { } text && !TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out isolation))
            return Wrong($"--isolation '{text}' is no time; write 00:00:03.");
        return await KeeperMain.RunAsync(folder.Root, isolation, args["watchdog"]);
    }

    private static async Task<int> JoinAsync(Arguments args, NodeFolder folder)
    {
        var wish = Wish(args);
        return wish.Ok ? await JoinCommand.RunAsync(args.Words[0], args.Words[1], folder, wish.Value) : Wrong(wish.Refusal.Message);
    }

    private static Outcome<NodeConfig> Wish(Arguments args)
    {
        if (args["name"] is not { } name) return No("--name is missing: the node's name in the cluster.");
        if (!Names().IsMatch(name)) return No($"--name '{name}' is no host name: letters, digits, dashes and dots.");
        if (args["address"] is not { } address) return No("--address is missing: HOST:PORT at which the portal reaches this agent.");
        if (!Addresses().IsMatch(address) || !ushort.TryParse(address[(address.LastIndexOf(':') + 1)..], out var port) || port == 0)
            return No($"--address '{address}' is not HOST:PORT.");
        if (Number(args, "memory", out var memory) is { } a) return a;
        if (Number(args, "disk", out var disk) is { } b) return b;
        if (Number(args, "cpus", out var cpus) is { } c) return c;
        if (args["netns"] is { } netns && !Names().IsMatch(netns)) return No($"--netns '{netns}' is no namespace name.");
        if (args["bridge"] is { } bridge && (!Names().IsMatch(bridge) || bridge.Length > 15)) return No($"--bridge '{bridge}' is no name of a network device.");
        var hypervisor = args["hypervisor"] ?? "auto";
        if (hypervisor is not ("auto" or "kvm" or "tcg" or "fake")) return No($"--hypervisor '{hypervisor}' is none of auto, kvm, tcg, fake.");
        return new NodeConfig("", name, address)
        {
            MemoryMiB = memory, DiskMiB = disk, Cpus = (int?)cpus, Bridge = args["bridge"], NetworkNamespace = args["netns"], Hypervisor = hypervisor,
        };
    }

    private static Refusal? Number(Arguments args, string option, out long? value)
    {
        value = null;
        if (args[option] is not { } text) return null;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 1L << 40) return No($"--{option} '{text}' is no positive whole number.");
        value = number;
        return null;
    }

    private static Refusal No(string text) => new("arguments", text);

    private static int Wrong(string text)
    {
        Console.Error.WriteLine(text);
        return 2;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex Names();

    [GeneratedRegex(@"\A([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}\z")]
    private static partial Regex Addresses();
}
