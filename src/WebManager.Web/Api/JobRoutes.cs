// /api/v1/jobs: list, show, wait, log.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class JobRoutes
{
    private const int LongestWait = 600;

    public static void MapJobs(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/jobs").WithTags("jobs");
        group.MapGet("/", async (HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct, long? before = null, int limit = 100) =>
            (await SeenPages.OfAsync(store.JobsAsync, j => j.Id, engine.SightOf(Callers.From(http)).Job, before, Math.Clamp(limit, 1, 1000), ct)).Select(j => j.View()).ToList());
        group.MapGet("/{id:long}", ShowAsync).Produces<JobView>().ProducesProblem(404);
        group.MapGet("/{id:long}/wait", WaitAsync).Produces<JobView>().ProducesProblem(404);
        group.MapGet("/{id:long}/log", async (long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct, int after = 0) =>
            await SeenAsync(id, http, engine, store, ct) is null ? NotFound(id) : TypedResults.Ok((await store.JobLogAsync(id, ct)).Where(l => l.Serial > after).Select(l => l.View()).ToList()))
            .Produces<IReadOnlyList<JobLogLineView>>().ProducesProblem(404);
    }

    /// <summary>What may not be seen is not there.</summary>
    private static async Task<Engine.Model.Job?> SeenAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct) =>
        await store.JobAsync(id, ct) is { } job && engine.SightOf(Callers.From(http)).Job(job) ? job : null;

    private static IResult NotFound(long id) => Problems.From(new Refusal("job.not-found", $"There is no job {id}."));

    private static async Task<IResult> ShowAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct) =>
        await SeenAsync(id, http, engine, store, ct) is { } job ? TypedResults.Ok(job.View()) : NotFound(id);

    private static async Task<IResult> WaitAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, TimeProvider time, CancellationToken ct, int seconds = 60)
    {
        if (await SeenAsync(id, http, engine, store, ct) is not { } job) { return NotFound(id); }
        if (job.Ended) { return TypedResults.Ok(job.View()); }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(Math.Clamp(seconds, 0, LongestWait)), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try { return TypedResults.Ok((await engine.WaitAsync(id, either.Token)).View()); }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested) { return await ShowAsync(id, http, engine, store, ct); }
    }
}
