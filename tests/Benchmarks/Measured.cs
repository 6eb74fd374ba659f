// One line of the table.
using System.Globalization;

namespace WebManager.Benchmarks;

internal sealed record Measured(string What, IReadOnlyList<TimeSpan> Times)
{
    /// <summary>What the median is compared with, by a factor at the end of the line.</summary>
    public IReadOnlyList<TimeSpan>? Against { get; init; }

    public string Line()
    {
        var sorted = Times.Order().ToList();
        return $"| {What,-52} | {sorted.Count,4} | {Text(sorted[0])} | {Text(At(sorted, 0.5))} | {Text(At(sorted, 0.95))} | {Text(sorted[^1])} |{Factor(sorted)}";
    }

    private string Factor(List<TimeSpan> sorted) =>
        Against is null ? "" : string.Create(CultureInfo.InvariantCulture, $" {At(sorted, 0.5) / At([.. Against.Order()], 0.5):0.00} times the line above");

    /// <summary>Nearest rank.</summary>
    private static TimeSpan At(List<TimeSpan> sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];

    private static string Text(TimeSpan time) => time.TotalMilliseconds.ToString(time < TimeSpan.FromMilliseconds(100) ? "0.00" : "0", CultureInfo.InvariantCulture).PadLeft(6) + " ms";
}
