using WebManager.Contracts;

namespace WebManager.Agent.Network;

/// <summary>Without root: every card is on QEMU's own network, outgoing only; its DHCP server gives the address.</summary>
public sealed class UserNetwork : INodeNetwork
{
    public Task<Outcome<IReadOnlyList<NicPlug>>> PlugAsync(GuestSpec guest, CancellationToken ct)
    {
        NicPlug[] plugs = [.. guest.Nics.Select(_ => new NicPlug.User())];
        return Task.FromResult<Outcome<IReadOnlyList<NicPlug>>>(plugs);
    }

    public Task UnplugAsync(Guid instance, CancellationToken ct) => Task.CompletedTask;
}
