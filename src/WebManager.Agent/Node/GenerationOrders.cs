using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Orders about records and the secondary's copy.</summary>
public sealed class GenerationOrders(InstanceTable table, Generations generations, NodeRules rules, IReplicas replicas, IDisks disks, TimeProvider clock)
{
    public Task<Outcome<Done>> StoreAsync(StoreGenerationOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.Store(stored, order.Record, unit.Facts()), ct);
        return decision.Ok ? Done.Value : decision.Refusal;
    }, ct);

    public Task<Outcome<OpenReplicaReply>> OpenAsync(OpenReplicaOrder order, CancellationToken ct) => InLane.RunAsync<OpenReplicaReply>(table.Get(order.Record.Instance), async unit =>
    {
        if (order.Guest.Instance != order.Record.Instance) return new Refusal("order.mixed", "Record and guest are of different instances.") { Field = "guest" };
        // The disks first: a failure there must not use the generation up.
        Outcome<Decision> Rule(StoredGenerations stored) => order.Candidate ? rules.OpenCandidate(stored, order.Record, unit.Facts()) : rules.OpenReplica(stored, order.Record, unit.Facts());
        var decision = Rule(unit.Stored);
        if (!decision.Ok) return decision.Refusal;
        if (!decision.Value.Acts.HasFlag(NodeActs.Already))
        {
            if (!order.Candidate && disks.Lacks(order.Guest) && order.Record is { Sync: SyncState.InSync, Number: > 1 })
                return new Refusal("replica.no-disks", "The copy's images are gone; empty ones are not equal to anything.", "Start it with one copy; the other is made afterwards.");
            if (await generations.CreateDisksAsync(unit, disks, order.Guest, ct) is { Ok: false } made) return made.Refusal;
        }
        decision = await generations.ApplyAsync(unit, order.Epoch, Rule, ct);
        if (!decision.Ok) return decision.Refusal;
        var replica = await replicas.OpenAsync(order.Guest, order.Record, order.Candidate, ct);
        unit.OpenExport = replicas.OpenGeneration(unit.Id);
        unit.Disks = disks.Count(unit.Id);
        table.Publish(unit);
        if (!replica.Ok) return replica.Refusal;
        return new OpenReplicaReply(replica.Value with { Holds = unit.Stored.Holds is { } holds ? DiskBitmaps.EqualUnder(holds) : null });
    }, ct);

    public Task<Outcome<StandDownReply>> StandDownAsync(StandDownOrder order, CancellationToken ct) => InLane.RunAsync<StandDownReply>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.StandDown(stored, order.Record, unit.Facts(), order.Operation), ct);
        if (!decision.Ok) return decision.Refusal;
        return rules.Heard(order.Record, clock.Monotonic());
    }, ct);

    public Task<Outcome<Done>> StandUpAsync(StandUpOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.StandUp(stored, order.Record, order.Of), ct);
        return decision.Ok ? Done.Value : decision.Refusal;
    }, ct);
}

/// <summary>One order at a time per instance.</summary>
internal static class InLane
{
    public static async Task<Outcome<T>> RunAsync<T>(InstanceUnit unit, Func<InstanceUnit, Task<Outcome<T>>> work, CancellationToken ct)
    {
        await unit.Lane.WaitAsync(ct);
        try { return await work(unit); }
        finally { unit.Lane.Release(); }
    }
}
