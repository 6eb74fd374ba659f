// Measured values: into the test's output, to the console, and into artifacts/e2e.txt for reports.
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Harness;

internal static class Print
{
    public static void Line(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Console.WriteLine(line);
        Directory.CreateDirectory(Built.Artifacts);
        File.AppendAllText(Path.Combine(Built.Artifacts, "e2e.txt"), $"{TestContext.Current.TestMethod?.MethodName}: {line}\n");
    }

    public static string Seconds(TimeSpan time) => $"{time.TotalSeconds:0.00} s";

    public static string Spread(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return $"{Seconds(sorted[0])} / {Seconds(sorted[sorted.Count / 2])} / {Seconds(sorted[^1])}";
    }
}
