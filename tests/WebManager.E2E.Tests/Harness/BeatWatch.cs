// Follows a guest's beat and notes when each number was seen.
using WebManager.Testing.E2E;

namespace WebManager.E2E.Tests.Harness;

/// <summary>Each beat with the time at which it was seen in the serial log; it was said before that.</summary>
internal sealed record Beats(IReadOnlyList<(DateTimeOffset Seen, long Number)> All)
{
    public TimeSpan LongestPause => All.Zip(All.Skip(1), (a, b) => b.Seen - a.Seen).Max();

    public long HighestSeenBefore(DateTimeOffset at) => All.Where(b => b.Seen < at).Select(b => b.Number).DefaultIfEmpty(0).Max();
}

/// <summary>What was said before it began counts as seen at its first look.</summary>
internal sealed class BeatWatch
{
    private readonly CancellationTokenSource _enough = new();
    private readonly Task<Beats> _watching;

    public BeatWatch(SerialFile serial) => _watching = Task.Run(async () =>
    {
        var (said, end) = (new List<(DateTimeOffset, long)>(), 0L);
        while (!_enough.IsCancellationRequested)
        {
            await Task.Delay(3);
            var (numbers, next) = serial.NewBeats(end);
            end = next;
            said.AddRange(numbers.Select(n => (TimeProvider.System.GetUtcNow(), n)));
        }
        return new Beats(said);
    });

    public async Task<Beats> StopAsync()
    {
        await _enough.CancelAsync();
        return await _watching;
    }
}
