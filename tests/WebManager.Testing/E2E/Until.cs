// Waits for a condition with a deadline. What throws is "not yet": portals restart and files come into being while tests wait.
using System.Diagnostics;

namespace WebManager.Testing.E2E;

public static class Until
{
    public static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    public static Task TrueAsync(Func<Task<bool>> condition, TimeSpan limit, string what, TimeSpan? every = null) =>
        SomeAsync(async () => await condition() ? "yes" : null, limit, what, every);

    public static Task TrueAsync(Func<bool> condition, TimeSpan limit, string what, TimeSpan? every = null) =>
        TrueAsync(() => Task.FromResult(condition()), limit, what, every);

    /// <summary>The first answer that is not null.</summary>
    public static async Task<T> SomeAsync<T>(Func<Task<T?>> find, TimeSpan limit, string what, TimeSpan? every = null) where T : class
    {
        var watch = Stopwatch.StartNew();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await find() is { } found) return found;
                last = null;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException or ApiException)
            {
                last = e;
            }
            if (watch.Elapsed > limit) throw new TimeoutException($"Not within {limit.TotalSeconds:0.#} s: {what}.{(last is null ? "" : $" Last: {last.Message}")}");
            await Task.Delay(every ?? Often);
        }
    }
}
