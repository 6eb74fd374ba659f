// Who may what, from tests/rights.txt: one table that the door, REST, pages, wm, consoles and the hub are held to.
using System.Text;

namespace WebManager.Testing.Rights;

/// <summary>
/// A row. What: an operation, a route, a page, a command. On: the object, * for all. Cells: by role. Same: what stands behind "=", whose cells count
/// here as well. Why: behind "none:". More: behind "|", what is sent.
/// </summary>
public sealed record RightsRow(string Section, string What, string On, IReadOnlyDictionary<string, char> Cells, string? Same, string? Why, string More)
{
    public string Key => $"{Section} {What} {(Same is null ? On : Same)}";
}

public sealed class RightsTable
{
    public const char Allowed = '+', Refused = '-', Hidden = '.', Nobody = '!', Without = '~', Unasked = '/', SignIn = '>';
    private const string Marks = "+-.!~/>";
    private const int WhatWidth = 58, OnWidth = 9, CellWidth = 6;

    private RightsTable(IReadOnlyList<string> roles, IReadOnlyList<RightsRow> rows) => (Roles, Rows) = (roles, rows);

    public IReadOnlyList<string> Roles { get; }
    public IReadOnlyList<RightsRow> Rows { get; }

    public static RightsTable Load() => Parse(File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "rights.txt")));

    public static RightsTable Parse(IEnumerable<string> lines)
    {
        var (section, roles, rows) = ("", Array.Empty<string>(), new List<RightsRow>());
        foreach (var (line, number) in lines.Select((l, n) => (l.Trim(), n + 1)))
        {
            if (line.Length == 0 || line[0] == '#') { continue; }
            if (line[0] == '[') { section = line.Trim('[', ']'); }
            else if (line.StartsWith("roles:", StringComparison.Ordinal)) { roles = line["roles:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries); }
            else { rows.Add(Row(section, line, roles, number)); }
        }
        var twice = rows.GroupBy(r => r.Key).Where(g => g.Count() > 1).Select(g => g.Key).ToList();
        return twice.Count == 0 ? new RightsTable(roles, rows) : throw new FormatException($"rights.txt says twice: {string.Join("; ", twice)}");
    }

    private static RightsRow Row(string section, string line, string[] roles, int number)
    {
        var (text, more) = line.IndexOf(" | ", StringComparison.Ordinal) is var at && at < 0 ? (line, "") : (line[..at], line[(at + 3)..].Trim());
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var behind = Array.FindIndex(words, w => w is "=" or "none:");
        if (behind > 0)
        {
            var rest = string.Join(' ', words[(behind + 1)..]);
            var what = string.Join(' ', words[..behind]);
            return words[behind] == "=" ? new RightsRow(section, what, "*", new Dictionary<string, char>(), rest, null, more) : new RightsRow(section, what, "*", new Dictionary<string, char>(), null, rest, more);
        }
        var cells = words.Length > roles.Length + 1 ? words[^roles.Length..] : [];
        if (cells.Length == 0 || cells.Any(c => c.Length != 1 || !Marks.Contains(c[0]))) { throw new FormatException($"rights.txt, line {number}: {roles.Length} cells of {Marks} are wanted behind the object, or = or none:"); }
        return new RightsRow(section, string.Join(' ', words[..^(roles.Length + 1)]), words[^(roles.Length + 1)], roles.Zip(cells).ToDictionary(c => c.First, c => c.Second[0]), null, null, more);
    }

    public IEnumerable<RightsRow> Of(string section) => Rows.Where(r => r.Section == section);

    /// <summary>The row for that object, or the one for all objects.</summary>
    public RightsRow? Find(string section, string what, string on) =>
        Rows.FirstOrDefault(r => r.Section == section && r.What == what && r.On == on) ?? Rows.FirstOrDefault(r => r.Section == section && r.What == what && r.On == "*");

    /// <summary>A row as it is to be written into the file.</summary>
    public string Line(string what, string on, Func<string, char> cell, string more = "")
    {
        var line = new StringBuilder(what.PadRight(WhatWidth)).Append(' ').Append(on.PadRight(OnWidth));
        foreach (var role in Roles) { line.Append(cell(role).ToString().PadRight(CellWidth)); }
        return line.ToString().TrimEnd() + (more.Length == 0 ? "" : $"  | {more}");
    }

    public string Line(RightsRow row, Func<string, char> cell) => Line(row.What, row.On, cell, row.More);

    /// <summary>Null: as the table says. Otherwise both lines, the measured one as it could be pasted.</summary>
    public string? Differs(RightsRow row, IReadOnlyDictionary<string, char> measured) => Roles.All(r => !measured.ContainsKey(r) || measured[r] == row.Cells[r]) ? null
        : $"[{row.Section}] {string.Join(", ", Roles.Where(r => measured.ContainsKey(r) && measured[r] != row.Cells[r]).Select(r => $"{r}: {measured[r]} instead of {row.Cells[r]}"))}\n"
            + $"  table    {Line(row, r => row.Cells[r])}\n  measured {Line(row, r => measured.GetValueOrDefault(r, row.Cells[r]))}";
}
