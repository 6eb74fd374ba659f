// One machine's view of the world's time: it may run a little fast or slow, its wall clock may jump, and it ends with its process.
namespace WebManager.Testing.Simulator;

/// <summary>Timestamps (monotonic) run at Rate; UTC also jumps by WallOffset. After Kill no timer fires any more.</summary>
public sealed class SimClock(DeterministicScheduler scheduler, double rate = 1) : TimeProvider
{
    private readonly ManualClock _world = scheduler.Clock;
    private readonly DateTimeOffset _zero = ManualClock.DefaultStart;
    private bool _dead;

    public double Rate { get; } = rate;
    public TimeSpan WallOffset { get; set; }
    public TimeSpan Elapsed => (_world.GetUtcNow() - _zero) * Rate;

    public void Kill() => _dead = true;

    public override DateTimeOffset GetUtcNow() => _zero + Elapsed + WallOffset;
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => Elapsed.Ticks;
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>As Task.Delay on this clock, at less cost; for what ends with its node and not with this clock.</summary>
    public Task DelayAsync(TimeSpan time) => _world.DelayAsync(Real(time));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        scheduler.CheckThread();
        return new Timer(_world.CreateTimer(s => { if (!_dead) callback(s); }, state, Real(dueTime), Real(period)), this);
    }

    private TimeSpan Real(TimeSpan own) => own == Timeout.InfiniteTimeSpan || own <= TimeSpan.Zero ? own : own / Rate;

    private sealed class Timer(ITimer inner, SimClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(clock.Real(dueTime), clock.Real(period));
        public void Dispose() => inner.Dispose();
        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

/// <summary>A process's life; work of a dead one ends at its next wait.</summary>
public sealed class Life
{
    public bool Dead { get; private set; }

    /// <summary>Completes with the end of the life.</summary>
    public Task Ended => _ended.Task;

    private readonly TaskCompletionSource _ended = new();

    public void End()
    {
        if (Dead) return;
        Dead = true;
        _ended.TrySetResult();
    }

    public void Check()
    {
        if (Dead) throw new DiedException();
    }
}

/// <summary>The process that was doing this is gone; nobody hears of it.</summary>
public sealed class DiedException : Exception;
