// Grants and memberships as questions are asked of them; made anew only when one of them changes.
using System.Collections.Immutable;
using WebManager.Engine.Model;

namespace WebManager.Engine.Access;

/// <summary>Rights are the union of a user's own grants and those of its groups; there is no deny. The owner of an instance has admin on it.</summary>
public sealed class AccessIndex
{
    public static readonly AccessIndex Empty = new([], []);

    private readonly Dictionary<string, Dictionary<string, IReadOnlyList<string>>> _rights = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _groups = new(StringComparer.Ordinal);

    public AccessIndex(IEnumerable<Grant> grants, IEnumerable<UserGroup> groups)
    {
        foreach (var grant in grants)
        {
            if (!_rights.TryGetValue(grant.Subject, out var on)) { _rights[grant.Subject] = on = new(StringComparer.Ordinal); }
            on[grant.Target] = grant.Rights;
        }
        foreach (var group in groups)
        {
            foreach (var member in group.Members)
            {
                if (!_groups.TryGetValue(member.User, out var own)) { _groups[member.User] = own = []; }
                own.Add(Keys.Group(group.Id));
            }
        }
    }

    /// <summary>The user itself, then its groups.</summary>
    public IEnumerable<string> SubjectsOf(string user) => _groups.TryGetValue(user, out var groups) ? groups.Prepend(Keys.User(user)) : [Keys.User(user)];

    public bool IsOne(string user, string subject) => subject == Keys.User(user) || (_groups.TryGetValue(user, out var groups) && groups.Contains(subject));

    /// <summary>Of one subject alone, without its groups.</summary>
    public ClusterRights ClusterOf(string subject) => Of<ClusterRights>(subject, Keys.Cluster) is var r && r.HasFlag(ClusterRights.Admin) ? AllOf<ClusterRights>() : r;

    public ClusterRights Cluster(string user) => SubjectsOf(user).Aggregate(ClusterRights.None, (all, s) => all | ClusterOf(s));

    public InstanceRights Instance(string user, Guid id, string owner)
    {
        if (Cluster(user).HasFlag(ClusterRights.Admin)) { return AllOf<InstanceRights>(); }
        var rights = InstanceRights.None;
        foreach (var subject in SubjectsOf(user))
        {
            if (subject == owner) { return AllOf<InstanceRights>(); }
            rights |= Of<InstanceRights>(subject, Keys.Instance(id));
        }
        return rights.HasFlag(InstanceRights.Admin) ? AllOf<InstanceRights>() : rights;
    }

    /// <summary>On a group of people.</summary>
    public UserGroupRights Group(string user, Guid id) => SubjectsOf(user).Aggregate(UserGroupRights.None, (all, s) => all | Of<UserGroupRights>(s, Keys.Group(id)));

    /// <summary>On an instance template. The owner has admin on it, and so has who administers the cluster.</summary>
    public TemplateRights Template(string user, Guid id, string owner) =>
        Cluster(user).HasFlag(ClusterRights.Admin) ? AllOf<TemplateRights>() : SubjectsOf(user).Aggregate(TemplateRights.None, (all, s) => all | (s == owner ? AllOf<TemplateRights>() : TemplateOf(s, id)));

    /// <summary>Of one subject alone, without its groups.</summary>
    public TemplateRights TemplateOf(string subject, Guid id) => Of<TemplateRights>(subject, Keys.Template(id)) is var r && r.HasFlag(TemplateRights.Admin) ? AllOf<TemplateRights>() : r;

    private T Of<T>(string subject, string on) where T : struct, Enum
    {
        if (!_rights.TryGetValue(subject, out var grants) || !grants.TryGetValue(on, out var names)) { return default; }
        return RightNames.Parse<T>(names);
    }

    private static T AllOf<T>() where T : struct, Enum => RightNames.Parse<T>(RightNames.Of<T>());
}

/// <summary>The names of rights on the wire and in the database: create_vm, replace_disks, ... (checklist, "Permission names").</summary>
public static class RightNames
{
    private static readonly Dictionary<Type, ImmutableArray<(string Name, int Value)>> s_names = new[] { typeof(ClusterRights), typeof(InstanceRights), typeof(UserGroupRights), typeof(TemplateRights) }
        .ToDictionary(t => t, t => Enum.GetValues(t).Cast<object>().Select(v => (Word(v.ToString()!), (int)v)).Where(v => v.Item2 != 0).ToImmutableArray());

    public static IReadOnlyList<string> Of<T>() where T : struct, Enum => [.. s_names[typeof(T)].Select(n => n.Name)];

    /// <summary>Those of an object's kind; null: there is no such kind.</summary>
    public static IReadOnlyList<string>? For(string on) =>
        on == Keys.Cluster ? Of<ClusterRights>() : Keys.InstanceOf(on) is not null ? Of<InstanceRights>() : Keys.GroupOf(on) is not null ? Of<UserGroupRights>() : Keys.TemplateOf(on) is not null ? Of<TemplateRights>() : null;

    public static IReadOnlyList<string> Names<T>(T rights) where T : struct, Enum => [.. s_names[typeof(T)].Where(n => (Convert.ToInt32(rights, System.Globalization.CultureInfo.InvariantCulture) & n.Value) != 0).Select(n => n.Name)];

    /// <summary>Unknown names count for nothing: a later version may have more.</summary>
    public static T Parse<T>(IReadOnlyList<string> names) where T : struct, Enum
    {
        var value = s_names[typeof(T)].Where(n => names.Contains(n.Name)).Aggregate(0, (all, n) => all | n.Value);
        return (T)Enum.ToObject(typeof(T), value);
    }

    private static string Word(string name) => string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));
}
