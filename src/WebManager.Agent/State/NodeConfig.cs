using System.Text.Json;
using WebManager.Contracts;
using WebManager.Agent.Storage;

namespace WebManager.Agent.State;

/// <summary>agent.json, written by join: who this node is, and what of it guests may use.</summary>
public sealed record NodeConfig(string Cluster, string Node, string Address)
{
    /// <summary>Stated capacity; null: what the machine has.</summary>
    public long? MemoryMiB { get; init; }
    public long? DiskMiB { get; init; }
    public int? Cpus { get; init; }

    public string? Bridge { get; init; }

    /// <summary>Network namespace (ip netns) of guests and exports; null: the agent's own.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>auto, kvm, tcg or fake.</summary>
    public string Hypervisor { get; init; } = "auto";

    /// <summary>Most that one copy to another node may send, in MiB per second; null: as fast as it goes.</summary>
    public int? CopyRateMiB { get; init; }

    /// <summary>Age at which an unanswered write counts as a lost copy; null: 2 s.</summary>
    public TimeSpan? OldestWrite { get; init; }

    /// <summary>The machine's watchdog device, fed by the keeper (/dev/watchdog); null: none.</summary>
    public string? Watchdog { get; init; }

    /// <summary>R3; the same in the whole cluster.</summary>
    public TimeSpan Isolation { get; init; } = Rules.LeaseRules.DefaultIsolation;

    public string Host => Address[..Address.LastIndexOf(':')].Trim('[', ']');

    public int Port => int.Parse(Address[(Address.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    public static NodeConfig? Read(NodeFolder folder)
    {
        if (!File.Exists(folder.Config)) return null;
        return JsonSerializer.Deserialize<NodeConfig>(File.ReadAllBytes(folder.Config), Json) ?? throw new InvalidDataException($"{folder.Config} is empty.");
    }

    public void Write(NodeFolder folder) => DurableFile.Write(folder.Config, JsonSerializer.SerializeToUtf8Bytes(this, Json));

    private static readonly JsonSerializerOptions Json = new(WireJson.Options) { WriteIndented = true };
}
