using System.Globalization;
using System.Text.Json.Nodes;
using WebManager.Agent.Storage;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Names of one disk's nodes that live as long as the guest's process.</summary>
public sealed record DiskNodes(int Index, string Device, string Local, string LocalFile)
{
    public static DiskNodes Of(int index) => new(index, $"vd{index}", $"local{index}", $"file{index}");

    /// <summary>The property that says which node the guest's disk is on.</summary>
    public string DrivePath => $"/machine/peripheral/{Device}/virtio-backend";

    /// <summary>A place where the disk can stay while its graph is rebuilt; all I/O fails there.</summary>
    public string Hold => $"hold{Index}";
}

/// <summary>Names of one copy's nodes. The turn tells apart several tries within one generation: a yanked node is never used again.</summary>
public sealed record CopyNodes(int Index, long Generation, int Turn)
{
    private string Suffix => string.Create(CultureInfo.InvariantCulture, $"{Index}-g{Generation}-{Turn}");
    public string Copy => $"copy{Suffix}";
    public string Pair => $"pair{Suffix}";

    /// <summary>This copy beside the local image and another one.</summary>
    public string Trio => $"trio{Suffix}";

    /// <summary>Reads a node name back; null when it is no name of a copy, a pair or a trio.</summary>
    public static CopyNodes? Parse(string? name)
    {
        if (name is not { Length: > 4 } || name[..4] is not ("copy" or "pair" or "trio")) return null;
        var parts = name[4..].Split('-');
        return parts.Length == 3 && parts[1].StartsWith('g') && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var index)
            && long.TryParse(parts[1][1..], CultureInfo.InvariantCulture, out var generation) && int.TryParse(parts[2], CultureInfo.InvariantCulture, out var turn)
            ? new CopyNodes(index, generation, turn) : null;
    }
}

/// <summary>Block nodes as QEMU's -blockdev and blockdev-add take them. no-flush is false everywhere: a flush is a promise.</summary>
public static class BlockNodes
{
    public static JsonObject File(string name, string path) => new()
    {
        ["driver"] = "file", ["node-name"] = name, ["filename"] = path, ["discard"] = "unmap", ["cache"] = Cache(),
    };

    public static JsonObject Qcow2(string name, string file) => new()
    {
        ["driver"] = "qcow2", ["node-name"] = name, ["file"] = file, ["discard"] = "unmap", ["cache"] = Cache(),
    };

    /// <summary>How long a starting guest may wait for its replica.</summary>
    public const int ConnectAtStart = 3;

    /// <summary>A running guest's I/O stands still while QEMU connects: one second, the least QEMU knows.</summary>
    public const int ConnectWhileRunning = 1;

    // reconnect-delay 0: while a node reconnects, a yank has no effect. open-timeout: TCP alone would try for minutes.
    // tlsName: the node whose certificate the other end must show, whatever address it is reached by; null: not encrypted.
    public static JsonObject Nbd(string name, ReplicaAddress replica, int position, int connectSeconds, string? tlsName)
    {
        var node = new JsonObject
        {
            ["driver"] = "nbd", ["node-name"] = name, ["discard"] = "unmap", ["cache"] = Cache(),
            ["server"] = new JsonObject { ["type"] = "inet", ["host"] = replica.Host, ["port"] = replica.Port.ToString(CultureInfo.InvariantCulture) },
            ["export"] = replica.Exports[position], ["reconnect-delay"] = 0, ["open-timeout"] = connectSeconds,
        };
        if (tlsName is not null) (node["tls-creds"], node["tls-hostname"]) = (NodeTls.CredentialsId, tlsName);
        return node;
    }

    /// <summary>Every write must succeed on each of them; reads come from the first one that works.</summary>
    public static JsonObject Quorum(string name, string local, params IReadOnlyList<string> copies) => new()
    {
        ["driver"] = "quorum", ["node-name"] = name, ["vote-threshold"] = 1 + copies.Count, ["read-pattern"] = "fifo", ["discard"] = "unmap",
        ["children"] = new JsonArray([local, .. copies]),
    };

    /// <summary>All I/O fails here, so that a guest resumed by mistake would be paused again, not read zeroes.</summary>
    public static JsonObject Hold(string name, long bytes) => new()
    {
        ["driver"] = "blkdebug", ["node-name"] = name, ["image"] = new JsonObject { ["driver"] = "null-co", ["size"] = bytes },
        ["inject-error"] = new JsonArray(new JsonObject { ["event"] = "none", ["errno"] = 5, ["once"] = false }),
    };

    private static JsonObject Cache() => new() { ["direct"] = false, ["no-flush"] = false };
}
