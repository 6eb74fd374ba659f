// Time that moves only when told to. Timers fire in order of due time, equal times in the order in which they were set.
namespace WebManager.Testing;

/// <summary>A TimeProvider for tests: nothing passes by itself. Safe to use from several threads; timers fire on the advancing one.</summary>
public sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    public static readonly DateTimeOffset DefaultStart = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly SortedSet<Due> _due = new(Comparer<Due>.Create((a, b) => a.At != b.At ? a.At.CompareTo(b.At) : a.Order.CompareTo(b.Order)));
    private DateTimeOffset _now = start;
    private long _order;

    public ManualClock() : this(DefaultStart) { }

    public override DateTimeOffset GetUtcNow() { lock (_gate) { return _now; } }
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => GetUtcNow().Ticks;
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that are set.</summary>
    public int Waiting { get { lock (_gate) { return _due.Count; } } }

    /// <summary>When the next timer is due; null when none is set.</summary>
    public DateTimeOffset? NextDue { get { lock (_gate) { return _due.Min?.At; } } }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Due(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Fires everything that falls due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        var target = GetUtcNow() + by;
        while (FireNext(target)) { }
        lock (_gate) { _now = target > _now ? target : _now; }
    }

    /// <summary>Moves to the next timer due until then and fires that one alone; false when there is none.</summary>
    public bool FireNext(DateTimeOffset until)
    {
        Due? next;
        lock (_gate)
        {
            next = _due.Min;
            if (next is null || next.At > until) return false;
            _now = next.At > _now ? next.At : _now;
            next.Rearm();
        }

        next.Fire();
        return true;
    }

    private sealed class Due(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        public DateTimeOffset At { get; private set; }
        public long Order { get; private set; }
        public void Fire() => callback(state);

        public void Rearm()
        {
            clock._due.Remove(this);
            if (_period > TimeSpan.Zero) Set(At + _period);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._due.Remove(this);
                _period = period;
                if (dueTime != Timeout.InfiniteTimeSpan) Set(clock._now + dueTime);
            }

            return true;
        }

        private void Set(DateTimeOffset at)
        {
            (At, Order) = (at, ++clock._order);
            clock._due.Add(this);
        }

        public void Dispose() { lock (clock._gate) { clock._due.Remove(this); } }
        public ValueTask DisposeAsync() { Dispose(); return default; }
    }
}
