using System.Collections.Concurrent;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

/// <summary>
/// What was removed here, so that an order that was on its way meanwhile leaves nothing behind (a request that met a cut arrives up to half a minute
/// later). In memory: a late request comes by a connection to this very process, and ends with it. An engine that was started since may make the
/// instance again: it carries on a creation whose undoing was cut short.
/// </summary>
public sealed class RemovedInstances
{
    private const int Kept = 4096;
    private readonly ConcurrentDictionary<Guid, long> _epochs = new();
    private readonly ConcurrentQueue<Guid> _order = new();

    public void Note(Guid instance, long epoch)
    {
        if (_epochs.TryAdd(instance, epoch)) _order.Enqueue(instance);
        else _epochs[instance] = epoch;
        while (_order.Count > Kept && _order.TryDequeue(out var oldest)) _epochs.TryRemove(oldest, out _);
    }

    /// <summary>Null: it may be carried out. What ends things always may. (A cleaned node is none of these: it keeps its record.)</summary>
    public Refusal? Check(Guid instance, IOrder order) => order is not (RemoveInstanceOrder or StopGuestOrder or CancelMigrationOrder) && _epochs.TryGetValue(instance, out var removed) && order.Epoch <= removed
        ? new Refusal("instance.removed", "The instance was removed from this node; the order is older than that.")
        : null;
}
