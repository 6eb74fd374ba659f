using System.Security.Cryptography;
using WebManager.Agent.Storage;
using WebManager.Contracts;

namespace WebManager.Agent.Network;

/// <summary>One tap per card on the node's bridge, named after the instance, so that leftovers of a killed guest are found and used again.</summary>
public sealed class TapNetwork(string bridge, string? networkNamespace) : INodeNetwork
{
    private const int MostCards = 8;

    /// <summary>Fits the kernel's 15 bytes: "wm", ten digits of a hash of the instance's id, the card's number.</summary>
    public static string NameOf(Guid instance, int card) => $"wm{Convert.ToHexStringLower(SHA256.HashData(instance.ToByteArray()))[..10]}{card}";

    public async Task<Outcome<IReadOnlyList<NicPlug>>> PlugAsync(GuestSpec guest, CancellationToken ct)
    {
        if (guest.Nics.Count > MostCards) return new Refusal("guest.too-many-nics", $"A guest may have {MostCards} network cards.") { Field = "nics" };
        var plugs = new List<NicPlug>();
        foreach (var nic in guest.Nics.OrderBy(n => n.Index))
        {
            var name = NameOf(guest.Instance, nic.Index);
            if (await MakeAsync(name, ct) is { } refusal) return refusal;
            plugs.Add(new NicPlug.Tap(name));
        }
        return plugs;
    }

    private async Task<Refusal?> MakeAsync(string name, CancellationToken ct)
    {
        // A tap that is already there is no error: it is only put on the bridge and up again.
        var added = await IpAsync(["tuntap", "add", "dev", name, "mode", "tap"], ct);
        var set = await IpAsync(["link", "set", "dev", name, "master", bridge, "up"], ct);
        if (set.Ok) return null;
        return new Refusal("network.tap", $"The tap {name} could not be put on {bridge}: {(added.Ok ? set.Why : added.Why)}", "Check the node's bridge and the agent's rights.");
    }

    public async Task UnplugAsync(Guid instance, CancellationToken ct)
    {
        var links = await IpAsync(["-o", "link", "show", "type", "tun"], ct);
        for (var card = 0; card < MostCards; card++)
        {
            var name = NameOf(instance, card);
            if (links.Output.Contains($" {name}:", StringComparison.Ordinal)) await IpAsync(["link", "del", "dev", name], ct);
        }
    }

    private Task<Programs.Result> IpAsync(string[] arguments, CancellationToken ct) =>
        Programs.RunAsync("ip", networkNamespace is null ? arguments : ["-n", networkNamespace, .. arguments], ct);
}
