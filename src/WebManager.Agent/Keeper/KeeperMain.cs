using System.Runtime.InteropServices;
using WebManager.Agent.Rules;
using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>
/// `WebManager.Agent keeper --dir D`: parent and watchdog of the node's guests. It outlives the agent and does nothing but start, kill,
/// reap and hold leases, so that nothing makes it late. Prints to keeper.log, where the agent sent its output.
/// </summary>
internal static class KeeperMain
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    public static async Task<int> RunAsync(string nodeFolder, TimeSpan isolation, string? watchdogDevice)
    {
        using var folder = new KeeperFolder(nodeFolder);
        if (!folder.TryOwn()) return 0;       // another keeper serves this folder already
        var watchdog = watchdogDevice is null ? default(Outcome<Watchdog>?) : Watchdog.Open(watchdogDevice);
        if (watchdog is { Ok: false, Refusal: var refused })
        {
            await Console.Error.WriteLineAsync($"{refused.Message} {refused.Remedy}");
            return 1;
        }

        // Not paged out under pressure (H20); on fault, since the runtime reserves far more than it uses. Needs a privilege: best effort.
        var locked = Native.mlockall(Native.LockCurrent | Native.LockFuture | Native.LockOnFault) == 0;
        var clock = BootClock.Instance;
        var timer = new StallTimer();
        var table = new GuestTable(folder, clock, new LeaseRules(isolation), timer.Arm);
        using var reaper = new Reaper(table);
        var recovered = await Leftovers.EndAsync(folder, table, clock);
        using var wake = new AutoResetEvent(false);
        reaper.Start();
        using var ending = watchdog?.Value is { } dog ? EndOrderly(table, dog) : null;
        new Thread(() => Watch(table, watchdog?.Value, wake, clock), 256 * 1024) { Name = "watch", IsBackground = true, Priority = ThreadPriority.Highest }.Start();
        Console.WriteLine($"{clock.GetUtcNow():O} keeper {Environment.ProcessId}: isolation {isolation.TotalSeconds} s, kernel timer {Word(timer.Works)}, locked memory {Word(locked)}, watchdog {watchdogDevice ?? "none"}, left over and ended: {recovered}");
        await new KeeperServer(table, new SpawnThread(), reaper, () => wake.Set()).ListenAsync(folder.Socket, CancellationToken.None);
        return 0;
    }

    /// <summary>Asked to end (SIGTERM): everything dies here, which is what lets the watchdog be told to stop. Else the machine is reset, as after a crash.</summary>
    private static IDisposable EndOrderly(GuestTable table, Watchdog watchdog) => PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
    {
        signal.Cancel = true;
        _ = Task.Run(async () =>
        {
            if (await table.EndAllAsync(GuestTable.LongestDeath)) watchdog.Stop();
            Environment.Exit(0);
        });
    });

    private static void Watch(GuestTable table, Watchdog? watchdog, AutoResetEvent wake, TimeProvider clock)
    {
        while (true)
        {
            var next = table.Tick();
            watchdog?.Feed(clock.Monotonic(), well: !table.Stuck);
            var sleep = next - clock.Monotonic() is { } left && left < LongestSleep ? left : LongestSleep;
            if (sleep > TimeSpan.Zero) wake.WaitOne(sleep);
        }
    }

    private static string Word(bool works) => works ? "on" : "unavailable";
}
