namespace WebManager.Agent.Keeper;

/// <summary>
/// Real time whose timestamps come from CLOCK_BOOTTIME: they go on while the machine is suspended, so that a lease cannot be slept through (R3).
/// </summary>
internal sealed class BootClock : TimeProvider
{
    public static readonly BootClock Instance = new();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override unsafe long GetTimestamp()
    {
        Native.TimeSpec time;
        _ = Native.clock_gettime(Native.ClockBootTime, &time);
        return time.ToTimeSpan().Ticks;
    }
}

internal static class MonotonicTime
{
    /// <summary>Time since an unknown but fixed moment; the argument that the rules take for now.</summary>
    public static TimeSpan Monotonic(this TimeProvider clock) => clock.GetElapsedTime(0);
}
