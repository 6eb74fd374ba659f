using WebManager.Agent.Hypervisor;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>A guest that moves alive, at both ends (R4; docs/replication.md, "Live migration").</summary>
public sealed class MigrationOrders(InstanceTable table, Generations generations, LeaseGate gate, GuestWatch watch, NodeRules rules, InstanceFiles files,
    NodeFolder folder, IHypervisor hypervisor, IReplicas replicas, TimeProvider clock)
{
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan WholeWait = TimeSpan.FromSeconds(1);

    public Task<Outcome<ReceiveGuestReply>> ReceiveAsync(ReceiveGuestOrder order, CancellationToken ct) => InLane.RunAsync<ReceiveGuestReply>(table.Get(order.Record.Instance), async unit =>
    {
        if (Mixed(order.Record, order.Guest) is { } wrong) return wrong;
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.Receive(stored, order.Record, unit.Facts()), ct);
        if (!decision.Ok) return decision.Refusal;
        var received = await hypervisor.ReceiveAsync(new GuestStart(order.Guest, folder.Instance(unit.Id), order.Record, null), ct);
        if (!received.Ok) return received.Refusal;
        unit.Incoming = received.Value;
        table.Publish(unit);
        watch.InBackground("waiting guest", () => GuardAsync(unit, received.Value));
        return new ReceiveGuestReply(received.Value.Address);
    }, ct);

    /// <summary>Shows what waits, and ends it when nobody goes on with it.</summary>
    private async Task GuardAsync(InstanceUnit unit, IIncomingGuest incoming)
    {
        var patience = new Patience(clock, IdleLimit);
        while (unit.Incoming == incoming)
        {
            await Task.WhenAny(incoming.Whole, Task.Delay(TimeSpan.FromSeconds(1), clock));
            table.Publish(unit);
            if (incoming.Whole.IsCompleted) await Task.Delay(TimeSpan.FromSeconds(1), clock);
            if (!patience.IsOver(incoming.Progress)) continue;
            await InLane.RunAsync<Done>(unit, u => u.Incoming == incoming ? generations.ActAsync(u, NodeActs.KillIncoming, CancellationToken.None) : Task.FromResult<Outcome<Done>>(Done.Value), CancellationToken.None);
        }
    }

    public async Task<Outcome<Done>> SendAsync(SendGuestOrder order, CancellationToken ct)
    {
        var unit = table.Get(order.Record.Instance);
        var cancels = unit.MigrationCancels;
        var asked = await InLane.RunAsync<Done>(unit, _ => Task.FromResult(May()), ct);
        if (!asked.Ok) return asked;
        // The process of the export by which the copy here is reached afterwards: started now, not when the guest stands still and waits for it.
        await replicas.PrepareAsync(unit.Id, ct);
        var sending = Task.FromResult<Outcome<Done>>(NoMonitor());
        var begun = await InLane.RunAsync<Done>(unit, _ => Task.FromResult(Begin()), ct);
        if (unit.Guest?.Migration is null) DropWayBack(unit);
        // Outside the lane: a degrade or a stop must be able to come, and ends it.
        return begun.Ok ? await sending : begun;

        Outcome<Done> May()
        {
            var decision = generations.Decide(unit, order.Epoch, stored => rules.Send(stored, order.Record, unit.Facts()));
            if (!decision.Ok) return decision.Refusal;
            if (unit.MigrationCancels != cancels) return new Refusal("migration.cancelled", "The migration was cancelled.", "The guest goes on where it was.");
            return unit.Stopping ? new Refusal("guest.stopping", "The guest is being stopped.", "Start it on the other node when it has ended.") : Done.Value;
        }

        Outcome<Done> Begin()
        {
            if (May() is { Ok: false } refused) return refused;
            if (unit.Guest is not { } guest) return Done.Value;
            sending = guest.SendAsync(order.Record, order.To, ct);
            if (guest.Migration is not null) KeepWayBack(unit, guest);
            return Done.Value;
        }
    }

    /// <summary>Until the sending fails.</summary>
    private void KeepWayBack(InstanceUnit unit, IGuest guest)
    {
        guest.Changed += Ended;

        void Ended(IGuest sender, string kind, string text)
        {
            if (kind != "migration.failed") return;
            guest.Changed -= Ended;
            DropWayBack(unit);
        }
    }

    /// <summary>Only beneath a guest that goes on here: any other export that is open by then is somebody's.</summary>
    private void DropWayBack(InstanceUnit unit)
    {
        if (unit.Guest is not { } guest) return;
        watch.InBackground("way back", () => InLane.RunAsync<Done>(unit, u => u.Guest == guest ? replicas.CloseAsync(u.Id, CancellationToken.None) : Task.FromResult<Outcome<Done>>(Done.Value), CancellationToken.None));
    }

    public Task<Outcome<SwitchGuestReply>> SwitchAsync(SwitchGuestOrder order, CancellationToken ct) => InLane.RunAsync<SwitchGuestReply>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = generations.Decide(unit, order.Epoch, stored => rules.Send(stored, order.Record, unit.Facts()));
        if (!decision.Ok) return decision.Refusal;
        if (unit.Guest is not { } guest) return NoMonitor();
        var switched = await guest.SwitchAsync(ct);
        table.Publish(unit);
        if (!switched.Ok) return switched.Refusal;
        var end = switched.Value;
        var refused = rules.Switched(end.Facts);
        // What is only a shell any more is reaped in any case; the target has its own answer.
        if (end.Left && await generations.KillAsync(unit, ct) is { Ok: false } alive) return alive.Refusal;
        if (refused is not null) return end.Why is null ? refused : refused with { Message = $"{refused.Message} {end.Why}" };
        return new SwitchGuestReply(end.MovedBytes, (long)clock.GetElapsedTime(end.PausedAt).TotalMilliseconds);
    }, ct);

    public Task<Outcome<Done>> ReleaseAsync(ReleaseReplicaOrder order, CancellationToken ct) => InLane.RunAsync<Done>(table.Get(order.Record.Instance), async unit =>
    {
        var decision = await generations.ApplyAsync(unit, order.Epoch, stored => rules.Release(stored, order.Record, unit.Facts()), ct);
        return decision.Ok ? Done.Value : decision.Refusal;
    }, ct);

    public Task<Outcome<StartGuestReply>> TakeOverAsync(TakeOverOrder order, CancellationToken ct) => InLane.RunAsync<StartGuestReply>(table.Get(order.Record.Instance), async unit =>
    {
        var (record, guest) = (order.Record, order.Guest);
        if (Mixed(record, guest) is { } wrong) return wrong;
        if (order.Replica.Exports.Count != guest.Disks.Count)
            return new Refusal("replica.wrong-disks", $"The replica has {order.Replica.Exports.Count} copies for {guest.Disks.Count} disks.") { Field = "replica" };
        if (unit.Pid is { } pid && record.SameAs(unit.Running)) return Reply(pid);
        // The source heard that everything is here; our own event of it may be a moment behind.
        if (unit.Incoming is { } waiting) await Task.WhenAny(waiting.Whole, Task.Delay(WholeWait, clock, ct));
        if (await gate.PassAsync(unit, order.Epoch, record, rules.TakeOver, ct) is { } refused) return refused;
        if (unit.Incoming is not { } incoming) return new Refusal("migration.gone", "What waited here has ended.", "Start it anew.");
        var note = new StartNote(guest, record, order.Replica);
        files.Write(unit.Id, note);
        unit.Start = note;
        var taken = await incoming.TakeOverAsync(new GuestStart(guest, folder.Instance(unit.Id), record, order.Replica), ct);
        unit.Incoming = null;
        if (!taken.Ok)
        {
            // Half of it must leave nothing behind that writes.
            await generations.ActAsync(unit, NodeActs.KillIncoming, ct);
            await generations.KillAsync(unit, ct);
            return taken.Refusal;
        }

        watch.Watch(unit, taken.Value);
        return Reply(taken.Value.Pid);
    }, ct);

    public async Task<Outcome<Done>> CancelAsync(CancelMigrationOrder order, CancellationToken ct)
    {
        if (table.Find(order.Instance) is not { } unit) return Done.Value;
        return await InLane.RunAsync<Done>(unit, async u =>
        {
            u.MigrationCancels++;
            if (u.Guest is { } guest) await guest.CancelMigrationAsync(ct);
            return await generations.ActAsync(u, NodeActs.KillIncoming, ct);
        }, ct);
    }

    private static Refusal? Mixed(GenerationRecord record, GuestSpec guest) =>
        record.Instance == guest.Instance ? null : new Refusal("order.mixed", "Record and guest are of different instances.") { Field = "record" };

    private static Refusal NoMonitor() => new("guest.silent", "The guest's monitor does not answer yet.", "Try again.");

    private StartGuestReply Reply(int pid) => new(pid, hypervisor.Kind.ToString().ToLowerInvariant());
}

/// <summary>How long nothing has grown.</summary>
public sealed class Patience(TimeProvider clock, TimeSpan limit)
{
    private long _last = -1;
    private long _since = clock.GetTimestamp();

    public bool IsOver(long progress)
    {
        if (progress != _last) (_last, _since) = (progress, clock.GetTimestamp());
        return clock.GetElapsedTime(_since) >= limit;
    }
}
