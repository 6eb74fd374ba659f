// Looks all the time whether some instance has two guests that run at once; one that its keeper has paused does not.
using WebManager.Testing.E2E;

namespace WebManager.Soak;

internal sealed class Sightings : IAsyncDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _enough = new();
    private readonly Task _looking;

    public Sightings(NodeProcesses nodes, List<string> found) => _looking = Task.Run(async () =>
    {
        while (!_enough.IsCancellationRequested)
        {
            foreach (var same in nodes.All().Where(p => p.IsGuest).GroupBy(InstanceOf).Where(g => g.Key is not null && g.Count() > 1))
            {
                // Each ran when it was looked at; only those that still do have run at one time.
                var running = same.Where(p => !NodeProcesses.Rests(p.Pid)).ToList();
                if (running.Count < 2) continue;
                var text = $"instance {same.Key} has {running.Count} guests: {string.Join(", ", running.Select(p => $"{p.Pid} on {p.Node} since {NodeProcesses.StartOf(p.Pid)}"))}";
                lock (found)
                {
                    if (found.Contains(text)) continue;
                    found.Add(text);
                }
                Console.WriteLine($"DOUBLE {text}");
            }
            try { await Task.Delay(s_every, _enough.Token); }
            catch (OperationCanceledException) { return; }
        }
    });

    private static string? InstanceOf(NodeProcess guest)
    {
        var at = guest.Arguments.IndexOf("/instances/", StringComparison.Ordinal);
        return at < 0 ? null : guest.Arguments.Substring(at + "/instances/".Length, 36);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _looking;
        _enough.Dispose();
    }
}
