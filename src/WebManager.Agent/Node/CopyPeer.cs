using WebManager.Agent.Host;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Asks the secondary's agent for the hashes of its copy, with this node's certificate.</summary>
public sealed class CopyPeer(PeerBook peers, PeerLink link) : ICopyPeer
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public async Task<byte[]> HashAsync(GenerationRecord record, int disk, long offset, long length, CancellationToken ct)
    {
        if (peers.AddressOf(record.Secondary!) is not { } address) throw new HttpRequestException($"The address of {record.Secondary} is not known here.");
        return (await link.CallAsync(record.Secondary!, address, new PeerHashesRequest(record, disk, offset, length), Limit, ct)).Hashes;
    }
}
