// The cluster as everything reads it: one immutable value, replaced after each commit.
using System.Collections.Immutable;
using WebManager.Engine.Access;

namespace WebManager.Engine.Model;

/// <summary>Sorted, so that walking it has the same order in every process. Jobs: all open ones and the recent ended ones that are not archived.</summary>
public sealed record Picture(Cluster Cluster)
{
    public ImmutableSortedDictionary<string, Node> Nodes { get; init; } = ImmutableSortedDictionary.Create<string, Node>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<Guid, NodeGroup> Groups { get; init; } = ImmutableSortedDictionary<Guid, NodeGroup>.Empty;
    public ImmutableSortedDictionary<Guid, Instance> Instances { get; init; } = ImmutableSortedDictionary<Guid, Instance>.Empty;
    public ImmutableSortedDictionary<string, Guid> Names { get; init; } = ImmutableSortedDictionary.Create<string, Guid>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<long, Job> Jobs { get; init; } = ImmutableSortedDictionary<long, Job>.Empty;
    public long LastJobId { get; init; }
    public ImmutableSortedDictionary<Guid, UserGroup> UserGroups { get; init; } = ImmutableSortedDictionary<Guid, UserGroup>.Empty;
    public ImmutableSortedDictionary<string, Grant> Grants { get; init; } = ImmutableSortedDictionary.Create<string, Grant>(StringComparer.Ordinal);
    public ImmutableSortedDictionary<string, Holding> Holdings { get; init; } = ImmutableSortedDictionary.Create<string, Holding>(StringComparer.Ordinal);

    /// <summary>By owner; those of everybody else under DefaultOwner.</summary>
    public ImmutableSortedDictionary<string, OwnerLimits> Quotas { get; init; } = ImmutableSortedDictionary.Create<string, OwnerLimits>(StringComparer.Ordinal);

    public ImmutableSortedDictionary<Guid, UserRequest> UserRequests { get; init; } = ImmutableSortedDictionary<Guid, UserRequest>.Empty;
    public ImmutableSortedDictionary<Guid, SshKey> SshKeys { get; init; } = ImmutableSortedDictionary<Guid, SshKey>.Empty;

    public ImmutableSortedDictionary<Guid, InstanceTemplate> Templates { get; init; } = ImmutableSortedDictionary<Guid, InstanceTemplate>.Empty;
    /// <summary>What nodes have and no record names; shown, never stored.</summary>
    public ImmutableSortedDictionary<Guid, FoundInstance> Found { get; init; } = ImmutableSortedDictionary<Guid, FoundInstance>.Empty;

    /// <summary>Instances that this cluster has removed.</summary>
    public ImmutableHashSet<Guid> Removed { get; init; } = [];

    /// <summary>Made of the grants and the groups of people.</summary>
    public AccessIndex Access { get; init; } = AccessIndex.Empty;

    /// <summary>Open jobs that may come to hold something.</summary>
    public ImmutableList<Job> OpenReservations { get; init; } = [];

    /// <summary>Jobs that have not ended, oldest first.</summary>
    public IReadOnlyList<Job> Open { get; init; } = [];

    /// <summary>How many have not ended.</summary>
    public int OpenJobs => Open.Count;

    private const int EndedJobsKept = 200;

    public Instance? Find(string nameOrId) =>
        Names.TryGetValue(nameOrId, out var id) || Guid.TryParse(nameOrId, out id) ? Instances.GetValueOrDefault(id) : null;

    public NodeGroup? FindGroup(string nameOrId) => Groups.Values.FirstOrDefault(g => g.Name == nameOrId) ?? (Guid.TryParse(nameOrId, out var id) ? Groups.GetValueOrDefault(id) : null);

    /// <summary>By name, by id, or by the key of an owner ("usergroup:ID").</summary>
    public UserGroup? FindUserGroup(string group) =>
        Keys.GroupOf(group) is { } key ? UserGroups.GetValueOrDefault(key) : UserGroups.Values.FirstOrDefault(g => g.Name == group) ?? (Guid.TryParse(group, out var id) ? UserGroups.GetValueOrDefault(id) : null);

    /// <summary>An instance template by name, or by id.</summary>
    public InstanceTemplate? FindTemplate(string nameOrId) => Templates.Values.FirstOrDefault(t => t.Name == nameOrId) ?? (Guid.TryParse(nameOrId, out var id) ? Templates.GetValueOrDefault(id) : null);

    /// <summary>The node group of a node; null: there is no such node.</summary>
    public NodeGroup? GroupOf(string node) => Nodes.TryGetValue(node, out var there) ? Groups.GetValueOrDefault(there.Group) : null;

