// /api/v1/jobs: find, show, wait, log; cancel, priority, archive.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class JobRoutes
{
    private const int LongestWait = 600, LongestPoll = 60;

    /// <summary>What is looked for; each a part of the address.</summary>
    internal sealed record Search(string? Text = null, string? Status = null, string? Subject = null, string? User = null, DateTimeOffset? From = null, DateTimeOffset? To = null, bool Archived = false, long? Before = null, int Limit = 100);

    public static void MapJobs(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/jobs").WithTags("jobs");
        group.MapGet("/", FindAsync).Produces<IReadOnlyList<JobView>>().ProducesProblem(422);
        group.MapGet("/{id:long}", ShowAsync).Produces<JobView>().ProducesProblem(404);
        group.MapGet("/{id:long}/wait", WaitAsync).Produces<JobView>().ProducesProblem(404);
        group.MapGet("/{id:long}/log", async (long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct, int after = 0) =>
            await SeenAsync(id, http, engine, store, ct) is null ? NotFound(id) : TypedResults.Ok(await LogAsync(id, after, store, ct)))
            .Produces<IReadOnlyList<JobLogLineView>>().ProducesProblem(404);
        group.MapPost("/{id:long}/cancel", (long id, ReasonRequest? body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new CancelJob(id), http, body?.Reason)).Accepted();
        group.MapPost("/{id:long}/archive", (long id, ReasonRequest? body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new ArchiveJob(id), http, body?.Reason)).Accepted();
        group.MapPost("/{id:long}/priority", async (long id, JobPriorityRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.PriorityOf(body.Priority) is { } priority ? await Submit.AsJobAsync(engine, new SetJobPriority(id, priority), http, body.Reason) : Problems.From(Submit.NoPriority)).Accepted();
        group.MapPost("/archive", (ArchiveJobsRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new ArchiveJobs(body.AgeSeconds), http, body.Reason)).Accepted();
    }

    private static async Task<IResult> FindAsync([AsParameters] Search search, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct)
    {
        var statuses = (search.Status ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Submit.StatusOf).ToList();
        if (statuses.Contains(null)) { return Problems.From(new Refusal("status.unknown", "There is no such status.", "Use queued, waiting, running, canceling, canceled, success or error, with commas between.") { Field = "status" }); }
        var query = new JobQuery
        {
            Text = search.Text, Statuses = [.. statuses.OfType<JobStatus>()], Subject = search.Subject, User = search.User, From = search.From, To = search.To,
            Archived = search.Archived, Before = search.Before, Limit = Math.Clamp(search.Limit, 1, 1000),
        };
        return TypedResults.Ok((await store.FindJobsAsync(query, SeesOf(engine.SightOf(Callers.From(http))), ct)).Select(j => j.View(engine)).ToList());
    }

    /// <summary>Null: everything may be seen.</summary>
    internal static Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? SeesOf(Sight sight) => sight.Caller is { Admin: true, Only: null } ? null : sight.Job;

    private static async Task<IReadOnlyList<JobLogLineView>> LogAsync(long id, int after, IClusterStore store, CancellationToken ct) =>
        [.. (await store.JobLogAsync(id, ct)).Where(l => l.Serial > after).Select(l => l.View())];

    /// <summary>What may not be seen is not there.</summary>
    private static async Task<Job?> SeenAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct) =>
        await store.JobAsync(id, ct) is { } job && engine.SightOf(Callers.From(http)).Job(job) ? job : null;

    private static IResult NotFound(long id) => Problems.From(new Refusal("job.not-found", $"There is no job {id}."));

    private static async Task<IResult> ShowAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct) =>
        await SeenAsync(id, http, engine, store, ct) is { } job ? TypedResults.Ok(job.View(engine)) : NotFound(id);

    private static async Task<IResult> WaitAsync(long id, HttpContext http, IClusterEngine engine, IClusterStore store, TimeProvider time, CancellationToken ct, int? seconds = null, string? status = null, int? log = null)
    {
        if (await SeenAsync(id, http, engine, store, ct) is not { } job) { return NotFound(id); }
        if (status is not null || log is not null) { return await ChangedAsync(id, status, log, TimeSpan.FromSeconds(Math.Clamp(seconds ?? 10, 0, LongestPoll)), http, engine, store, ct); }
        if (job.Ended) { return TypedResults.Ok(job.View()); }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(Math.Clamp(seconds ?? 60, 0, LongestWait)), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try { await engine.WaitAsync(id, either.Token); }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !ct.IsCancellationRequested) { }
        return await ShowAsync(id, http, engine, store, ct);   // its rights may have gone meanwhile
    }

    /// <summary>At once when the status or the log is another than the caller knows; an ended job has nothing to wait for.</summary>
    private static async Task<IResult> ChangedAsync(long id, string? status, int? log, TimeSpan limit, HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct)
    {
        var known = status is null ? null : Submit.StatusOf(status);
        if (status is not null && known is null) { return Problems.From(new Refusal("status.unknown", "There is no such status.") { Field = "status" }); }
        bool Same() => engine.Feeds.Jobs.Find(id) is { EndedAt: null } row && (known is null || row.Status == known) && (log is null || row.LogLines <= log);
        var changed = await engine.ChangedAsync(id, Same, limit, ct);
        // Its rights may have gone meanwhile.
        if (await SeenAsync(id, http, engine, store, ct) is not { } job) { return NotFound(id); }
        return TypedResults.Ok(job.View(engine) with { Changed = changed, Log = log is { } after ? await LogAsync(id, after, store, ct) : null });
    }
}
