// Exclusive locks by name, first come first served. Taken in one fixed order, so no two jobs wait for each other.
namespace WebManager.Engine.Operations;

/// <summary>Names are "level:name"; levels sort as cluster, node group, node, instance by their prefix 0: 1: 2: 3:.</summary>
public sealed class LockTable
{
    private readonly Dictionary<string, LinkedList<TaskCompletionSource>> _queues = new(StringComparer.Ordinal);

    /// <summary>Waits for all of them in order; dispose to let go.</summary>
    public async Task<IDisposable> TakeAsync(IEnumerable<string> names, CancellationToken ct)
    {
        var held = new List<string>();
        try
        {
            foreach (var name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                await TakeOneAsync(name, ct);
                held.Add(name);
            }
            return new Held(this, held);
        }
        catch
        {
            Release(held);
            throw;
        }
    }

    /// <summary>Who holds or waits, for the lock listing: name and number of holders and waiters.</summary>
    public IReadOnlyDictionary<string, int> Listing() { lock (_queues) { return _queues.ToDictionary(q => q.Key, q => q.Value.Count); } }

    private async Task TakeOneAsync(string name, CancellationToken ct)
    {
        TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_queues)
        {
            if (!_queues.TryGetValue(name, out var queue)) { _queues[name] = queue = []; }
            queue.AddLast(mine);
            if (queue.Count == 1) { mine.TrySetResult(); }
        }
        using var stop = ct.Register(() => mine.TrySetCanceled(ct));
        try { await mine.Task; }
        catch (OperationCanceledException) { Leave(name, mine); throw; }
    }

    private void Release(IEnumerable<string> names)
    {
        foreach (var name in names.Reverse())
        {
            lock (_queues) { Drop(name, _queues[name].First!); }
        }
    }

    private void Leave(string name, TaskCompletionSource mine)
    {
        lock (_queues) { if (_queues.TryGetValue(name, out var queue) && queue.Find(mine) is { } node) { Drop(name, node); } }
    }

    /// <summary>Takes one out and wakes the next that still waits; a cancelled one that was given the lock passes it on when it leaves.</summary>
    private void Drop(string name, LinkedListNode<TaskCompletionSource> node)
    {
        var queue = _queues[name];
        var wasFirst = queue.First == node;
        queue.Remove(node);
        if (queue.Count == 0) { _queues.Remove(name); }
        else if (wasFirst) { queue.First!.Value.TrySetResult(); }
    }

    private sealed class Held(LockTable table, List<string> names) : IDisposable
    {
        private List<string>? _names = names;
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _names, null) is { } held) { table.Release(held); }
        }
    }
}
