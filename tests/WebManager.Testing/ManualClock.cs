// Time that moves only when told to. Timers fire in order of due time, equal times in the order in which they were set.
namespace WebManager.Testing;

/// <summary>A TimeProvider for tests: nothing passes by itself. Safe to use from several threads; timers fire on the advancing one.</summary>
public sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    public static readonly DateTimeOffset DefaultStart = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();

    /// <summary>By due time and order; an entry whose order is no longer its timer's was changed or disposed and is passed over.</summary>
    private readonly PriorityQueue<IDue, (long At, long Order)> _due = new();
    private DateTimeOffset _now = start;
    private long _order;
    private int _waiting;

    public ManualClock() : this(DefaultStart) { }

    public override DateTimeOffset GetUtcNow() { lock (_gate) { return _now; } }
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override long GetTimestamp() => GetUtcNow().Ticks;
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Timers that are set.</summary>
    public int Waiting { get { lock (_gate) { return _waiting; } } }

    /// <summary>When the next timer is due; null when none is set.</summary>
    public DateTimeOffset? NextDue { get { lock (_gate) { return Next(out var at) ? new DateTimeOffset(at, TimeSpan.Zero) : null; } } }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Due(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>As Task.Delay on this clock, at less cost.</summary>
    public Task DelayAsync(TimeSpan time)
    {
        if (time <= TimeSpan.Zero) return Task.CompletedTask;
        var sleep = new Sleep();
        lock (_gate)
        {
            sleep.Order = ++_order;
            _waiting++;
            _due.Enqueue(sleep, ((_now + time).Ticks, sleep.Order));
        }

        return sleep.Task;
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
        IDue next;
        lock (_gate)
        {
            if (!Next(out var at) || at > until.UtcTicks) return false;
            next = _due.Dequeue();
            _waiting--;
            if (at > _now.UtcTicks) _now = new DateTimeOffset(at, TimeSpan.Zero);
            next.Rearm(at);
        }

        next.Fire();
        return true;
    }

    private bool Next(out long at)
    {
        while (_due.TryPeek(out var due, out var when))
        {
            at = when.At;
            if (due.Order == when.Order) return true;
            _due.Dequeue();
        }

        at = 0;
        return false;
    }

    private interface IDue
    {
        /// <summary>Of the entry that counts; 0: none does.</summary>
        long Order { get; }
        void Rearm(long at);
        void Fire();
    }

    private sealed class Sleep : TaskCompletionSource, IDue
    {
        public long Order { get; set; }
        public void Rearm(long at) => Order = 0;
        public void Fire() => SetResult();
    }

    private sealed class Due(ManualClock clock, TimerCallback callback, object? state) : ITimer, IDue
    {
        private TimeSpan _period;
        public long Order { get; private set; }
        public void Fire() => callback(state);

        public void Rearm(long at)
        {
            Order = 0;
            if (_period > TimeSpan.Zero) Set(at + _period.Ticks);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                Unset();
                _period = period;
                if (dueTime != Timeout.InfiniteTimeSpan) Set((clock._now + dueTime).UtcTicks);
            }

            return true;
        }

        private void Set(long at)
        {
            Order = ++clock._order;
            clock._waiting++;
            clock._due.Enqueue(this, (at, Order));
        }

        private void Unset()
        {
            if (Order == 0) return;
            Order = 0;
            clock._waiting--;
        }

        public void Dispose() { lock (clock._gate) { Unset(); } }
        public ValueTask DisposeAsync() { Dispose(); return default; }
    }
}
