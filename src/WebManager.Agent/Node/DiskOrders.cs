using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Making an instance's images, and removing all there is of it.</summary>
public sealed class DiskOrders(InstanceTable table, Generations generations, IDisks disks, IReplicas replicas, IKeeper keeper, INodeNetwork network)
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
        if (table.Find(order.Instance) is not { } unit) return Done.Value;
        return await InLane.RunAsync<Done>(unit, async u =>
        {
            if (u.Pid is not null && await generations.KillAsync(u, ct) is { Ok: false } alive) return alive;
            if (await generations.ActAsync(u, NodeActs.KillIncoming, ct) is { Ok: false } waits) return waits;
            if (await replicas.CloseAsync(u.Id, ct) is { Ok: false } open) return open;
            await network.UnplugAsync(u.Id, ct);
            table.Remove(u.Id);       // first, so that nothing writes into the folder that goes
            disks.Remove(u.Id);
            await keeper.ForgetAsync(u.ProcessId, ct);
            await keeper.ForgetAsync($"export:{u.Id}", ct);
            return Done.Value;
        }, ct);
    }
}
