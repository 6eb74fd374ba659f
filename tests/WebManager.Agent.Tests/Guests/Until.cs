using System.Diagnostics;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>Waits for a condition with a deadline; no test sleeps for a fixed time.</summary>
public static class Until
{
    public static async Task TrueAsync(Func<bool> condition, string what, double seconds = 60)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed.TotalSeconds < seconds * Bench.Slowness, $"Not within {seconds} s: {what}");
            await Task.Delay(5);
        }
    }
}
