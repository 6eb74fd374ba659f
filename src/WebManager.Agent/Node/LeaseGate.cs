using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Contracts;

namespace WebManager.Agent.Node;

/// <summary>What a guest's CPU waits for before it may run under a record, at a start and after a migration.</summary>
public sealed class LeaseGate(Generations generations, NodeRules rules, IKeeper keeper, PeerLoop peers, TimeProvider clock)
{
    private static readonly TimeSpan LeaseWait = TimeSpan.FromSeconds(3);

    /// <summary>Everything that can refuse first, then the record, then the lease, then the mark that this generation is used up.</summary>
    public async Task<Refusal?> PassAsync(InstanceUnit unit, long epoch, GenerationRecord record,
        Func<StoredGenerations, GenerationRecord, NodeFacts, Outcome<Decision>> rule, CancellationToken ct)
    {
        var decision = rule(unit.Stored, record, unit.Facts(lease: true));
        if (!decision.Ok) return decision.Refusal;
        decision = await generations.ApplyAsync(unit, epoch, stored => rules.Store(stored, record, unit.Facts()), ct);
        if (!decision.Ok) return decision.Refusal;
        var lease = await AwaitAsync(unit, record, ct);
        decision = generations.Decide(unit, epoch, stored => rule(stored, record, unit.Facts(lease.Ok)));
        if (!decision.Ok) return decision.Refusal.Code == "lease.missing" ? lease.Refusal : decision.Refusal;
        var acted = await generations.ActAsync(unit, decision.Value.Acts & NodeActs.KillIncoming, ct);
        return acted.Refusal;
    }

    private async Task<Outcome<Done>> AwaitAsync(InstanceUnit unit, GenerationRecord record, CancellationToken ct)
    {
        var until = clock.Monotonic() + LeaseWait;
        unit.Awaited = record;
        try
        {
            while (true)
            {
                var lease = await keeper.LeaseAsync(record, ct);
                if (lease.Ok || clock.Monotonic() > until) return lease;
                // Not with the next half second: somebody's guest stands still.
                peers.Ask(unit, ct);
                await Task.Delay(TimeSpan.FromMilliseconds(5), clock, ct);
            }
        }
        finally
        {
            unit.Awaited = null;
        }
    }
}
