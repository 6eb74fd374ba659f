// Stored jobs as the rows that lists show, and whether a row is one that is looked for.
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;

namespace WebManager.Web.Components.Pages.Jobs;

internal static class JobRows
{
    public static JobRow Of(Job j, IClusterEngine engine, int lines = 0) => engine.Feeds.Jobs.Find(j.Id) ?? new JobRow(j.Id, j.Request.Name,
        $"{j.Request.Name} {string.Join(" ", j.Subjects.Select(s => s.Split(':', 2)[^1]))}", j.Status, j.Caller.Name, string.Join(", ", j.Reason.Select(r => r.Text)), j.ReceivedAt, j.EndedAt, j.Step,
        j.Error?.Message, j.Error?.Remedy, lines)
    {
        Recovery = j.Recovery, Priority = j.Priority, Depends = j.Depends, CanceledBy = j.CanceledBy, ById = j.Caller.UserId, Subjects = j.Subjects,
    };

    /// <summary>As the store decides it (JobSearch).</summary>
    public static bool Matches(JobRow row, JobQuery q) =>
        (q.Statuses.Count == 0 || q.Statuses.Contains(row.Status))
        && (q.User is null || row.By == q.User || row.ById == q.User)
        && (q.Subject is null || row.Subjects.Contains(q.Subject))
        && (q.Before is null || row.Id < q.Before)
        && (q.From is null || row.ReceivedAt >= q.From) && (q.To is null || row.ReceivedAt < q.To)
        && (q.Text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => $"{row.Id} {row.Summary} {string.Join(' ', row.Subjects)} {row.By} {row.Why} {row.Error}".Contains(word, StringComparison.OrdinalIgnoreCase));
}
