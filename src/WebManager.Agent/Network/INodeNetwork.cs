using WebManager.Contracts;

namespace WebManager.Agent.Network;

/// <summary>What a card of a guest is plugged into: a tap by name, or QEMU's own user-mode network.</summary>
public abstract record NicPlug
{
    public sealed record Tap(string Interface) : NicPlug;

    public sealed record User : NicPlug;
}

/// <summary>Plugs guests into the node's network. Both calls may be repeated.</summary>
public interface INodeNetwork
{
    /// <summary>One plug per card, in card order.</summary>
    Task<Outcome<IReadOnlyList<NicPlug>>> PlugAsync(GuestSpec guest, CancellationToken ct);

    /// <summary>Takes away what the instance had plugged in; nothing there: done.</summary>
    Task UnplugAsync(Guid instance, CancellationToken ct);
}
