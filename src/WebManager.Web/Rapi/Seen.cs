// What a caller may see of instances, nodes and groups, each as Ganeti's lists have them: by name.
using WebManager.Contracts.Agent;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class Seen
{
    public static List<InstanceSeen> Instances(IClusterEngine engine, Sight sight)
    {
        var (now, rows, kind) = (engine.Now, engine.Feeds.Instances.Current(), KindOf(engine));
        return [.. now.Names.Values.Select(id => now.Instances.GetValueOrDefault(id)).OfType<Instance>().Where(i => rows.ContainsKey(i.Id) && sight.Instance(i.Id, i.Owner))
            .Select(i => new InstanceSeen(i, rows[i.Id], now, kind))];
    }

    /// <summary>By its name, or by the first part of it when that names one only; what may not be seen is not there.</summary>
    public static InstanceSeen? Instance(IClusterEngine engine, Sight sight, string name)
    {
        var now = engine.Now;
        var stored = now.Find(name) ?? Short(now, sight, name);
        return stored is not null && sight.Instance(stored.Id, stored.Owner) && engine.Feeds.Instances.Find(stored.Id) is { } row ? new InstanceSeen(stored, row, now, KindOf(engine)) : null;
    }

    public static List<NodeSeen> Nodes(IClusterEngine engine, Sight sight)
    {
        if (!sight.Nodes) { return []; }
        var (now, rows) = (engine.Now, engine.Feeds.Nodes.Current());
        var primaries = now.Instances.Values.OrderBy(i => i.Name, StringComparer.Ordinal).ToLookup(i => i.Primary);
        var secondaries = now.Instances.Values.Where(i => i.Secondary is not null).OrderBy(i => i.Name, StringComparer.Ordinal).ToLookup(i => i.Secondary!);
        return [.. now.Nodes.Values.Where(n => rows.ContainsKey(n.Name)).Select(n => new NodeSeen(n, rows[n.Name], now, [.. primaries[n.Name]], [.. secondaries[n.Name]]))];
    }

    public static NodeSeen? Node(IClusterEngine engine, Sight sight, string name) => Nodes(engine, sight).FirstOrDefault(n => n.Stored.Name == name);

    public static List<GroupSeen> Groups(IClusterEngine engine, Sight sight)
    {
        if (!sight.Nodes) { return []; }
        var now = engine.Now;
        var names = now.Nodes.Values.ToLookup(n => n.Group, n => n.Name);
        return [.. now.Groups.Values.OrderBy(g => g.Name, StringComparer.Ordinal).Select(g => new GroupSeen(g, now, [.. names[g.Id].Order(StringComparer.Ordinal)]))];
    }

    public static GroupSeen? Group(IClusterEngine engine, Sight sight, string name) => Groups(engine, sight).FirstOrDefault(g => g.Stored.Name == name || g.Stored.Id.ToString() == name);

    /// <summary>Those of one kind in Ganeti's word for the whole cluster: all of its nodes have the same.</summary>
    public static HypervisorKind? KindOf(IClusterEngine engine) =>
        engine.Feeds.Nodes.Current().Values.Select(n => n.Hypervisor).OfType<HypervisorKind>().OrderByDescending(k => k == HypervisorKind.Fake).Select(k => (HypervisorKind?)k).FirstOrDefault();

    private static Instance? Short(Picture now, Sight sight, string name)
    {
        var fit = now.Instances.Values.Where(i => i.Name.StartsWith(name + ".", StringComparison.Ordinal) && sight.Instance(i.Id, i.Owner)).Take(2).ToList();
        return fit.Count == 1 ? fit[0] : null;
    }
}
