// The map as a value: which instance is drawn in which node's box. Boxes that did not change keep their reference, so they are not drawn again.
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components.Pages.Map;

/// <summary>One box. Node null: an instance names a node that the cluster does not have (any more).</summary>
public sealed record NodePicture(string Name, NodeRow? Node, IReadOnlyList<InstanceRow> Primaries, IReadOnlyList<InstanceRow> Mirrors);

public sealed class MapPicture
{
    private readonly Dictionary<string, NodeRow> _nodes = [];
    private readonly Dictionary<Guid, InstanceRow> _instances = [];
    private readonly SortedDictionary<string, NodePicture> _boxes = new(NameOrder.By);

    public IReadOnlyCollection<NodePicture> Boxes => _boxes.Values;
    public int Instances => _instances.Count;
    public InstanceRow? Find(Guid id) => _instances.GetValueOrDefault(id);

    public bool Apply(IReadOnlyDictionary<string, NodeRow?> batch)
    {
        var touched = new HashSet<string>();
        foreach (var (name, node) in batch)
        {
            if (node is null) { _nodes.Remove(name); }
            else if (_nodes.TryGetValue(name, out var old) && SameToTheEye(old, node)) { continue; }
            else { _nodes[name] = node; }
            touched.Add(name);
        }
        return Draw(touched);
    }

    public bool Apply(IReadOnlyDictionary<Guid, InstanceRow?> batch)
    {
        var touched = new HashSet<string>();
        foreach (var (id, row) in batch)
        {
            Touch(touched, _instances.GetValueOrDefault(id));
            if (row is null) { _instances.Remove(id); } else { _instances[id] = row; }
            Touch(touched, row);
        }
        return Draw(touched);
    }

    /// <summary>A node that answers changes its last contact all the time; that alone is nothing to draw.</summary>
    public static bool SameToTheEye(NodeRow old, NodeRow now) => now.Health == NodeHealth.Online && (old with { LastContact = now.LastContact }).Equals(now);

    private static void Touch(HashSet<string> touched, InstanceRow? row)
    {
        if (row is null) { return; }
        touched.Add(row.Primary);
        if (row.Secondary is { } secondary) { touched.Add(secondary); }
    }

    private bool Draw(HashSet<string> touched)
    {
        if (touched.Count == 0) { return false; }
        var primaries = touched.ToDictionary(n => n, _ => new List<InstanceRow>());
        var mirrors = touched.ToDictionary(n => n, _ => new List<InstanceRow>());
        foreach (var row in _instances.Values)
        {
            if (primaries.TryGetValue(row.Primary, out var here)) { here.Add(row); }
            if (row.Secondary is { } s && mirrors.TryGetValue(s, out var copies)) { copies.Add(row); }
        }
        foreach (var name in touched)
        {
            if (!_nodes.ContainsKey(name) && primaries[name].Count + mirrors[name].Count == 0) { _boxes.Remove(name); continue; }
            _boxes[name] = new NodePicture(name, _nodes.GetValueOrDefault(name), Sorted(primaries[name]), Sorted(mirrors[name]));
        }
        return true;
    }

    private static List<InstanceRow> Sorted(List<InstanceRow> rows)
    {
        rows.Sort((a, b) => NameOrder.By.Compare(a.Name, b.Name));
        return rows;
    }
}
