// What jobs are looked for by, in a narrow table beside theirs: a search reads a few megabytes, not every request and reason.
using Microsoft.EntityFrameworkCore;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

/// <summary>Subjects: each with a blank before and behind. Text: lower case.</summary>
public sealed record JobSearchRow(long Job, JobStatus Status, DateTimeOffset ReceivedAt, string By, string ById, string Subjects, string Text)
{
    public DateTimeOffset? EndedAt { get; init; }
    public DateTimeOffset? ArchivedAt { get; init; }

    /// <summary>A reason of 500 characters is found by its beginning.</summary>
    private const int LongestPart = 120;

    public static JobSearchRow Of(Job j) => new(j.Id, j.Status, j.ReceivedAt, j.Caller.Name, j.Caller.UserId, $" {string.Join(' ', j.Subjects)} ", TextOf(j)) { EndedAt = j.EndedAt, ArchivedAt = j.ArchivedAt };

    private static string TextOf(Job j) => string.Join(' ', new[] { $"{j.Id}", j.Request.Name, string.Join(' ', j.Subjects), j.Caller.Name, Short(j.Reason.Count > 0 ? j.Reason[0].Text : ""), j.Error?.Code ?? "", Short(j.Error?.Message ?? "") }
        .Where(p => p.Length > 0)).ToLowerInvariant();

    private static string Short(string text) => text.Length <= LongestPart ? text : text[..LongestPart];

    public static void Map(ModelBuilder model) => model.Entity<JobSearchRow>(t =>
    {
        t.ToTable("job_search").HasKey(r => r.Job);
        t.Property(r => r.Job).ValueGeneratedNever();
        t.Property(r => r.Status).HasConversion<string>();
        // Not by ArchivedAt: SQLite would take that, and sort all that are not archived, where reading from the newest on is enough.
        t.HasIndex(r => r.EndedAt);
    });
}

internal static class JobSearch
{
    private const int Chunk = 5000;

    /// <summary>Ids of the newest that match and may be seen; reads on until there are enough, so that what may not be seen leaves no gaps that tell of it.</summary>
    public static async Task<IReadOnlyList<long>> FindAsync(PortalDb db, JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees, CancellationToken ct)
    {
        var (found, before) = (new List<long>(), query.Before);
        while (true)
        {
            var rows = Matching(db.JobSearch, query, before).OrderByDescending(r => r.Job);
            if (sees is null) { return await rows.Take(query.Limit).Select(r => r.Job).ToListAsync(ct); }
            var page = await rows.Take(Chunk).Select(r => new { r.Job, r.ById, r.Subjects, r.EndedAt }).ToListAsync(ct);
            found.AddRange(page.Where(r => sees(r.ById, r.Subjects.Split(' ', StringSplitOptions.RemoveEmptyEntries), r.EndedAt)).Select(r => r.Job));
            if (page.Count < Chunk || found.Count >= query.Limit) { return found.Count > query.Limit ? found[..query.Limit] : found; }
            before = page[^1].Job;
        }
    }

    private static IQueryable<JobSearchRow> Matching(IQueryable<JobSearchRow> rows, JobQuery q, long? before)
    {
        if (before is { } id) { rows = rows.Where(r => r.Job < id); }
        if (!q.Archived) { rows = rows.Where(r => r.ArchivedAt == null); }
        if (q.Statuses is { Count: > 0 } statuses) { rows = rows.Where(r => statuses.Contains(r.Status)); }
        if (q.Subject is { } subject) { var part = $" {subject} "; rows = rows.Where(r => r.Subjects.Contains(part)); }
        if (q.User is { } user) { rows = rows.Where(r => r.By == user || r.ById == user); }
        if (q.From is { } from) { rows = rows.Where(r => r.ReceivedAt >= from); }
        if (q.To is { } to) { rows = rows.Where(r => r.ReceivedAt < to); }
        foreach (var word in (q.Text ?? "").ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries)) { rows = rows.Where(r => r.Text.Contains(word)); }
        return rows;
    }
}
