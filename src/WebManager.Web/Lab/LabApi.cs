// GET /api/v1/lab for everybody who is signed in; POST below it for administrators.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Lab;

public static class LabApi
{
    public static void MapLabApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/api/v1/lab").DisableAntiforgery().WithTags("lab").ProducesProblem(401);
        group.MapGet("/", (LabCluster lab) => lab.View());
        MapAction(group, "kill", (lab, node, ct) => lab.KillAsync(node, ct));
        MapAction(group, "start", (lab, node, ct) => lab.StartAsync(node, ct));
        MapAction(group, "freeze", (lab, node, ct) => lab.FreezeAsync(node, ct));
        MapAction(group, "thaw", (lab, node, ct) => lab.ThawAsync(node, ct));
        MapPair(group, "cut", (lab, node, from, ct) => lab.CutAsync(node, from, ct));
        MapPair(group, "heal", (lab, node, from, ct) => lab.HealAsync(node, from, ct));
        group.MapPost("/heal", (HttpContext http, LabCluster lab, LabRecord record) =>
            AnswerAsync(http, record, "heal", "lab", () => lab.HealAllAsync(CancellationToken.None))).Answers();
        group.MapPost("/reset", (HttpContext http, LabCluster lab, LabRecord record) =>
            AnswerAsync(http, record, "reset", "lab", () => lab.ResetAsync(CancellationToken.None))).Answers();
    }

    // Not the request's token: a caller that hangs up must not leave a node half killed.
    private static void MapAction(RouteGroupBuilder group, string verb, Func<LabCluster, string, CancellationToken, Task<Outcome<LabView>>> act) =>
        group.MapPost($"/nodes/{{name}}/{verb}", (string name, HttpContext http, LabCluster lab, LabRecord record) =>
            AnswerAsync(http, record, verb, name, () => act(lab, name, CancellationToken.None))).Answers();

    /// <summary>?from= names the one node on the other end; without it everything is.</summary>
    private static void MapPair(RouteGroupBuilder group, string verb, Func<LabCluster, string, string?, CancellationToken, Task<Outcome<LabView>>> act) =>
        group.MapPost($"/nodes/{{name}}/{verb}", (string name, string? from, HttpContext http, LabCluster lab, LabRecord record) =>
            AnswerAsync(http, record, verb, name, () => act(lab, name, from, CancellationToken.None), from)).Answers().ProducesProblem(422);

    private static async Task<IResult> AnswerAsync(HttpContext http, LabRecord record, string action, string subject, Func<Task<Outcome<LabView>>> act, string? from = null)
    {
        var caller = Callers.From(http);
        var done = caller.Unlimited ? await act() : new Refusal("lab.forbidden", "Only administrators may pull plugs.");
        await record.AddAsync(caller, action, subject, from, done.Refusal);
        return done.Ok ? TypedResults.Ok(done.Value) : Problems.From(done.Refusal);
    }

    private static RouteHandlerBuilder Answers(this RouteHandlerBuilder route) => route.Produces<LabView>().ProducesProblem(403).ProducesProblem(404).ProducesProblem(409);
}
