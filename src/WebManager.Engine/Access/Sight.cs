// What a caller may see. Feeds are asked through it, so that what may not be seen never leaves them.
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Engine.Access;

/// <summary>Answers for the newest grants at each call; a feed is asked again (LiveFeed.Recheck) when they change.</summary>
public sealed class Sight(Func<Picture> now, Caller caller)
{
    /// <summary>Nobody's: sees nothing.</summary>
    public static Sight Nothing { get; } = new(() => new Picture(new Cluster(Guid.Empty, "", 0, default, 0)), new Caller("", "", false, ""));

    private Picture Now => now();
    private AccessIndex Access => Now.Access;
    public Caller Caller => caller;

    /// <summary>Nodes, groups of nodes and what happens to them: for those who work on the cluster.</summary>
    public bool Nodes => caller.Admin && caller.Only is null || (caller.Only is null && (Access.Cluster(caller.UserId) & ~ClusterRights.CreateVm) != 0);

    /// <summary>Those one has any right on; who works on the cluster sees all.</summary>
    public bool Instance(InstanceRow row) => Instance(row.Id, row.OwnerKey);

    public bool Instance(Guid id, string owner) =>
        (caller.Only is not { } only || only.Contains(id)) && (caller.Admin || Nodes || Access.Instance(caller.UserId, id, owner) != InstanceRights.None);

    public bool Instance(string nameOrId) => Now.Find(nameOrId) is { } i && Instance(i.Id, i.Owner);

    public bool Node(NodeRow _) => Nodes;

    /// <summary>The question to ask of rows of a feed; a kind of rows that is not known here is not seen.</summary>
    public Func<T, bool> For<T>() where T : class => row => row switch
    {
        InstanceRow i => Instance(i),
        NodeRow n => Node(n),
        GroupRow g => Group(g),
        JobRow j => Job(j),
        ClusterEvent e => Event(e),
        JobLogLine l => caller is { Admin: true, Only: null } || (Now.Jobs.TryGetValue(l.Job, out var job) && Job(job)),
        UserGroupRow g => UserGroup(g.Id),
        GrantRow g => Grant(g),
        OwnerRow o => Owner(o.Owner),
        UserRequestRow or SshKey when !Whole => false,
        UserRequestRow r => ClusterAdmin || r.By == caller.UserId || (r.Kind == UserRequestKind.Membership && Keys.GroupOf(r.Owner) is { } id && Access.Group(caller.UserId, id).HasFlag(UserGroupRights.Admin)),
        SshKey k => caller.Admin || k.User == caller.UserId,
        TemplateRow t => Template(t.Id, t.OwnerKey),
        FoundRow => ClusterAdmin,
        ClusterRow => caller.UserId.Length > 0 || caller.Admin,
        _ => false,
    };

    /// <summary>A token for some instances sees these, and nothing else that its user may see.</summary>
    private bool Whole => caller.Only is null;

    /// <summary>To oneself and one's groups, and on what one administers.</summary>
    private bool Grant(GrantRow g) => ClusterAdmin || (Whole && Access.IsOne(caller.UserId, g.Subject))
        || (Keys.InstanceOf(g.Target) is { } id && Now.Instances.TryGetValue(id, out var i) && RightsOn(id, i.Owner).HasFlag(InstanceRights.Admin))
        || (Whole && Keys.GroupOf(g.Target) is { } group && Access.Group(caller.UserId, group).HasFlag(UserGroupRights.Admin))
        || (Whole && Keys.TemplateOf(g.Target) is { } t && Now.Templates.TryGetValue(t, out var template) && Access.Template(caller.UserId, t, template.Owner).HasFlag(TemplateRights.Admin));

    /// <summary>What an owner holds: its own, its groups'; everybody's limits.</summary>
    public bool Owner(string owner) => ClusterAdmin || (Whole && (owner == OwnerLimits.DefaultOwner || Access.IsOne(caller.UserId, owner)));

    public bool ClusterAdmin => Whole && (caller.Admin || Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin));

    public bool Group(GroupRow _) => Nodes;

    /// <summary>One's own, and those about what may be seen.</summary>
    public bool Job(JobRow row) => Job(row.ById, row.Subjects, row.EndedAt);

    public bool Job(Job job) => Job(job.Caller.UserId, job.Subjects, job.EndedAt);

    /// <summary>Of an instance only what ended since it is there: a namesake before it was somebody else's.</summary>
    public bool Job(string byId, IReadOnlyList<string> subjects, DateTimeOffset? endedAt) => caller is { Admin: true, Only: null } || (caller.Only is null && byId.Length > 0 && byId == caller.UserId)
        || (subjects.Count > 0 && subjects.All(s => Subject(s) && (Nodes || endedAt is not { } ended || Named(s) is not { } i || ended >= i.CreatedAt)));

    private Instance? Named(string subject) => subject.StartsWith("instance:", StringComparison.Ordinal) ? Now.Find(subject["instance:".Length..]) : null;

    public bool Event(ClusterEvent e) => caller is { Admin: true, Only: null } || Subject(e.Subject);

    /// <summary>"instance:web1", "node:n1", "cluster".</summary>
    public bool Subject(string subject) => subject.IndexOf(':') is var at && at < 0 ? Nodes : subject[..at] switch
    {
        "instance" => Instance(subject[(at + 1)..]),
        "template" => Now.FindTemplate(subject[(at + 1)..]) is { } t && Template(t.Id, t.Owner),
        "job" => long.TryParse(subject.AsSpan(at + 1), out var id) && Now.Jobs.TryGetValue(id, out var job) && job.Request is not JobRequest && Job(job),
        "usergroup" => Keys.GroupOf(subject) is { } id && UserGroup(id),
        _ => Nodes,
    };

    /// <summary>Its members, its administrators, and those of the cluster.</summary>
    public bool UserGroup(Guid id) => ClusterAdmin || (Whole && (Access.IsOne(caller.UserId, Keys.Group(id)) || Access.Group(caller.UserId, id) != UserGroupRights.None));

    /// <summary>An instance template: who has a right on it, and who administers the cluster.</summary>
    public bool Template(Guid id, string owner) => RightsOnTemplate(id, owner) != TemplateRights.None;

    public TemplateRights RightsOnTemplate(Guid id, string owner) =>
        caller.Only is not null ? TemplateRights.None : caller.Admin ? RightNames.Parse<TemplateRights>(RightNames.Of<TemplateRights>()) : Access.Template(caller.UserId, id, owner);

    public InstanceRights RightsOn(Guid id, string owner) =>
        caller.Only is { } only && !only.Contains(id) ? InstanceRights.None
        : caller.Admin ? RightNames.Parse<InstanceRights>(RightNames.Of<InstanceRights>()) : Access.Instance(caller.UserId, id, owner);
}
