using System.Collections.Concurrent;

namespace WebManager.Agent.Keeper;

/// <summary>
/// The one thread that starts guests. It lives as long as the keeper: the kernel sends a guest its PDEATHSIG when the thread that
/// forked it ends, not when the process does.
/// </summary>
internal sealed class SpawnThread
{
    private readonly BlockingCollection<Action> _work = [];

    public SpawnThread() => new Thread(Run, 256 * 1024) { Name = "spawn" }.Start();

    public Task<T> InvokeAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try { done.SetResult(work()); }
            catch (Exception ex) { done.SetException(ex); }
        });
        return done.Task;
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable()) work();
    }
}
