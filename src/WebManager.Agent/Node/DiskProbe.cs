using WebManager.Agent.State;
using WebManager.Agent.Storage;

namespace WebManager.Agent.Node;

/// <summary>
/// Whether this node's disks take writes (H14): a little is written and synced every few seconds, where the agent's state is and where the
/// images are. What a guest told of its image counts for a while after its end: the next copy onto this node then tells whether it still fails.
/// </summary>
public sealed class DiskProbe(NodeFolder folder, TimeProvider clock, ILogger<DiskProbe> log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    /// <summary>A busy disk takes seconds; one that takes this long hangs.</summary>
    private static readonly TimeSpan Hangs = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan Remembered = TimeSpan.FromSeconds(30);

    private const long LeastFree = 8 << 20;
    private readonly Lock _gate = new();
    private string? _found;
    private long? _writingSince;
    private (string Text, long At)? _told;

    /// <summary>A sentence; null: they work.</summary>
    public string? Fault
    {
        get
        {
            lock (_gate)
            {
                return _writingSince is { } since && clock.GetElapsedTime(since) >= Hangs ? $"Its disk has not finished a write for {Hangs.TotalSeconds:0} s."
                    : _found ?? (_told is { } told && clock.GetElapsedTime(told.At) < Remembered ? told.Text : null);
            }
        }
    }

    /// <summary>A guest's image here failed.</summary>
    public void Told(string text)
    {
        lock (_gate) { _told = ($"A disk on it failed. {text}.", clock.GetTimestamp()); }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every, clock);
        do
        {
            var before = Fault;
            lock (_gate) { _writingSince = clock.GetTimestamp(); }
            var found = await Task.Run(Look, CancellationToken.None);
            lock (_gate) { (_found, _writingSince) = (found, null); }
            if (found is not null && before != found) log.DiskFails(found);
            else if (before is not null && Fault is null) log.DiskWorks();
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private string? Look()
    {
        foreach (var place in new[] { folder.Root, folder.Instances })
        {
            var file = Path.Combine(place, "probe");
            try
            {
                Directory.CreateDirectory(place);
                if (new DriveInfo(place).AvailableFreeSpace is < LeastFree and var free) return $"Its disk is full: {free >> 20} MiB are left.";
                DurableFile.Write(file, new byte[4096]);
                File.Delete(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return $"Its disk takes no writes: {e.Message}"; }
        }
        return null;
    }
}
