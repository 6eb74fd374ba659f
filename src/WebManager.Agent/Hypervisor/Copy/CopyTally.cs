using System.Globalization;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

/// <summary>What a resynchronisation has done so far, the pace it keeps, and the words for it.</summary>
public sealed class CopyTally(TimeProvider clock, HypervisorOptions options)
{
    private const double MiB = 1024 * 1024;
    private readonly long _begun = clock.GetTimestamp();
    private long _lastMove = clock.GetTimestamp();
    private long _done;

    public long Compared { get; private set; }
    public long Moved { get; private set; }

    /// <summary>What the first pass has to look at; later passes only make up for the guest's writes meanwhile.</summary>
    public long Total { get; set; }

    public double Percent => Total == 0 ? 100 : Math.Clamp(100.0 * _done / Total, 0, 100);

    public TimeSpan Time => clock.GetElapsedTime(_begun);

    /// <summary>While nothing came back for that long the copy counts as stuck.</summary>
    public TimeSpan SinceMove => clock.GetElapsedTime(Volatile.Read(ref _lastMove));

    public void HasCompared(long bytes)
    {
        (Compared, _done) = (Compared + bytes, _done + bytes);
        Touch();
    }

    public void HasMoved(long bytes, bool firstPass)
    {
        Moved += bytes;
        if (firstPass) _done += bytes;
        Touch();
    }

    private void Touch() => Volatile.Write(ref _lastMove, clock.GetTimestamp());

    /// <summary>Waits as long as the rate limit asks for what was moved up to now.</summary>
    public async Task KeepPaceAsync(CancellationToken ct)
    {
        if (options.CopyRateMiB is not { } rate) return;
        var ahead = TimeSpan.FromSeconds(Moved / (rate * MiB)) - Time;
        // In short steps, so that a slow pace does not look like a stuck one.
        while (ahead > TimeSpan.Zero)
        {
            var step = ahead < TimeSpan.FromMilliseconds(200) ? ahead : TimeSpan.FromMilliseconds(200);
            await Task.Delay(step, clock, ct);
            Touch();
            ahead -= step;
        }
    }

    public CopyReport Report(TimeSpan? paused) => new(Compared, Moved, (long)Time.TotalMilliseconds, (long?)paused?.TotalMilliseconds);

    public string Words => string.Create(CultureInfo.InvariantCulture,
        $"{(Compared > 0 ? $"{Compared / MiB:0.#} MiB compared, " : "")}{Moved / MiB:0.#} MiB copied in {Time.TotalSeconds:0.0} s");
}