    public IEnumerable<Instance> On(string node) => Instances.Values.Where(i => i.Primary == node || i.Secondary == node);

    /// <summary>Instances whose former secondary this node was, and which may still have that copy here.</summary>
    public IEnumerable<Instance> OldCopiesOn(string node) => Instances.Values.Where(i => i.OldCopies.Contains(node));

    /// <summary>The open job that is about this instance and holds it, oldest first; null: none.</summary>
    public Job? OpenJobOf(string instance) => Open.FirstOrDefault(j => j.Request is InstanceRequest r && r.Instance == instance);

    /// <summary>Of those the one that works on it or will as soon as it can: what people asked for and is not begun may wait for long, and holds up no recovery.</summary>
    public Job? WorkOn(string instance) => Open.FirstOrDefault(j => Works(j) && j.Request is InstanceRequest r && r.Instance == instance);

    public static bool Works(Job j) => j.Status is JobStatus.Running or JobStatus.Canceling || (!j.Ended && j.Caller == Caller.Watcher);

    public Picture With(Ports.Changes changes)
    {
        var instances = Instances.RemoveRange(changes.InstancesRemoved).SetItems(changes.Instances.Select(i => KeyValuePair.Create(i.Id, i)));
        var renamed = changes.InstancesRemoved.Concat(changes.Instances.Select(i => i.Id)).Select(id => Instances.GetValueOrDefault(id)?.Name).OfType<string>();
        var (groups, grants) = (UserGroups.RemoveRange(changes.UserGroupsRemoved).SetItems(changes.UserGroups.Select(g => KeyValuePair.Create(g.Id, g))),
            Grants.RemoveRange(changes.GrantsRemoved).SetItems(changes.Grants.Select(g => KeyValuePair.Create(g.Key, g))));
        var jobs = Jobs.SetItems(changes.Jobs.Select(j => KeyValuePair.Create(j.Id, j)));
        if (changes.Archive is { } archive) { jobs = jobs.RemoveRange(jobs.Values.Where(archive.Means).Select(j => j.Id)); }
        return this with
        {
            Cluster = changes.Cluster ?? Cluster,
            Nodes = Nodes.RemoveRange(changes.NodesRemoved).SetItems(changes.Nodes.Select(n => KeyValuePair.Create(n.Name, n))),
            Groups = Groups.RemoveRange(changes.GroupsRemoved).SetItems(changes.Groups.Select(g => KeyValuePair.Create(g.Id, g))),
            Instances = instances,
            Names = Names.RemoveRange(renamed).SetItems(changes.Instances.Select(i => KeyValuePair.Create(i.Name, i.Id))),
            Jobs = jobs.RemoveRange(Forgotten(jobs)),
            UserGroups = groups,
            Grants = grants,
            Access = ReferenceEquals(groups, UserGroups) && ReferenceEquals(grants, Grants) ? Access : new AccessIndex(grants.Values, groups.Values),
            Holdings = Holdings.SetItems(changes.Holdings.Select(h => KeyValuePair.Create(h.Owner, h))),
            Quotas = Quotas.RemoveRange(changes.QuotasRemoved).SetItems(changes.Quotas.Select(q => KeyValuePair.Create(q.Owner, q))),
            UserRequests = UserRequests.SetItems(changes.UserRequests.Select(r => KeyValuePair.Create(r.Id, r))),
            SshKeys = SshKeys.RemoveRange(changes.SshKeysRemoved).SetItems(changes.SshKeys.Select(k => KeyValuePair.Create(k.Id, k))),
            Templates = Templates.RemoveRange(changes.TemplatesRemoved).SetItems(changes.Templates.Select(t => KeyValuePair.Create(t.Id, t))),
            Found = Found.IsEmpty ? Found : Found.RemoveRange(changes.Instances.Select(i => i.Id)),
            Removed = Removed.Union(changes.Removed.Select(r => r.Id)),
            OpenReservations = changes.Jobs.Any(j => j.Reserved is not null) ? [.. jobs.Values.Where(j => !j.Ended && j.Reserved is not null)] : OpenReservations,
            Open = changes.Jobs.Count == 0 ? Open : [.. jobs.Values.Where(j => !j.Ended)],
            LastJobId = Math.Max(LastJobId, changes.Jobs.Count == 0 ? 0 : changes.Jobs.Max(j => j.Id)),
        };
    }

    /// <summary>Ended jobs beyond the kept number; trimmed in steps so that it costs nothing per commit.</summary>
    public static List<long> Forgotten(ImmutableSortedDictionary<long, Job> jobs) =>
        jobs.Count < EndedJobsKept * 2 ? [] : jobs.Values.Where(j => j.Ended).Select(j => j.Id).SkipLast(EndedJobsKept).ToList();
}
