// The engine's links to the agents: HTTP/2 over mutual TLS.
using System.Collections.Concurrent;
using WebManager.Engine.Ports;

namespace WebManager.Web.Nodes;

public sealed class HttpNodeLinks(ClusterAuthority authority, TimeProvider time, ILogger<HttpNodeLinks> log) : INodeLinks, IDisposable
{
    private readonly ConcurrentDictionary<string, HttpNodeLink> _links = new(StringComparer.Ordinal);

    public INodeLink To(string node, string address)
    {
        var link = _links.GetOrAdd(node, Make, address);
        if (link.Address == address) { return link; }
        var moved = Make(node, address);
        if (!_links.TryUpdate(node, moved, link))
        {
            moved.Dispose();
            return To(node, address);
        }
        link.Dispose();
        return moved;
    }

    public void Dispose()
    {
        foreach (var link in _links.Values) { link.Dispose(); }
        _links.Clear();
    }

    private HttpNodeLink Make(string node, string address) => new(node, address, authority, time, log);
}
