// Those who wait for jobs: for the end of one, or for whatever changes next.
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Operations;

internal sealed class JobWatches
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Watched> _watched = [];

    private sealed class Watched
    {
        public Signal Changed { get; } = new();
        public Job? Ended { get; set; }
        public int Watchers { get; set; }
    }

    /// <summary>Wakes those who wait for these jobs.</summary>
    public void Noticed(Changes changes)
    {
        lock (_gate)
        {
            if (_watched.Count == 0) { return; }
            foreach (var ended in changes.Jobs.Where(j => j.Ended)) { if (_watched.TryGetValue(ended.Id, out var w)) { w.Ended = ended; } }
            foreach (var id in changes.Jobs.Select(j => j.Id).Concat(changes.JobLog.Select(l => l.Job)).Distinct()) { _watched.GetValueOrDefault(id)?.Changed.Pulse(); }
        }
    }

    public async Task<Job?> EndedAsync(long id, Func<Job?> now, TimeProvider clock, CancellationToken ct)
    {
        var watched = Enter(id);
        try
        {
            while (true)
            {
                Task<bool> next;
                lock (_gate)
                {
                    if (watched.Ended is { } ended) { return ended; }
                    next = watched.Changed.WaitAsync(Timeout.InfiniteTimeSpan, clock, ct);
                }
                if (now() is not { Ended: false } job) { return now() ?? watched.Ended; }
                await next;
            }
        }
        finally { Leave(id, watched); }
    }

    /// <summary>True: something changed, or what was known did not hold any more. False: the limit passed.</summary>
    public async Task<bool> ChangedAsync(long id, Func<bool> known, TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        var watched = Enter(id);
        try
        {
            var began = clock.GetTimestamp();
            while (true)
            {
                var rest = limit - clock.GetElapsedTime(began);
                if (rest <= TimeSpan.Zero) { return !known(); }
                var next = watched.Changed.WaitAsync(rest, clock, ct);
                if (!known()) { return true; }
                await next;
            }
        }
        finally { Leave(id, watched); }
    }

    private Watched Enter(long id)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(id, out var watched)) { _watched[id] = watched = new Watched(); }
            watched.Watchers++;
            return watched;
        }
    }

    private void Leave(long id, Watched watched)
    {
        lock (_gate) { if (--watched.Watchers == 0) { _watched.Remove(id); } }
    }
}
