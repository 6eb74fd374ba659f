// What the door says before it is asked for good: whether somebody may at all, and for whom one may create.
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Api;
using WebManager.Web.Data;

namespace WebManager.Web.Components.Shared;

public static class Doors
{
    /// <summary>Whether the caller has the right for it; something else may still be in the way.</summary>
    public static bool May(this IClusterEngine engine, OperationRequest request, Caller? caller) => caller is not null && !engine.WouldRefuse(request, caller).Forbids();

    /// <summary>The right is missing: the control is not there. Otherwise it stays, and says why it does nothing now.</summary>
    public static bool Forbids(this Refusal? refusal) => refusal is { Code: var code } && (code.StartsWith("right.", StringComparison.Ordinal) || code is "instance.unknown" or "template.unknown" or "job.not-found");

    /// <summary>Keys of those for whom the caller may create: itself and its groups.</summary>
    public static IReadOnlyList<string> OwnersFor(this IClusterEngine engine, Caller? caller) => caller is null ? []
        : [.. engine.Now.Access.SubjectsOf(caller.UserId).Where(owner => engine.May(new CreateInstance("a", "", 1, 1, DiskTemplate.Diskless, []) { Owner = owner }, caller))];

    /// <summary>Keys of those for whom the caller may make instances from the template. Without a name: so nothing but the right is looked into.</summary>
    public static IReadOnlyList<string> OwnersFor(this IClusterEngine engine, Caller? caller, InstanceTemplate template) => caller is null ? []
        : [.. engine.Now.Access.SubjectsOf(caller.UserId).Where(owner => engine.May(new CreateFromTemplate("", template.Name) { Owner = owner }, caller))];

    public static bool MayGrant(this IClusterEngine engine, string target, Caller? caller) => caller is not null && engine.May(new SetGrant(Keys.User(caller.UserId), target, ["admin"]), caller);
}

/// <summary>Users and groups as people type them, and what may be suggested while they type.</summary>
internal static class SubjectNames
{
    /// <summary>Everybody for administrators of the cluster; otherwise those one is in a group with. A name that means two is suggested with its kind.</summary>
    public static IReadOnlyList<string> Suggestions(IClusterEngine engine, People people, Caller caller)
    {
        var sight = engine.SightOf(caller);
        var groups = engine.Feeds.UserGroups.Current(sight.For<UserGroupRow>());
        var users = (sight.ClusterAdmin ? people.All.Select(p => p.Name) : groups.SelectMany(g => g.Members.Select(m => m.Name)).Append(caller.Name)).Distinct(StringComparer.OrdinalIgnoreCase).Order(NameOrder.By).ToList();
        return [.. groups.Select(g => people.Find(g.Name) is null ? g.Name : $"usergroup:{g.Name}").Order(NameOrder.By), .. users];
    }

    /// <summary>The key; what names nobody stays as it is, for the door to refuse.</summary>
    public static string KeyOf(string typed, IClusterEngine engine, People people) => KeyNames.KeyOf(typed.Trim(), engine.Now, people);
}
