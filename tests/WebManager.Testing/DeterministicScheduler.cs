// Runs everything asynchronous on one thread in one order: first in, first out; time moves only when nothing is left to do.
using System.Runtime.ExceptionServices;

namespace WebManager.Testing;

/// <summary>
/// A synchronization context whose queue is pumped by the calling thread. Code that awaits without ConfigureAwait(false) and takes its time
/// from <see cref="Clock"/> runs the same way every time. A continuation that comes back from another thread fails the run.
/// </summary>
public sealed class DeterministicScheduler(ManualClock clock) : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = [];
    private readonly Lock _gate = new();
    private Thread? _pump;
    private Exception? _failure;

    public ManualClock Clock { get; } = clock;

    /// <summary>Callbacks and timers run so far.</summary>
    public long Steps { get; private set; }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_gate)
        {
            if (_pump is not null && Thread.CurrentThread != _pump) Escaped("A continuation came back from the thread pool");
            _queue.Enqueue((d, state));
        }
    }

    public override void Send(SendOrPostCallback d, object? state) => throw new InvalidOperationException("Blocking calls have no place in a deterministic run.");
    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Fails the run from anywhere.</summary>
    public void Fail(Exception failure) => Interlocked.CompareExchange(ref _failure, failure, null);

    /// <summary>For the simulated world: called where engine code enters it.</summary>
    public void CheckThread()
    {
        if (_pump is not null && Thread.CurrentThread != _pump) Escaped("Code of the deterministic run is on a foreign thread");
    }

    /// <summary>Runs until the work has completed.</summary>
    public void Run(Func<Task> work, TimeSpan limit)
    {
        var before = Current;
        SetSynchronizationContext(this);
        _pump = Thread.CurrentThread;
        try
        {
            var until = Clock.GetUtcNow() + limit;
            var task = work();
            while (!task.IsCompleted) Step(until);
            Drain();
            task.GetAwaiter().GetResult();
        }
        finally
        {
            _pump = null;
            SetSynchronizationContext(before);
        }
    }

    private void Step(DateTimeOffset until)
    {
        if (Drain()) return;
        if (Clock.FireNext(until)) Steps++;
        else if (Clock.NextDue is { } next) throw new TimeoutException($"Not done by {until:T}; the next timer is due at {next:T}.");
        else throw new InvalidOperationException("Nothing progresses: no callback is queued and no timer is set. Something waits for what never comes, or has escaped to the thread pool.");
    }

    private bool Drain()
    {
        var any = false;
        while (true)
        {
            (SendOrPostCallback Callback, object? State) next;
            if (_failure is { } failure) ExceptionDispatchInfo.Throw(failure);
            lock (_gate)
            {
                if (!_queue.TryDequeue(out next)) return any;
            }

            any = true;
            Steps++;
            next.Callback(next.State);
        }
    }

    private void Escaped(string what)
    {
        var failure = new InvalidOperationException($"{what}, so the run is not deterministic:\n{Environment.StackTrace}");
        Fail(failure);
    }
}
