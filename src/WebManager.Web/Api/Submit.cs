// Hands a request to the engine's door and answers 202 with the job's place.
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class Submit
{
    public static async Task<IResult> AsJobAsync(IClusterEngine engine, OperationRequest request, HttpContext http, string? reason)
    {
        var caller = Callers.From(http);
        // Not the request's token: a caller that hangs up must not leave it open whether the job was stored.
        var job = await engine.SubmitAsync(request, caller, reason ?? $"asked by {caller.Name}", CancellationToken.None);
        return job.Ok ? TypedResults.Accepted($"/api/v1/jobs/{job.Value}", new JobAccepted(job.Value)) : Problems.From(job.Refusal);
    }

    /// <summary>What the API's description says about such a route.</summary>
    public static RouteHandlerBuilder Accepted(this RouteHandlerBuilder route) =>
        route.Produces<JobAccepted>(202).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
}
