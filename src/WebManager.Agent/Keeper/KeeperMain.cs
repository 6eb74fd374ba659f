using WebManager.Agent.Rules;

namespace WebManager.Agent.Keeper;

/// <summary>
/// `WebManager.Agent keeper --dir D`: parent and watchdog of the node's guests. It outlives the agent and does nothing but start, kill,
/// reap and hold leases, so that nothing makes it late. Prints to keeper.log, where the agent sent its output.
/// </summary>
internal static class KeeperMain
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    public static async Task<int> RunAsync(string nodeFolder, TimeSpan isolation)
    {
        using var folder = new KeeperFolder(nodeFolder);
        if (!folder.TryOwn()) return 0;       // another keeper serves this folder already
        // Not paged out under pressure (H20); on fault, since the runtime reserves far more than it uses. Needs a privilege: best effort.
        var locked = Native.mlockall(Native.LockCurrent | Native.LockFuture | Native.LockOnFault) == 0;
        var clock = BootClock.Instance;
        var timer = new StallTimer();
        var table = new GuestTable(folder, clock, new LeaseRules(isolation), timer.Arm);
        using var reaper = new Reaper(table);
        var recovered = await Leftovers.EndAsync(folder, table, clock);
        using var wake = new AutoResetEvent(false);
        reaper.Start();
        new Thread(() => Watch(table, wake, clock), 256 * 1024) { Name = "watch", IsBackground = true, Priority = ThreadPriority.Highest }.Start();
        Console.WriteLine($"{clock.GetUtcNow():O} keeper {Environment.ProcessId}: isolation {isolation.TotalSeconds} s, kernel timer {Word(timer.Works)}, locked memory {Word(locked)}, left over and ended: {recovered}");
        await new KeeperServer(table, new SpawnThread(), reaper, () => wake.Set()).ListenAsync(folder.Socket, CancellationToken.None);
        return 0;
    }

    private static void Watch(GuestTable table, AutoResetEvent wake, TimeProvider clock)
    {
        while (true)
        {
            var next = table.Tick();
            var sleep = next - clock.Monotonic() is { } left && left < LongestSleep ? left : LongestSleep;
            if (sleep > TimeSpan.Zero) wake.WaitOne(sleep);
        }
    }

    private static string Word(bool works) => works ? "on" : "unavailable";
}
