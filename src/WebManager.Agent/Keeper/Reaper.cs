namespace WebManager.Agent.Keeper;

/// <summary>One thread that waits for any child. It looks first and reaps under the table's lock, so no pid is reused while someone may still signal it.</summary>
internal sealed unsafe class Reaper(GuestTable table) : IDisposable
{
    private readonly SemaphoreSlim _children = new(0);

    public void Start() => new Thread(Run, 256 * 1024) { Name = "reap", IsBackground = true }.Start();

    /// <summary>Called after each spawn.</summary>
    public void ChildStarted() => _children.Release();

    public void Dispose() => _children.Dispose();

    private void Run()
    {
        while (true)
        {
            _children.Wait();        // one permit per child: waitid without children would spin
            Native.ChildInfo info;
            while (Native.waitid(Native.WaitAll, 0, &info, Native.WaitExited | Native.WaitNoReap) != 0)
            {
                if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == 10) break;   // ECHILD
            }

            var (pid, exited) = (info.Pid, info.Code == 1);
            if (pid > 0) table.Reap(pid, exited ? info.Status : null, exited ? null : info.Status, () => Free(pid));
        }
    }

    private static void Free(int pid)
    {
        Native.ChildInfo info;
        _ = Native.waitid(Native.WaitPid, (uint)pid, &info, Native.WaitExited);
    }
}
