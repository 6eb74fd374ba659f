using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Losing the other copy, and getting it back.</summary>
public sealed class CopyOrders(InstanceTable table, Generations generations, NodeRules rules, IKeeper keeper, TimeProvider clock, ILogger<CopyOrders> log)
{
    private static readonly TimeSpan PromiseWait = TimeSpan.FromSeconds(2);

    public Task<Outcome<Done>> DegradeAsync(DegradeOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.Degrade(stored, order.Record, unit.Facts()), ct);
        if (!decision.Ok) return decision.Refusal;
        if (!decision.Value.Acts.HasFlag(NodeActs.Degrade)) return Done.Value;
        if (unit.Guest is not { } guest) return NoMonitor();
        var done = await guest.DegradeAsync(order.Record, ct);
        table.Publish(unit);
        return done;
    }, ct);

    public Task<Outcome<Done>> ResyncAsync(ResyncOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.BeginCopy(stored, order.Record, unit.Facts()), ct);
        if (!decision.Ok) return decision.Refusal;
        if (!decision.Value.Acts.HasFlag(NodeActs.BeginCopy)) return Done.Value;
        if (unit.Pid is null) return new Refusal("guest.absent", "The guest does not run here; its disks are copied while it runs.", "Start it, then copy.");
        if (unit.Guest is not { } guest) return NoMonitor();
        if (guest.Mirror == MirrorPhase.Copying) return Done.Value;
        var begun = await guest.ResyncAsync(order.Record, order.Replica, t => PromiseAsync(unit, order.Record, t), ct);
        table.Publish(unit);
        return begun;
    }, ct);

    public Task<Outcome<Done>> CancelAsync(CancelResyncOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Instance), async unit =>
    {
        var decision = rules.CancelCopy(unit.Stored);
        if (!decision.Ok) return decision.Refusal;
        var done = unit.Guest is { } guest ? await guest.CancelResyncAsync(ct) : Done.Value;
        table.Publish(unit);
        return done;
    }, ct);

    public Task<Outcome<Done>> AddAsync(AddCopyOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = rules.AddCopy(unit.Stored, order.Record, order.Candidate, unit.Facts());
        if (!decision.Ok) return decision.Refusal;
        if (!decision.Value.Acts.HasFlag(NodeActs.AddCopy)) return Done.Value;
        if (unit.Guest is not { } guest) return NoMonitor();
        var begun = await guest.AddCopyAsync(order.Candidate, order.Replica, ct);
        table.Publish(unit);
        return begun;
    }, ct);

    public Task<Outcome<Done>> DropAsync(DropCopyOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Candidate.Instance), async unit =>
    {
        if (rules.DropCopy(unit.Stored, order.Candidate) is { } refusal) return refusal;
        if (unit.Guest is not { } guest) return unit.Pid is null ? Done.Value : NoMonitor();
        var done = await guest.DropCopyAsync(order.Candidate, ct);
        table.Publish(unit);
        return done;
    }, ct);

    /// <summary>
    /// R2. The keeper first: from here the guest needs a lease, and only then may anyone be told of the promise. The guest is paused meanwhile,
    /// so this waits for a lease only shortly; an exception makes the hypervisor go on alone.
    /// </summary>
    public async Task PromiseAsync(InstanceUnit unit, GenerationRecord record, CancellationToken ct)
    {
        var decision = rules.Promise(unit.Stored, record);
        if (!decision.Ok) throw new InvalidOperationException(decision.Refusal.Message);
        var until = clock.Monotonic() + PromiseWait;
        while (true)
        {
            var promised = await keeper.PromiseAsync(record, ct);
            if (promised.Ok) break;
            if (clock.Monotonic() > until) throw new InvalidOperationException(promised.Refusal.Message);
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, ct);
        }

        // Asked again: a newer record may have been stored while this waited. Outside the lane, which the copy's own order may hold.
        decision = generations.Decide(unit, null, stored => rules.Promise(stored, record));
        if (!decision.Ok) throw new InvalidOperationException(decision.Refusal.Message);
        log.PromiseMade(unit.Id, record.Number);
    }

    private static Refusal NoMonitor() => new("guest.silent", "The guest's monitor does not answer yet.", "Try again.");
}
