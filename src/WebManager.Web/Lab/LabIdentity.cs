// Which lab this is: a short id and a network, chosen once by the data folder's name and remembered in it.
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace WebManager.Web.Lab;

/// <summary>Namespaces: nodes are network namespaces on a bridge, which takes root. Loopback: addresses of 127.0.0.0/8 and user-mode networking.</summary>
public enum LabWires { Namespaces, Loopback }

/// <param name="Id">Five hex digits; begins the names of bridge and namespaces and stands in every process's marker.</param>
/// <param name="Prefix">The first three numbers of all addresses: 10.77.31.</param>
public sealed record LabIdentity(string Id, string Prefix, LabWires Wires)
{
    public const string Marker = "WEBMANAGER_LAB_NODE";

    /// <summary>The network of nodes and guests; null where guests have no addresses of their own.</summary>
    public string? Subnet => Wires == LabWires.Namespaces ? $"{Prefix}.0/24" : null;
    public string? Gateway => Wires == LabWires.Namespaces ? $"{Prefix}.1" : null;

    public string Bridge => $"wm{Id}";

    /// <summary>The node's namespace, and the host's end of its cable.</summary>
    public string Namespace(int node) => $"wm{Id}n{node}";
    public string Address(int node) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}.{10 + node}");
    public string Mac(int host) => string.Create(CultureInfo.InvariantCulture, $"02:77:{Id[..2]}:{Id[2..4]}:0{Id[4..5]}:{host:x2}");

    /// <summary>The remembered one, or a new one on a network that nothing here uses.</summary>
    public static LabIdentity Open(string folder, string network, LabWires wires, IEnumerable<IPNetwork> used)
    {
        var file = Path.Combine(folder, "lab.json");
        if (File.Exists(file))
            return JsonSerializer.Deserialize<LabIdentity>(File.ReadAllBytes(file)) ?? throw new InvalidDataException($"{file} is empty; remove {folder} to begin a new lab.");
        var made = Choose(folder, network, wires, [.. used]);
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(file + ".new", JsonSerializer.SerializeToUtf8Bytes(made));
        File.Move(file + ".new", file, overwrite: true);
        return made;
    }

    private static LabIdentity Choose(string folder, string network, LabWires wires, IReadOnlyCollection<IPNetwork> used)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder)));
        var (id, first) = (Convert.ToHexStringLower(hash)[..5], hash[8] % 250);
        var start = wires == LabWires.Namespaces ? network : "127.77";
        for (var i = 0; i < 250; i++)
        {
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{start}.{(first + i) % 250 + 1}");
            var wanted = IPNetwork.Parse($"{prefix}.0/24");
            // All of 127.0.0.0/8 is this machine's own, so nothing there counts as in use.
            if (wires == LabWires.Loopback || !used.Any(u => u.Contains(wanted.BaseAddress) || wanted.Contains(u.BaseAddress))) return new LabIdentity(id, prefix, wires);
        }
        throw new InvalidOperationException($"Every network below {start}.0.0 is in use here. Set Lab:Network to another beginning.");
    }
}
