using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Making an instance's images, and removing all there is of it.</summary>
public sealed class DiskOrders(InstanceTable table, Generations generations, NodeRules rules, IDisks disks, IReplicas replicas, IKeeper keeper, INodeNetwork network)
{
    public Task<Outcome<Done>> CreateAsync(CreateDisksOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Guest.Instance), async unit =>
    {
        var made = await generations.CreateDisksAsync(unit, disks, order.Guest, ct);
        unit.Disks = disks.Count(unit.Id);
        table.Publish(unit);
        return made;
    }, ct);

    public async Task<Outcome<Done>> RemoveAsync(RemoveInstanceOrder order, CancellationToken ct)
    {
        if (order.Record is { } record) return await CleanAsync(order, record, ct);
        if (table.Find(order.Instance) is not { } unit) return Done.Value;
        return await InLane.RunAsync<Done>(unit, async u =>
        {
            if (await EndAsync(u, ct) is { } alive) return alive;
            table.Remove(u.Id);       // first, so that nothing writes into the folder that goes
            disks.Remove(u.Id);
            await ForgetAsync(u, ct);
            return Done.Value;
        }, ct);
    }

    /// <summary>Everything but the record: the instance lives on elsewhere, and orders of its time here may still be under way.</summary>
    private Task<Outcome<Done>> CleanAsync(RemoveInstanceOrder order, GenerationRecord record, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Instance), async unit =>
    {
        if (record.Instance != unit.Id) return new Refusal("order.mixed", "Record and instance are different ones.") { Field = "record" };
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.Clean(stored, record, unit.Facts()), ct);
        if (!decision.Ok) return decision.Refusal;
        if (await EndAsync(unit, ct) is { } alive) return alive;
        disks.Remove(unit.Id, InstanceFiles.GenerationFile);
        await ForgetAsync(unit, ct);
        (unit.Start, unit.LastEnd, unit.OpenExport, unit.Disks) = (null, null, replicas.OpenGeneration(unit.Id), disks.Count(unit.Id));
        table.Publish(unit);
        return Done.Value;
    }, ct);

    private async Task<Refusal?> EndAsync(InstanceUnit unit, CancellationToken ct)
    {
        if (unit.Pid is not null && await generations.KillAsync(unit, ct) is { Ok: false } alive) return alive.Refusal;
        if (await generations.ActAsync(unit, NodeActs.KillIncoming, ct) is { Ok: false } waits) return waits.Refusal;
        if (await replicas.CloseAsync(unit.Id, ct) is { Ok: false } open) return open.Refusal;
        await network.UnplugAsync(unit.Id, ct);
        return null;
    }

    private async Task ForgetAsync(InstanceUnit unit, CancellationToken ct)
    {
        await keeper.ForgetAsync(unit.ProcessId, ct);
        await keeper.ForgetAsync($"export:{unit.Id}", ct);
    }
}
