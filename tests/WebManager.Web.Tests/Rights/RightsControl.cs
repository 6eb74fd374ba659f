using WebManager.Testing.Rights;

namespace WebManager.Web.Tests.Rights;

/// <summary>What offers an operation on a page, for one object. Exceptions: roles of whom the row says why it does not count for them.</summary>
internal sealed record RightsControl(string What, string On, string Page, string Selector, IReadOnlySet<string> Exceptions, IReadOnlyDictionary<string, char> Cells)
{
    public bool Allowed(string role) => Cells[role] == RightsTable.Allowed;

    /// <summary>Each control for each object of what it does: the rows of its operation, or of its route.</summary>
    public static IEnumerable<RightsControl> All(RightsTable table) => table.Of("controls").Where(r => r.Same is not null).SelectMany(row =>
    {
        var (page, selector) = (row.Same!.Split(' ')[0], row.Same[(row.Same.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        var exceptions = row.More.StartsWith("not ", StringComparison.Ordinal) ? row.More[4..row.More.IndexOf(':', StringComparison.Ordinal)].Split(',', StringSplitOptions.TrimEntries).ToHashSet() : [];
        var rows = table.Of("operations").Where(o => o.What == row.What || $"{o.What} {o.On}" == row.What).ToList();
        if (rows.Count == 0) { rows = [.. RightsCalls.Rows(table).Where(r => r.What == row.What)]; }
        return rows.Count > 0 ? rows.Select(o => new RightsControl(row.What, o.On, page, selector, exceptions, o.Cells)) : throw new FormatException($"rights.txt: {row.What} of [controls] is no operation and no route.");
    });
}
