// /api/v1/audit: search, export, verify.
using Microsoft.AspNetCore.Mvc;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Contracts.Audit;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Audit;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

/// <summary>The query that search and export share.</summary>
internal sealed class AuditQuery
{
    public string? User { get; set; }
    public DateTimeOffset? From { get; set; }
    public DateTimeOffset? To { get; set; }
    public string? Face { get; set; }
    public string? Address { get; set; }
    public string? Operation { get; set; }
    public string? Subject { get; set; }
    public string? Result { get; set; }
    public long? Job { get; set; }

    public AuditFilter Filter() => new()
    {
        User = Given(User), From = From, To = To, Face = Given(Face), Address = Given(Address), Operation = Given(Operation), Subject = Given(Subject), Result = Given(Result), Job = Job,
    };

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

internal static class AuditRoutes
{
    private static readonly Refusal s_forbidden = new("audit.forbidden", "You may not look into this part of the audit.", "Whoever has admin on an instance may with subject=instance:NAME; administrators of the cluster see what was done to it, superusers everything.");

    public static void MapAudit(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/audit").WithTags("audit");
        group.MapGet("/", SearchAsync).Produces<AuditPage>().ProducesProblem(403);
        group.MapGet("/export", ExportAsync).Produces(200, contentType: "text/csv", additionalContentTypes: "application/json").ProducesProblem(403).ProducesProblem(422);
        group.MapGet("/verify", VerifyAsync).Produces<AuditReport>().ProducesProblem(403).ProducesProblem(422);
    }

    private static async Task<IResult> SearchAsync([AsParameters] AuditQuery query, HttpContext http, AuditLog audit, IClusterEngine engine, CancellationToken ct, long? before = null, int limit = 100)
    {
        if (AuditAccess.Of(http.User, engine, query.Filter()) is not { } seen) { return Problems.From(s_forbidden); }
        limit = Math.Clamp(limit, 1, 1000);
        var rows = await audit.SearchAsync(seen.Filter, before, limit + 1, ct);
        return TypedResults.Ok(new AuditPage([.. rows.Take(limit).Select(r => seen.Of(r).View())], rows.Count > limit ? rows[limit - 1].Serial : null));
    }

    private static async Task<IResult> ExportAsync([AsParameters] AuditQuery query, HttpContext http, AuditLog audit, IClusterEngine engine, IClusterStore store, TimeProvider time, string format = "csv")
    {
        if (format is not ("csv" or "json")) { return Problems.From(new Refusal("format.unknown", "There is no such format.", "Use csv or json.") { Field = "format" }); }
        var (caller, now) = (Callers.From(http), time.GetUtcNow());
        var seen = AuditAccess.Of(http.User, engine, query.Filter());
        var refusal = seen is null ? s_forbidden : null;
        var changes = new Changes();
        changes.Audit.Add(new AuditEntry(now, caller.Name, caller.Face, caller.Address, "audit.export", "audit", refusal?.Code ?? "success", null, null));
        await store.CommitAsync(changes, CancellationToken.None);
        if (seen is null) { return Problems.From(s_forbidden); }
        var rows = audit.AllAsync(seen.Filter, http.RequestAborted).Select(seen.Of);
        var (type, write) = format == "csv" ? ("text/csv; charset=utf-8; header=present", (Func<Stream, Task>)(to => AuditFiles.WriteCsvAsync(rows, to, http.RequestAborted)))
            : ("application/json", to => AuditFiles.WriteJsonAsync(rows, to, http.RequestAborted));
        return TypedResults.Stream(write, type, $"audit-{now:yyyyMMdd-HHmmss}.{format}");
    }

    private static async Task<IResult> VerifyAsync([FromQuery] string? noted, HttpContext http, AuditLog audit, CancellationToken ct)
    {
        if (!AuditAccess.MaySeeAll(http.User)) { return Problems.From(s_forbidden); }
        AuditMark? mark = null;
        if (!string.IsNullOrEmpty(noted))
        {
            if (!AuditMark.TryParse(noted, out var given)) { return Problems.From(new Refusal("noted.invalid", "That is not a serial and a hash.", "Give what was printed, like 120:3f0c….") { Field = "noted" }); }
            mark = given;
        }
        return TypedResults.Ok(await audit.VerifyAsync(mark, ct));
    }
}
