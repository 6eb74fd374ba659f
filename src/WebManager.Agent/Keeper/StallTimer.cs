namespace WebManager.Agent.Keeper;

/// <summary>
/// A kernel timer (CLOCK_BOOTTIME, SIGKILL) armed shortly behind the earliest deadline. A keeper that stalls, or is stopped and continued,
/// is killed by the kernel, and its guests with it (R3, H13). The slack is what an ordinary tick may be late.
/// </summary>
internal sealed unsafe class StallTimer
{
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(250);
    private readonly nint _timer;
    private TimeSpan? _armed;

    public StallTimer()
    {
        var signal = new Native.SignalEvent { Signal = Native.SigKill };
        nint timer;
        Works = Native.timer_create(Native.ClockBootTime, &signal, &timer) == 0;
        _timer = timer;
    }

    public bool Works { get; }

    /// <summary>Null disarms. The deadline is a BOOTTIME time.</summary>
    public void Arm(TimeSpan? deadline)
    {
        if (!Works || deadline == _armed) return;
        _armed = deadline;
        var spec = new Native.TimerSpec();
        if (deadline is { } at) spec.Value = Native.TimeSpec.From(at + Slack);
        _ = Native.timer_settime(_timer, 1, &spec, null);
    }
}
