// Who may do what: groups of people, grants, and the names of owners.
using WebManager.Contracts;

namespace WebManager.Engine.Model;

/// <summary>Rights on the cluster. Admin has all of them, and every right on its instances.</summary>
[Flags]
public enum ClusterRights { None = 0, Admin = 1, CreateVm = 2, Migrate = 4, ReplaceDisks = 8, Tags = 16 }

/// <summary>Rights on one instance. Admin has all of them, and may give them to others.</summary>
[Flags]
public enum InstanceRights { None = 0, Admin = 1, Power = 2, Remove = 4, Modify = 8, Console = 16, Tags = 32 }

/// <summary>Rights on a group of people. Admin: its members, and nothing else.</summary>
[Flags]
public enum UserGroupRights { None = 0, Admin = 1 }

/// <summary>
/// People who own instances and have rights together. A project is one whose members have limits of their own beside the group's.
/// </summary>
public sealed record UserGroup(Guid Id, string Name, bool Project, DateTimeOffset CreatedAt, long Revision)
{
    /// <summary>Sorted by user id, each once.</summary>
    public IReadOnlyList<Member> Members { get; init; } = [];

    public Member? Find(string user) => Members.FirstOrDefault(m => m.User == user);
}

/// <summary>A user's place in a group. Limits: what of a project's instances may be this member's; null: no limit beside the project's.</summary>
public sealed record Member(string User, QuotaLimits? Limits);

/// <summary>What a subject (a user or a group) may do on an object. Rights are the names of the object's kind, in their order. No rights: no grant.</summary>
public sealed record Grant(string Subject, string Target, IReadOnlyList<string> Rights, DateTimeOffset At, long Revision)
{
    public string Key { get; init; } = KeyOf(Subject, Target);
    public static string KeyOf(string subject, string on) => $"{subject} {on}";
}

/// <summary>Keys of who has rights and owns things ("user:ID", "usergroup:ID"; empty: nobody), and of what rights are given on ("cluster", "instance:ID", "usergroup:ID", "template:ID").</summary>
public static class Keys
{
    public const string Cluster = "cluster";
    private const string UserPrefix = "user:", GroupPrefix = "usergroup:", InstancePrefix = "instance:", TemplatePrefix = "template:";

    public static string User(string id) => UserPrefix + id;
    public static string Group(Guid id) => GroupPrefix + id;
    public static string Instance(Guid id) => InstancePrefix + id;
    public static string Template(Guid id) => TemplatePrefix + id;

    public static string? UserOf(string key) => key.StartsWith(UserPrefix, StringComparison.Ordinal) ? key[UserPrefix.Length..] : null;
    public static Guid? GroupOf(string key) => IdOf(key, GroupPrefix);
    public static Guid? InstanceOf(string key) => IdOf(key, InstancePrefix);
    public static Guid? TemplateOf(string key) => IdOf(key, TemplatePrefix);

    private static Guid? IdOf(string key, string prefix) => key.StartsWith(prefix, StringComparison.Ordinal) && Guid.TryParseExact(key[prefix.Length..], "D", out var id) ? id : null;
}

/// <summary>Someone with an account. Superuser: may do everything.</summary>
public sealed record Person(string Id, string Name, bool Active, bool Superuser);
