// The lowest free address of the cluster's subnet for a new instance.
using System.Net;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class Addresses
{
    /// <summary>Also those of what was found on nodes: it may run.</summary>
    public static IEnumerable<NicSpec> Taken(Picture now) => now.Instances.Values.SelectMany(i => i.Nics).Concat(now.Found.Values.SelectMany(f => f.Note?.Guest.Nics ?? []));

    /// <summary>In CIDR form; null without a subnet (user-mode networking) or when none is free.</summary>
    public static string? Next(Picture now, IReadOnlyList<NicSpec> besides)
    {
        if (now.Cluster.Subnet is not { } subnet || !IPNetwork.TryParse(subnet, out var network)) { return null; }
        var taken = Taken(now).Concat(besides).Select(n => n.Ip).OfType<string>().ToHashSet();
        var last = (1L << (32 - network.PrefixLength)) - 1;
        var start = BitConverter.ToUInt32(network.BaseAddress.GetAddressBytes().Reverse().ToArray());
        for (long host = now.Cluster.FirstHost; host < last; host++)
        {
            var address = new IPAddress(BitConverter.GetBytes((uint)(start + host)).Reverse().ToArray());
            var text = $"{address}/{network.PrefixLength}";
            if (!taken.Contains(text)) { return text; }
        }
        return null;
    }
}
