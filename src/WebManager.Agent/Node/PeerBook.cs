using System.Collections.Immutable;
using System.Text.Json;
using WebManager.Agent.State;
using WebManager.Contracts;

namespace WebManager.Agent.Node;

/// <summary>Every node's address, as the last beat told; on disk, because a primary must find its secondaries also while the engine is down.</summary>
public sealed class PeerBook(NodeFolder folder)
{
    private ImmutableSortedDictionary<string, string> _addresses = Read(folder);

    public string? AddressOf(string node) => _addresses.GetValueOrDefault(node);

    public void Learn(IReadOnlyDictionary<string, string> told)
    {
        var now = _addresses;
        if (told.Count == 0 || (told.Count == now.Count && told.All(p => now.GetValueOrDefault(p.Key) == p.Value))) return;
        _addresses = told.ToImmutableSortedDictionary();
        // Not synced: an outdated address costs a lease that the engine can give as well.
        File.WriteAllBytes(folder.Peers + ".new", JsonSerializer.SerializeToUtf8Bytes(told, WireJson.Options));
        File.Move(folder.Peers + ".new", folder.Peers, overwrite: true);
    }

    private static ImmutableSortedDictionary<string, string> Read(NodeFolder folder)
    {
        try
        {
            var read = File.Exists(folder.Peers) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllBytes(folder.Peers), WireJson.Options) : null;
            return read?.ToImmutableSortedDictionary() ?? ImmutableSortedDictionary<string, string>.Empty;
        }
        catch (JsonException)
        {
            return ImmutableSortedDictionary<string, string>.Empty;
        }
    }
}
