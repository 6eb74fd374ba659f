using WebManager.Testing;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class ClockAndSchedulerTests
{
    [Fact]
    public void Timers_fire_by_time_and_equal_times_in_the_order_set()
    {
        var clock = new ManualClock();
        var fired = new List<string>();
        foreach (var (name, at) in new[] { ("b1", 20), ("a", 10), ("b2", 20), ("c", 30) })
        {
            clock.CreateTimer(_ => fired.Add(name), null, TimeSpan.FromMilliseconds(at), Timeout.InfiniteTimeSpan);
        }

        clock.Advance(TimeSpan.FromMilliseconds(25));
        Assert.Equal(["a", "b1", "b2"], fired);
        Assert.Equal(1, clock.Waiting);
    }

    [Fact]
    public void Periodic_timer_fires_each_period_until_disposed()
    {
        var clock = new ManualClock();
        var n = 0;
        var timer = clock.CreateTimer(_ => n++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(3.5));
        timer.Dispose();
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(3, n);
    }

    [Fact]
    public void Delay_ends_at_its_time_and_not_before()
    {
        var clock = new ManualClock();
        var delay = Task.Delay(TimeSpan.FromMilliseconds(100), clock, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(delay.IsCompleted);
    }

    [Fact]
    public void Escape_to_the_thread_pool_is_found()
    {
        var scheduler = new DeterministicScheduler(new ManualClock());
        var found = Assert.Throws<InvalidOperationException>(() => scheduler.Run(async () => await Task.Run(() => Thread.Sleep(20)), TimeSpan.FromMinutes(1)));
        Assert.True(found.Message.Contains("thread pool", StringComparison.Ordinal), found.Message);
    }

    [Fact]
    public void Waiting_for_what_never_comes_is_found()
    {
        var scheduler = new DeterministicScheduler(new ManualClock());
        var found = Assert.Throws<InvalidOperationException>(() => scheduler.Run(() => new TaskCompletionSource().Task, TimeSpan.FromMinutes(1)));
        Assert.Contains("Nothing progresses", found.Message, StringComparison.Ordinal);
    }
}
