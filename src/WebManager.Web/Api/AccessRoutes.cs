// /api/v1/user-groups, /grants, /rights: who is with whom, and who may do what.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class AccessRoutes
{
    public static void MapAccess(this RouteGroupBuilder api)
    {
        MapGroups(api.MapGroup("/user-groups").WithTags("user-groups"));
        api.MapGet("/grants", Grants).WithTags("grants");
        api.MapPut("/grants", (SetGrantRequest body, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, new SetGrant(KeyNames.KeyOf(body.Subject, engine.Now, people), KeyNames.KeyOf(body.Target, engine.Now, people), body.Rights), http, body.Reason)).Accepted().WithTags("grants");
        api.MapGet("/rights/{user}", Rights).Produces<IReadOnlyList<RightView>>().ProducesProblem(404).WithTags("grants");
    }

    private static void MapGroups(RouteGroupBuilder group)
    {
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => Seen(http, engine).Select(g => g.View()).ToList());
        group.MapGet("/{name}", (string name, HttpContext http, IClusterEngine engine) => Seen(http, engine).FirstOrDefault(g => g.Name == name || g.Id.ToString() == name) is { } found
            ? (IResult)TypedResults.Ok(found.View()) : Problems.From(new Refusal("user-group.not-found", $"There is no group {name}."))).Produces<UserGroupView>().ProducesProblem(404);
        group.MapPost("/", (AddUserGroupRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new AddUserGroup(body.Name) { Project = body.Project }, http, body.Reason)).Accepted();
        group.MapDelete("/{name}", (string name, string? reason, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveUserGroup(name), http, reason)).Accepted();
        group.MapPost("/{name}/rename", (string name, RenameUserGroupRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RenameUserGroup(name, body.NewName), http, body.Reason)).Accepted();
        group.MapPut("/{name}/members/{user}", (string name, string user, SetMemberRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new SetMember(name, user) { Limits = body?.Limits?.Model() }, http, body?.Reason)).Accepted();
        group.MapDelete("/{name}/members/{user}", (string name, string user, string? reason, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveMember(name, user), http, reason)).Accepted();
    }

    private static IEnumerable<UserGroupRow> Seen(HttpContext http, IClusterEngine engine) =>
        engine.Feeds.UserGroups.Current(engine.SightOf(Callers.From(http)).For<UserGroupRow>()).OrderBy(g => g.Name, StringComparer.Ordinal);

    private static List<GrantView> Grants(HttpContext http, IClusterEngine engine, IPeople people, string? subject = null, string? target = null)
    {
        var (of, on) = (subject is null ? null : KeyNames.KeyOf(subject, engine.Now, people), target is null ? null : KeyNames.KeyOf(target, engine.Now, people));
        return [.. engine.Feeds.Grants.Current(engine.SightOf(Callers.From(http)).For<GrantRow>()).Where(g => (of is null || g.Subject == of) && (on is null || g.Target == on))
            .OrderBy(g => g.TargetName, StringComparer.Ordinal).ThenBy(g => g.SubjectName, StringComparer.Ordinal).Select(g => new GrantView(g.Subject, g.SubjectName, g.Target, g.TargetName, g.Rights))];
    }

    /// <summary>Of oneself, or for administrators of the cluster of everybody.</summary>
    private static IResult Rights(string user, HttpContext http, IClusterEngine engine, IPeople people)
    {
        var caller = Callers.From(http);
        return people.Find(user == "me" ? caller.UserId : user) is { } person && ((caller.Only is null && person.Id == caller.UserId) || engine.SightOf(caller).ClusterAdmin)
            ? TypedResults.Ok(EffectiveRights.Of(person, engine.Now, people).Select(r => new RightView(r.Target, r.TargetName, r.Rights, r.Through)).ToList())
            : Problems.From(new Refusal("user.not-found", $"There is no user {user}."));
    }
}
