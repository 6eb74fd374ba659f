// Lists: a drawn table on a terminal that is wide enough, aligned columns in a pipe.
using Spectre.Console;

namespace WebManager.Cli.Output;

public sealed class Table(params string[] columns)
{
    private readonly List<string[]> _rows = [];

    public Table Row(params string?[] cells)
    {
        _rows.Add([.. cells.Select(c => string.IsNullOrEmpty(c) ? "-" : Text.Plain(c))]);
        return this;
    }

    public void Write(Surroundings to, string whenEmpty)
    {
        if (_rows.Count == 0 && to.IsTerminal) to.Out.WriteLine(whenEmpty);
        else if (to.IsTerminal && Widths.Sum(w => w + 3) < Console.WindowWidth) WriteDrawn(to.Out);
        else WriteColumns(to.Out);
    }

    private int[] Widths => [.. columns.Select((name, i) => _rows.Select(r => r[i].Length).Append(name.Length).Max())];

    private void WriteColumns(TextWriter to)
    {
        var widths = Widths;
        foreach (var row in _rows.Prepend(columns))
            to.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    // Its own method, so that Spectre is loaded only where a table is drawn.
    private void WriteDrawn(TextWriter to)
    {
        var drawn = new Spectre.Console.Table { Border = TableBorder.Rounded };
        foreach (var name in columns) drawn.AddColumn(new TableColumn(new Markup($"[bold]{name}[/]")).NoWrap());
        foreach (var row in _rows) drawn.AddRow(row.Select(cell => new Markup(Colour(cell))));
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(to) });
        console.Write(drawn);
    }

    private static string Colour(string cell) => cell switch
    {
        "running" or "online" or "inSync" or "success" => $"[green]{cell}[/]",
        "suspect" or "starting" or "recovering" or "degraded" or "waiting" or "queued" or "frozen" or "warning" => $"[yellow]{cell}[/]",
        "lost" or "error" or "failed" or "errorDown" or "nodeDown" or "down" => $"[red]{cell}[/]",
        _ => Markup.Escape(cell),
    };
}

/// <summary>One thing in full: a name and a value on each line.</summary>
public sealed class Details
{
    private readonly List<(string Name, string Value)> _lines = [];

    public Details Line(string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) _lines.Add((name, Text.Plain(value)));
        return this;
    }

    public void Write(Surroundings to)
    {
        var width = _lines.Max(l => l.Name.Length) + 1;
        foreach (var (name, value) in _lines) to.Out.WriteLine($"{(name + ":").PadRight(width)} {value}");
    }
}
