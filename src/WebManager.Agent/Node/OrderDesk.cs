using System.Collections.Concurrent;
using System.Text.Json;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>
/// Where every order comes in: epoch, journal, then the handler. Carried out to its end whether or not the caller stays; a repeated
/// operation id waits for, or gets, the first result.
/// </summary>
public sealed class OrderDesk(Journal journal, EpochFile epochs, TimeProvider clock, ILogger<OrderDesk> log)
{
    private readonly RemovedInstances _removed = new();
    private readonly ConcurrentDictionary<Guid, Lazy<Task<JournalResult>>> _running = new();
    private volatile bool _closed;

    public async Task<JournalResult> TakeAsync<TOrder, TReply>(TOrder order, Guid? instance, Func<TOrder, Task<Outcome<TReply>>> handler, CancellationToken ct)
        where TOrder : IAgentCall<TReply>, IOrder
    {
        if (order.Operation == Guid.Empty) return Refused(new Refusal("order.no-id", "The order has no operation id.") { Field = "operation" });
        if (epochs.Check(order.Epoch) is { } stale) return Refused(stale);
        if (_closed && order is not RestartAgentOrder) return Refused(new Refusal("agent.leaving", "The agent is being restarted.", "Try again in a few seconds."));
        var mine = new Lazy<Task<JournalResult>>(() => Task.Run(() => RunAsync(order, instance, handler), CancellationToken.None));
        var running = _running.GetOrAdd(order.Operation, mine);
        return await running.Value.WaitAsync(ct);
    }

    /// <summary>No order is taken from here on, and those that run come to their end; false, and all is as before, when they do not within the limit.</summary>
    public async Task<bool> CloseAsync(Guid but, TimeSpan limit)
    {
        var began = clock.GetTimestamp();
        _closed = true;
        while (_running.Keys.Any(o => o != but))
        {
            if (clock.GetElapsedTime(began) > limit)
            {
                _closed = false;
                return false;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), clock);
        }

        return true;
    }

    public void Reopen() => _closed = false;

    private async Task<JournalResult> RunAsync<TOrder, TReply>(TOrder order, Guid? instance, Func<TOrder, Task<Outcome<TReply>>> handler)
        where TOrder : IAgentCall<TReply>, IOrder
    {
        try
        {
            if (journal.Find(order.Operation, order.Path) is { } known)
            {
                log.OrderRepeated(order.Path, order.Operation);
                return known.Ok ? known.Value : Refused(known.Refusal);
            }

            await NoteAsync(order, journal.BeginAsync(order.Operation, order.Path));
            var began = clock.GetTimestamp();
            var outcome = instance is { } id && _removed.Check(id, order) is { } removed ? removed : await handler(order);
            if (order is RemoveInstanceOrder { Record: null } remove && outcome.Ok) _removed.Note(remove.Instance, order.Epoch);
            var result = outcome.Ok ? new JournalResult(200, JsonSerializer.SerializeToElement(outcome.Value, WireJson.Options)) : Refused(outcome.Refusal);
            await NoteAsync(order, journal.EndAsync(order.Operation, order.Path, result));
            if (outcome.Ok) log.OrderDone(order.Path, order.Operation, instance, (long)clock.GetElapsedTime(began).TotalMilliseconds);
            else log.OrderRefused(order.Path, order.Operation, instance, outcome.Refusal.Code, outcome.Refusal.Message);
            return result;
        }
        finally
        {
            _running.TryRemove(order.Operation, out _);
        }
    }

    /// <summary>
    /// A node whose disk takes nothing can still let go of a guest, so that it can be started where the disk works: a stop that is carried out
    /// twice is none the worse. Everything else waits until it can be written down.
    /// </summary>
    private async Task NoteAsync(IOrder order, Task written)
    {
        try { await written; }
        catch (IOException ex) when (order is StopGuestOrder) { log.NotJournalled(order.Operation, ex.Message); }
    }

    private static JournalResult Refused(Refusal refusal) => new(409, JsonSerializer.SerializeToElement(refusal, WireJson.Options));
}
