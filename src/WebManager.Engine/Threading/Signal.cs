// Waiting that always comes back to where it was awaited: no WhenAny, SemaphoreSlim or CancelAsync, which take a turn through the thread pool.
namespace WebManager.Engine.Threading;

/// <summary>Set once, seen by all who wait; a wait also ends by its limit or its token. Reset makes it new.</summary>
public sealed class Signal
{
    private readonly Lock _gate = new();
    private readonly HashSet<TaskCompletionSource<bool>> _waiting = [];
    private bool _set;

    public void Set() => SetAll(stays: true);

    /// <summary>Wakes those who wait now and nobody after them.</summary>
    public void Pulse() => SetAll(stays: false);

    private void SetAll(bool stays)
    {
        TaskCompletionSource<bool>[] all;
        lock (_gate)
        {
            _set |= stays;
            all = [.. _waiting];
            _waiting.Clear();
        }
        foreach (var waiter in all) { waiter.TrySetResult(true); }
    }

    public void Reset() { lock (_gate) { _set = false; } }

    /// <summary>True: set. False: the limit passed first. The token throws.</summary>
    public Task<bool> WaitAsync(TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var mine = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_set) { return Task.FromResult(true); }
            _waiting.Add(mine);
        }
        return EndAsync(mine, limit, clock, ct);
    }

    private async Task<bool> EndAsync(TaskCompletionSource<bool> mine, TimeSpan limit, TimeProvider clock, CancellationToken ct)
    {
        using var timer = clock.CreateTimer(_ => mine.TrySetResult(false), null, limit, Timeout.InfiniteTimeSpan);
        using var stop = ct.Register(() => mine.TrySetCanceled(ct));
        try { return await mine.Task; }
        finally { lock (_gate) { _waiting.Remove(mine); } }
    }
}

/// <summary>A number of places, first come first served.</summary>
public sealed class AsyncGate(int places)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = [];
    private int _free = places;

    public Task EnterAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_free > 0)
            {
                _free--;
                return Task.CompletedTask;
            }
            _waiting.AddLast(mine);
        }
        return TurnAsync(mine, ct);
    }

    public void Leave()
    {
        while (true)
        {
            TaskCompletionSource? next;
            lock (_gate)
            {
                next = _waiting.First?.Value;
                if (next is null) { _free++; return; }
                _waiting.RemoveFirst();
            }
            if (next.TrySetResult()) { return; }   // a cancelled one passes it on
        }
    }

    private async Task TurnAsync(TaskCompletionSource mine, CancellationToken ct)
    {
        using var stop = ct.Register(() => mine.TrySetCanceled(ct));
        try { await mine.Task; }
        catch (OperationCanceledException)
        {
            lock (_gate) { _waiting.Remove(mine); }
            throw;
        }
    }
}
