using System.ComponentModel.DataAnnotations;

namespace WebManager.Agent.Network;

/// <summary>How guests reach the network.</summary>
public sealed class NetworkOptions
{
    /// <summary>tap: a tap on Bridge (root). user: QEMU's own, outgoing only. auto: tap when root, a bridge is named and /dev/net/tun is there.</summary>
    [RegularExpression("auto|tap|user")] public string Mode { get; set; } = "auto";

    /// <summary>The node's bridge; it must exist already.</summary>
    public string? Bridge { get; set; }

    /// <summary>The node's network namespace (ip netns); null: the agent's own.</summary>
    public string? Namespace { get; set; }
}
