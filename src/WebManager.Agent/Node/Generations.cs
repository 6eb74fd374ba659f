using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;

namespace WebManager.Agent.Node;

/// <summary>Carries out what the rules decided: first durable, then done, then answered. The caller holds the unit's lane.</summary>
public sealed class Generations(InstanceTable table, InstanceFiles files, IKeeper keeper, IReplicas replicas, EpochFile epochs, ILogger<Generations> log)
{
    /// <summary>Asks a rule and stores what it decided in one go: the promise at the end of a copy comes from outside the lane.</summary>
    /// <param name="epoch">Of the engine that ordered it; null: the node's own doing. An engine that was replaced meanwhile stores nothing more.</param>
    public Outcome<Decision> Decide(InstanceUnit unit, long? epoch, Func<StoredGenerations, Outcome<Decision>> rule)
    {
        lock (unit)
        {
            if (epochs.StillValid(epoch) is { } replaced) return replaced;
            var decision = rule(unit.Stored);
            if (decision.Ok && decision.Value.Next != unit.Stored)
            {
                files.Write(unit.Id, decision.Value.Next);
                unit.Stored = decision.Value.Next;
            }

            return decision;
        }
    }

    /// <summary>Decide, then what follows from the record.</summary>
    public async Task<Outcome<Decision>> ApplyAsync(InstanceUnit unit, long? epoch, Func<StoredGenerations, Outcome<Decision>> rule, CancellationToken ct)
    {
        var decision = Decide(unit, epoch, rule);
        if (!decision.Ok) return decision;
        var acted = await ActAsync(unit, decision.Value.Acts, ct);
        return acted.Ok ? decision : acted.Refusal;
    }

    /// <summary>The acts that follow from a record alone; starting, opening and copying are the orders' own.</summary>
    public async Task<Outcome<Done>> ActAsync(InstanceUnit unit, NodeActs acts, CancellationToken ct)
    {
        var record = unit.Stored.Record;
        // Before anything opens the image.
        if (acts.HasFlag(NodeActs.KillIncoming) && await KillIncomingAsync(unit, ct) is { Ok: false } waits) return waits;
        if (acts.HasFlag(NodeActs.KillGuest))
        {
            log.Outdated(unit.Id, $"{record}");
            if (await KillAsync(unit, ct) is { Ok: false } killed) return killed;
        }

        if (acts.HasFlag(NodeActs.CloseExport) && await CloseExportAsync(unit, ct) is { Ok: false } closed) return closed;
        if (acts.HasFlag(NodeActs.AdoptRecord) && record is not null)
        {
            if (await keeper.AdoptAsync(record, ct) is { Ok: false } adopted) return adopted;
            unit.Running = unit.Pid is null ? null : record;
            unit.Guest?.Recorded(record);
            log.Adopted(unit.Id, $"{record}");
        }

        table.Publish(unit);
        return Done.Value;
    }

    /// <summary>Answers when the guest was reaped and its end written down.</summary>
    public async Task<Outcome<Done>> KillAsync(InstanceUnit unit, CancellationToken ct)
    {
        if (await keeper.KillAsync(unit.ProcessId, ct) is { Ok: false } refused) return refused;
        await unit.Ended.WaitAsync(ct);
        return Done.Value;
    }

    /// <summary>Answers when what waited for a migrating guest was reaped. Nothing waits: done.</summary>
    private async Task<Outcome<Done>> KillIncomingAsync(InstanceUnit unit, CancellationToken ct)
    {
        if (await keeper.KillAsync(unit.IncomingId, ct) is { Ok: false } refused) return refused;
        await IncomingEndedAsync(unit);
        await keeper.ForgetAsync(unit.IncomingId, ct);
        return Done.Value;
    }

    public async Task IncomingEndedAsync(InstanceUnit unit)
    {
        var incoming = unit.Incoming;
        (unit.Incoming, unit.IncomingLeft) = (null, false);
        table.Publish(unit);
        if (incoming is not null) await incoming.DisposeAsync();
    }

    /// <summary>Makes missing images. A new one holds nothing, which is written down first: it must never pass for a copy with a few changes.</summary>
    public Task<Outcome<Done>> CreateDisksAsync(InstanceUnit unit, IDisks disks, GuestSpec guest, CancellationToken ct)
    {
        if (disks.Lacks(guest)) Decide(unit, null, stored => new Decision(stored with { Holds = null }, NodeActs.None));
        return disks.CreateAsync(guest, ct);
    }

    public async Task<Outcome<Done>> CloseExportAsync(InstanceUnit unit, CancellationToken ct)
    {
        var closed = await replicas.CloseAsync(unit.Id, ct);
        unit.OpenExport = replicas.OpenGeneration(unit.Id);
        table.Publish(unit);
        return closed;
    }
}
