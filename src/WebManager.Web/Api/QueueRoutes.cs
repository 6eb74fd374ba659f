// /api/v1/queue, /locks and /debug: the job queue itself.
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class QueueRoutes
{
    public static void MapQueue(this RouteGroupBuilder api)
    {
        api.MapGet("/queue", (IClusterEngine engine) => QueueOf(engine)).WithTags("jobs");
        api.MapPatch("/queue", (ModifyQueueRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ModifyQueue { Running = body.Running, Open = body.Open, Drained = body.Drained }, http, body.Reason)).Accepted().WithTags("jobs");
        api.MapGet("/locks", (HttpContext http, IClusterEngine engine) => engine.SightOf(Callers.From(http)) is { ClusterAdmin: true, Caller.Only: null }
            ? Results.Ok(engine.Locks.Select(View).ToList())
            : Problems.From(new("right.missing", "Locks are shown to administrators of the cluster.", "Ask one of them."))).Produces<IReadOnlyList<LockView>>().ProducesProblem(403).WithTags("debug");
        api.MapPost("/debug/delay", (DebugDelayRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new DebugDelay(body.Seconds) { Exclusive = body.Exclusive, Shared = body.Shared }, http, body.Reason)).Accepted().WithTags("debug");
    }

    private static QueueView QueueOf(IClusterEngine engine)
    {
        var (now, c) = (engine.Now, engine.Now.Cluster);
        return new QueueView(c.QueueDrained, now.Jobs.Values.Count(j => j.Status is JobStatus.Running or JobStatus.Canceling), c.MaxRunningJobs, now.OpenJobs, c.MaxOpenJobs);
    }

    private static LockView View(LockRow row) => new(LockNames.Shown(row.Name), [.. row.Holders.Select(View)], [.. row.Waiters.Select(View)]);

    private static LockPartyView View(LockParty party) => new(party.Job, party.Shared);
}
