// Hands a request to the engine's door and answers 202 with the job's place.
using System.Globalization;
using WebManager.Contracts;
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
        var terms = TermsOf(http.Request.Query);
        if (!terms.Ok) { return Problems.From(terms.Refusal); }
        // Not the request's token: a caller that hangs up must not leave it open whether the job was stored.
        var job = await engine.SubmitAsync(request, caller, reason ?? $"asked by {caller.Name}", terms.Value, CancellationToken.None);
        return job.Ok ? TypedResults.Accepted($"/api/v1/jobs/{job.Value}", new JobAccepted(job.Value)) : Problems.From(job.Refusal);
    }

    /// <summary>"?priority=low&amp;depends=12,13:success+error", on every route that files a job.</summary>
    public static Outcome<JobTerms> TermsOf(IQueryCollection query)
    {
        if (PriorityOf(query["priority"].FirstOrDefault() ?? "normal") is not { } priority) { return NoPriority; }
        var depends = new List<JobDependency>();
        foreach (var one in query["depends"].SelectMany(d => (d ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            var parts = one.Split(':', 2);
            var statuses = parts.Length == 1 ? [] : parts[1].Split(['+', ' '], StringSplitOptions.RemoveEmptyEntries).Select(StatusOf).ToList();
            if (!long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var job) || statuses.Contains(null))
            {
                return new Refusal("depends.unreadable", "That names no jobs to wait for.", "Use the numbers of jobs, with how they have to end if that matters: 12,13:success+error.") { Field = "depends" };
            }
            depends.Add(new JobDependency(job, [.. statuses.OfType<JobStatus>()]));
        }
        return new JobTerms { Priority = priority, Depends = depends };
    }

    public static Refusal NoPriority { get; } = new("priority.unknown", "That priority does not exist.", "Use low, normal or high.") { Field = "priority" };

    public static JobPriority? PriorityOf(string word) => word switch { "high" => JobPriority.High, "normal" => JobPriority.Normal, "low" => JobPriority.Low, _ => null };

    public static JobStatus? StatusOf(string word) =>
        Enum.TryParse<JobStatus>(word, ignoreCase: true, out var status) && word.All(char.IsAsciiLetter) && Enum.IsDefined(status) ? status : null;

    /// <summary>What the API's description says about such a route.</summary>
    public static RouteHandlerBuilder Accepted(this RouteHandlerBuilder route) =>
        route.Produces<JobAccepted>(202).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422);
}
