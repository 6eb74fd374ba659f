// /api/v1/nodes: list, show, ask for a join token, set aside, maintenance, restart of the agent, power off, remove.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Identity;
using WebManager.Web.Nodes;

namespace WebManager.Web.Api;

internal static class NodeRoutes
{
    public static void MapNodes(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/nodes").WithTags("nodes");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => engine.Feeds.Nodes.Current(engine.SightOf(Callers.From(http)).Node).OrderBy(n => n.Name, StringComparer.Ordinal).Select(n => n.View()).ToList());
        group.MapGet("/{name}", (string name, HttpContext http, IClusterEngine engine) => engine.SightOf(Callers.From(http)).Nodes && engine.Feeds.Nodes.Find(name) is { } row
            ? (IResult)TypedResults.Ok(row.View())
            : Problems.From(new Refusal("node.not-found", $"There is no node {name}."))).Produces<NodeView>().ProducesProblem(404);
        group.MapPost("/", AddAsync).Produces<AddNodeReply>().ProducesProblem(403).ProducesProblem(409).ProducesProblem(422);
        group.MapDelete("/{name}", (string name, string? reason, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new RemoveNode(name), http, reason)).Accepted();
        group.MapPatch("/{name}", (string name, ModifyNodeRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ModifyNode(name) { Offline = body.Offline, Drained = body.Drained }, http, body.Reason)).Accepted();
        group.MapPost("/{name}/maintenance", (string name, MaintenanceRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new MaintainNode(name, body.On) { Return = body.Return, Rebuild = body.Rebuild }, http, body.Reason)).Accepted();
        group.MapGet("/{name}/maintenance", Plan).Produces<MaintenancePlanView>().ProducesProblem(404);
        group.MapPost("/{name}/restart-agent", (string name, RestartAgentRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new RestartAgent(name) { TimeoutSeconds = body?.TimeoutSeconds ?? RestartAgent.UsualTimeout }, http, body?.Reason)).Accepted();
        group.MapPost("/{name}/power-off", (string name, PowerOffRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new PowerOffNode(name, body.Confirm), http, body.Reason)).Accepted();
    }

    private static IResult Plan(string name, HttpContext http, IClusterEngine engine) => engine.SightOf(Callers.From(http)).Nodes && engine.PlanMaintenance(name) is { } plan
        ? TypedResults.Ok(plan.View(engine.WouldRefuse(new MaintainNode(name, On: true), Callers.From(http))))
        : Problems.From(new Refusal("node.not-found", $"There is no node {name}."));

    private static async Task<IResult> AddAsync(AddNodeRequest body, HttpContext http, IJoinTokens tokens, CancellationToken ct)
    {
        var made = await tokens.CreateAsync(body.Name, Callers.From(http), ct);
        return made.Ok ? TypedResults.Ok(made.Value) : Problems.From(made.Refusal);
    }
}
