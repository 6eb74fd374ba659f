using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Making an instance's images, the note beside them, and removing all there is of it.</summary>
public sealed class DiskOrders(InstanceTable table, InstanceFiles files, Generations generations, NodeRules rules, IDisks disks, IReplicas replicas, IKeeper keeper, INodeNetwork network)
{
    public Task<Outcome<Done>> CreateAsync(CreateDisksOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Guest.Instance), async unit =>
    {
        var made = await generations.CreateDisksAsync(unit, disks, order.Guest, ct);
        if (made.Ok && order.Kept is { } kept) Keep(unit, kept);
        unit.Disks = disks.Count(unit.Id);
        table.Publish(unit);
        return made;
    }, ct);

    /// <summary>A note that comes late, after the instance left this node, leaves nothing behind.</summary>
    public async Task<Outcome<Done>> NoteAsync(NoteInstanceOrder order, CancellationToken ct)
    {
        var absent = new Refusal("instance.absent", "Nothing of the instance is on this node.");
        if (table.Find(order.Kept.Note.Guest.Instance) is not { } found) return absent;
        return await InLane.RunAsync<Done>(found, unit =>
        {
            if (table.Find(unit.Id) != unit || disks.Lacks(order.Kept.Note.Guest)) return Task.FromResult<Outcome<Done>>(absent);
            Keep(unit, order.Kept);
            table.Publish(unit);
            return Task.FromResult<Outcome<Done>>(Done.Value);
        }, ct);
    }

    private void Keep(InstanceUnit unit, KeptNote kept)
    {
        if (unit.Kept?.Digest == kept.Digest) return;
        files.Write(unit.Id, kept);
        unit.Kept = kept;
    }

    /// <summary>An instance from before there were notes is known by what it was last started with.</summary>
    public NotesReply Notes(NotesRequest asked) => new([.. asked.Instances.Select(table.Find).OfType<InstanceUnit>()
        .Select(u => u.Kept ?? (u.Start is { } start ? new KeptNote("", new InstanceNote(start.Guest)) : null)).OfType<KeptNote>()]);

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
        (unit.Start, unit.LastEnd, unit.Kept, unit.OpenExport, unit.Disks) = (null, null, null, replicas.OpenGeneration(unit.Id), disks.Count(unit.Id));
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
