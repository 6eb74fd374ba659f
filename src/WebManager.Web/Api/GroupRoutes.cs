// /api/v1/groups, and the tags of the cluster, its nodes and its instances.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class GroupRoutes
{
    public static void MapGroups(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/groups").WithTags("groups");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => Views(engine, http));
        group.MapGet("/{name}", (string name, HttpContext http, IClusterEngine engine) => Views(engine, http).FirstOrDefault(g => g.Name == name || g.Id.ToString() == name) is { } found
            ? (IResult)TypedResults.Ok(found)
            : Problems.From(new Refusal("group.not-found", $"There is no node group {name}."))).Produces<GroupView>().ProducesProblem(404);
        group.MapPost("/", (AddGroupRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new AddGroup(body.Name), http, body.Reason)).Accepted();
        group.MapDelete("/{name}", (string name, string? reason, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveGroup(name), http, reason)).Accepted();
        group.MapPatch("/{name}", (string name, ModifyGroupRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ModifyGroup(name) { AutoRecover = body.AutoRecover }, http, body.Reason)).Accepted();
        group.MapPost("/{name}/rename", (string name, RenameGroupRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new RenameGroup(name, body.NewName), http, body.Reason)).Accepted();
        group.MapPost("/{name}/assign-nodes", (string name, AssignNodesRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new AssignNodes(name, body.Nodes) { Force = body.Force }, http, body.Reason)).Accepted();
    }

    public static void MapTags(this RouteGroupBuilder api)
    {
        api.MapGet("/cluster/tags", (IClusterEngine engine) => engine.Cluster.Tags).WithTags("cluster");
        api.MapPost("/cluster/add-tags", (TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new AddClusterTags(body.Tags), http, body.Reason)).Accepted().WithTags("cluster");
        api.MapPost("/cluster/remove-tags", (TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveClusterTags(body.Tags), http, body.Reason)).Accepted().WithTags("cluster");
        var node = api.MapGroup("/nodes/{name}").WithTags("nodes");
        node.MapGet("/tags", (string name, HttpContext http, IClusterEngine engine) => engine.SightOf(Callers.From(http)).Nodes && engine.Feeds.Nodes.Find(name) is { } row
            ? (IResult)TypedResults.Ok(row.Tags)
            : Problems.From(new Refusal("node.not-found", $"There is no node {name}."))).Produces<IReadOnlyList<string>>().ProducesProblem(404);
        node.MapPost("/add-tags", (string name, TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new AddNodeTags(name, body.Tags), http, body.Reason)).Accepted();
        node.MapPost("/remove-tags", (string name, TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveNodeTags(name, body.Tags), http, body.Reason)).Accepted();
        var instance = api.MapGroup("/instances/{name}").WithTags("instances");
        instance.MapGet("/tags", (string name, HttpContext http, IClusterEngine engine) => InstanceRoutes.Find(engine, name) is { } row && engine.SightOf(Callers.From(http)).Instance(row)
            ? (IResult)TypedResults.Ok(row.Tags)
            : Problems.From(new Refusal("instance.not-found", $"There is no instance {name}."))).Produces<IReadOnlyList<string>>().ProducesProblem(404);
        instance.MapPost("/add-tags", (string name, TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new AddInstanceTags(engine.FindInstance(name)?.Name ?? name, body.Tags), http, body.Reason)).Accepted();
        instance.MapPost("/remove-tags", (string name, TagsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveInstanceTags(engine.FindInstance(name)?.Name ?? name, body.Tags), http, body.Reason)).Accepted();
    }

    private static List<GroupView> Views(IClusterEngine engine, HttpContext http)
    {
        var sight = engine.SightOf(Callers.From(http));
        var nodes = engine.Feeds.Nodes.Current(sight.Node).ToLookup(n => n.Group, n => n.Name);
        return [.. engine.Feeds.Groups.Current(sight.Group).OrderBy(g => g.Name, StringComparer.Ordinal)
            .Select(g => new GroupView(g.Id, g.Name, g.AutoRecover, [.. nodes[g.Name].Order(StringComparer.Ordinal)]))];
    }
}
