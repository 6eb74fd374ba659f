// The cluster as everything reads it: one immutable value, replaced after each commit.
using System.Collections.Immutable;

namespace WebManager.Engine.Model;

/// <summary>Sorted, so that walking it has the same order in every process. Jobs: all open ones and the recent ended ones.</summary>
public sealed record Picture(Cluster Cluster)
{
    public ImmutableSortedDictionary<string, Node> Nodes { get; init; } = ImmutableSortedDictionary.Create<string, Node>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<Guid, NodeGroup> Groups { get; init; } = ImmutableSortedDictionary<Guid, NodeGroup>.Empty;
    public ImmutableSortedDictionary<Guid, Instance> Instances { get; init; } = ImmutableSortedDictionary<Guid, Instance>.Empty;
    public ImmutableSortedDictionary<string, Guid> Names { get; init; } = ImmutableSortedDictionary.Create<string, Guid>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<long, Job> Jobs { get; init; } = ImmutableSortedDictionary<long, Job>.Empty;
    public long LastJobId { get; init; }

    private const int EndedJobsKept = 200;

    public Instance? Find(string nameOrId) =>
        Names.TryGetValue(nameOrId, out var id) || Guid.TryParse(nameOrId, out id) ? Instances.GetValueOrDefault(id) : null;

    public NodeGroup? FindGroup(string nameOrId) => Groups.Values.FirstOrDefault(g => g.Name == nameOrId) ?? (Guid.TryParse(nameOrId, out var id) ? Groups.GetValueOrDefault(id) : null);

    /// <summary>The node group of a node; null: there is no such node.</summary>
    public NodeGroup? GroupOf(string node) => Nodes.TryGetValue(node, out var there) ? Groups.GetValueOrDefault(there.Group) : null;

    public IEnumerable<Instance> On(string node) => Instances.Values.Where(i => i.Primary == node || i.Secondary == node);

    /// <summary>Instances whose former secondary this node was, and which may still have that copy here.</summary>
    public IEnumerable<Instance> OldCopiesOn(string node) => Instances.Values.Where(i => i.OldCopies.Contains(node));

    /// <summary>The open job that is about this instance and holds it, oldest first; null: none.</summary>
    public Job? OpenJobOf(string instance) => Jobs.Values.FirstOrDefault(j => !j.Ended && j.Request is InstanceRequest r && r.Instance == instance);

    public Picture With(Ports.Changes changes)
    {
        var instances = Instances.RemoveRange(changes.InstancesRemoved).SetItems(changes.Instances.Select(i => KeyValuePair.Create(i.Id, i)));
        var renamed = changes.InstancesRemoved.Concat(changes.Instances.Select(i => i.Id)).Select(id => Instances.GetValueOrDefault(id)?.Name).OfType<string>();
        var jobs = Jobs.SetItems(changes.Jobs.Select(j => KeyValuePair.Create(j.Id, j)));
        return this with
        {
            Cluster = changes.Cluster ?? Cluster,
            Nodes = Nodes.RemoveRange(changes.NodesRemoved).SetItems(changes.Nodes.Select(n => KeyValuePair.Create(n.Name, n))),
            Groups = Groups.RemoveRange(changes.GroupsRemoved).SetItems(changes.Groups.Select(g => KeyValuePair.Create(g.Id, g))),
            Instances = instances,
            Names = Names.RemoveRange(renamed).SetItems(changes.Instances.Select(i => KeyValuePair.Create(i.Name, i.Id))),
            Jobs = jobs.RemoveRange(Forgotten(jobs)),
            LastJobId = Math.Max(LastJobId, changes.Jobs.Count == 0 ? 0 : changes.Jobs.Max(j => j.Id)),
        };
    }

    /// <summary>Ended jobs beyond the kept number; trimmed in steps so that it costs nothing per commit.</summary>
    public static List<long> Forgotten(ImmutableSortedDictionary<long, Job> jobs) =>
        jobs.Count < EndedJobsKept * 2 ? [] : jobs.Values.Where(j => j.Ended).Select(j => j.Id).SkipLast(EndedJobsKept).ToList();
}
