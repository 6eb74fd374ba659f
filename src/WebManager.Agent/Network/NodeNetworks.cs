namespace WebManager.Agent.Network;

/// <summary>Chooses the kind of network for this node.</summary>
public static class NodeNetworks
{
    public static INodeNetwork Choose(NetworkOptions options)
    {
        var taps = options.Mode == "tap" || (options.Mode == "auto" && options.Bridge is not null && Environment.IsPrivilegedProcess && File.Exists("/dev/net/tun"));
        if (!taps) return new UserNetwork();
        return new TapNetwork(options.Bridge ?? throw new InvalidOperationException("Network mode tap needs the name of a bridge."), options.Namespace);
    }
}
