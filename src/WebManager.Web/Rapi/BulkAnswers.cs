// Whole lists as bytes, kept until something in them changes: a client that asks a hundred times a second is answered from memory.
using System.Collections.Concurrent;
using WebManager.Engine;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <summary>
/// One copy for all who see everything, one for each who sees a part. The stamp is read before the rows: what changes meanwhile makes the next
/// answer new.
/// </summary>
internal sealed class BulkAnswers(IClusterEngine engine)
{
    private const int MostParts = 64;
    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    private sealed record Kept(Stamp Stamp, ReadOnlyMemory<byte> Bytes);

    /// <summary>What the lists are made of: the rows' versions, and the parts of the picture, which are other objects once they change.</summary>
    private readonly record struct Stamp(long Instances, long Nodes, long Groups, object Stored, object Hosts, object NodeGroups, object Access);

    public ReadOnlyMemory<byte> Get(string kind, RapiCall call, Func<ReadOnlyMemory<byte>> make)
    {
        var (stamp, key) = (Now(), KeyOf(kind, call));
        if (_kept.TryGetValue(key, out var kept) && kept.Stamp == stamp) { return kept.Bytes; }
        var bytes = make();
        if (_kept.Count >= MostParts && !_kept.ContainsKey(key)) { _kept.Clear(); }
        _kept[key] = new Kept(stamp, bytes);
        return bytes;
    }

    private Stamp Now()
    {
        var (feeds, now) = (engine.Feeds, engine.Now);
        return new Stamp(feeds.Instances.Version, feeds.Nodes.Version, feeds.Groups.Version, now.Instances, now.Nodes, now.Groups, now.Access);
    }

    // Who sees the nodes sees every instance.
    private static string KeyOf(string kind, RapiCall call)
    {
        Caller caller = call.Caller;
        return call.Sight.Nodes ? kind : $"{kind} {caller.UserId} {caller.Admin} {(caller.Only is { } only ? string.Join(',', only) : "*")}";
    }
}
