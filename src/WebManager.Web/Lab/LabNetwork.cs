// The lab's wires as root: a bridge on the host, a namespace for each node with a bridge br0 inside for its guests. Every step may be repeated.
using System.Net;

namespace WebManager.Web.Lab;

/// <param name="owner">The lab's folder; `ip link` shows it beside the bridge.</param>
internal sealed class LabNetwork(LabIdentity lab, string owner)
{
    /// <summary>In each node: carries the node's address and its guests' taps.</summary>
    public const string NodeBridge = "br0";
    private const string Uplink = "uplink";

    /// <summary>No waiting for spanning trees, no guessing about multicast: an address that moves is learnt with its first packet.</summary>
    private static readonly string[] s_fastBridge = ["type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0"];

    /// <summary>Networks that this machine's routes lead to.</summary>
    public static async Task<IReadOnlyList<IPNetwork>> UsedAsync(CancellationToken ct)
    {
        var routes = await LabCommand.RunAsync("ip", ["-4", "-o", "route", "show", "table", "all"], ct);
        return [.. routes.Output.Split('\n').SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2))
            .Select(word => word.Contains('/', StringComparison.Ordinal) ? word : word + "/32")
            .Select(word => IPNetwork.TryParse(word, out var n) ? n : default).Where(n => n.PrefixLength > 0)];
    }

    /// <summary>Whether this process may make namespaces, bridges and taps.</summary>
    public static async Task<bool> PossibleAsync(CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists("/dev/net/tun")) return false;
        var probe = $"wmprobe{Random.Shared.Next():x8}";   // several may ask at one time; a link's name has 15 characters at most
        try
        {
            var added = await LabCommand.RunAsync("ip", ["netns", "add", probe], ct);
            var bridged = added.Ok ? await LabCommand.RunAsync("ip", ["-n", probe, "link", "add", "name", NodeBridge, "type", "bridge"], ct) : added;
            var cabled = bridged.Ok ? await LabCommand.RunAsync("ip", ["link", "add", probe, "type", "veth", "peer", "name", Uplink, "netns", probe], ct) : bridged;
            if (cabled.Ok) await LabCommand.RunAsync("ip", ["link", "del", probe], ct);
            if (added.Ok) await LabCommand.RunAsync("ip", ["netns", "del", probe], ct);
            return cabled.Ok;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // There is no `ip`.
        }
    }

    public async Task EnsureHostAsync(CancellationToken ct)
    {
        if (!HasLink(lab.Bridge)) await IpAsync(ct, ["link", "add", "name", lab.Bridge, "address", lab.Mac(1), .. s_fastBridge]);
        await IpAsync(ct, "link", "set", "dev", lab.Bridge, "alias", owner.Length > 250 ? owner[..250] : owner);
        await IpAsync(ct, "addr", "replace", $"{lab.Gateway}/24", "dev", lab.Bridge);
        await IpAsync(ct, "link", "set", "dev", lab.Bridge, "up");
        // Where the firewall also looks into bridges, a host's rules for forwarding (Docker's) would cut the lab's wires.
        foreach (var table in new[] { "iptables", "ip6tables", "arptables" })
        {
            var file = $"/proc/sys/net/bridge/bridge-nf-call-{table}";
            if (File.Exists(file) && (await File.ReadAllTextAsync(file, ct)).Trim() == "1") await File.WriteAllTextAsync(file, "0", ct);
        }
    }

    public async Task EnsureNodeAsync(int node, CancellationToken ct)
    {
        var name = lab.Namespace(node);
        if (!HasNamespace(name)) await IpAsync(ct, "netns", "add", name);
        // A cable without its other end is left over from a namespace that has gone.
        if (HasLink(name) && !(await LabCommand.RunAsync("ip", ["-n", name, "link", "show", "dev", Uplink], ct)).Ok) await IpAsync(ct, "link", "del", "dev", name);
        if (!HasLink(name)) await IpAsync(ct, "link", "add", "name", name, "type", "veth", "peer", "name", Uplink, "netns", name);
        await IpAsync(ct, "link", "set", "dev", name, "master", lab.Bridge, "up");

        if (!(await LabCommand.RunAsync("ip", ["-n", name, "link", "show", "dev", NodeBridge], ct)).Ok)
            await IpAsync(ct, ["-n", name, "link", "add", "name", NodeBridge, "address", lab.Mac(10 + node), .. s_fastBridge]);
        await IpAsync(ct, "-n", name, "link", "set", "dev", "lo", "up");
        await IpAsync(ct, "-n", name, "link", "set", "dev", Uplink, "master", NodeBridge, "up");
        await IpAsync(ct, "-n", name, "addr", "replace", $"{lab.Address(node)}/24", "dev", NodeBridge);
        await IpAsync(ct, "-n", name, "link", "set", "dev", NodeBridge, "up");
        // Acknowledged at once: QEMU's NBD server sends its greeting in small pieces, and waits twice for the other end's delayed acknowledgement.
        await IpAsync(ct, "-n", name, "route", "replace", lab.Subnet!, "dev", NodeBridge, "proto", "kernel", "scope", "link", "src", lab.Address(node), "quickack", "1");
        await IpAsync(ct, "-n", name, "route", "replace", "default", "via", lab.Gateway!);
    }

    /// <summary>The host's bridge forgets what it learnt behind the node's cable, as a switch does when a plug is pulled.</summary>
    public async Task ForgetAddressesAsync(int node, CancellationToken ct)
    {
        if (HasLink(lab.Namespace(node))) await LabCommand.RunAsync("ip", ["link", "set", "dev", lab.Namespace(node), "type", "bridge_slave", "fdb_flush"], ct);
    }

    public async Task RemoveNodeAsync(int node, CancellationToken ct)
    {
        var name = lab.Namespace(node);
        if (HasLink(name)) await IpAsync(ct, "link", "del", "dev", name);
        if (HasNamespace(name)) await IpAsync(ct, "netns", "del", name);
    }

    public async Task RemoveHostAsync(CancellationToken ct)
    {
        if (HasLink(lab.Bridge)) await IpAsync(ct, "link", "del", "dev", lab.Bridge);
    }

    private static bool HasLink(string name) => Directory.Exists($"/sys/class/net/{name}");
    private static bool HasNamespace(string name) => File.Exists($"/run/netns/{name}");

    private static Task IpAsync(CancellationToken ct, params string[] arguments) => LabCommand.MustAsync("ip", arguments, ct);
}
