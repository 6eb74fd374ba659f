namespace WebManager.Agent.Keeper;

/// <summary>Processes that Spawner started beside the runtime's own: somebody has to reap them.</summary>
internal static class Children
{
    private const int Exited = 1;   // CLD_EXITED

    /// <summary>Completes when the child was reaped: its exit code, or minus the signal that ended it.</summary>
    public static Task<int> EndAsync(int pid)
    {
        var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => ended.SetResult(Reap(pid)), 128 * 1024) { IsBackground = true, Name = "reap" }.Start();
        return ended.Task;
    }

    private static unsafe int Reap(int pid)
    {
        Native.ChildInfo info = default;
        _ = Native.waitid(Native.WaitPid, (uint)pid, &info, Native.WaitExited);
        return info.Code == Exited ? info.Status : -info.Status;
    }
}
