using WebManager.Contracts;

namespace WebManager.Agent.Hypervisor.Copy;

/// <summary>The other copy's node, which hashes its own image so that the data need not cross the network to be compared.</summary>
public interface ICopyPeer
{
    /// <summary>See ChunkHashes.OfAsync. Throws HttpRequestException or IOException when the node cannot be asked.</summary>
    Task<byte[]> HashAsync(GenerationRecord record, int disk, long offset, long length, CancellationToken ct);
}
