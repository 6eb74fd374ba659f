// One line of the table.
using System.Globalization;

namespace WebManager.Benchmarks;

internal sealed record Measured(string What, IReadOnlyList<TimeSpan> Times)
{
    public string Line()
    {
        var sorted = Times.Order().ToList();
        return $"| {What,-52} | {sorted.Count,4} | {Text(sorted[0])} | {Text(At(sorted, 0.5))} | {Text(At(sorted, 0.95))} | {Text(sorted[^1])} |";
    }

    /// <summary>Nearest rank.</summary>
    private static TimeSpan At(List<TimeSpan> sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds,6:0} ms");
}
