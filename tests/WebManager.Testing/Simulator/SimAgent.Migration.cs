// What the agent does for the orders of a live migration, after the rules have decided.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimAgent
{
    /// <summary>Without the switch until then the source gives up.</summary>
    private static readonly TimeSpan SwitchWithin = TimeSpan.FromSeconds(10);

    private async Task<Outcome<ReceiveGuestReply>> ReceiveAsync(ReceiveGuestOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        if (node.Keeper is not { } keeper) return new Refusal("keeper.down", "The keeper does not run.", "Wait a second.");
        var decision = Rules.Receive(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        await node.WorkAsync(30, 200, Life);
        if (node.Keeper != keeper) return new Refusal("keeper.down", "The keeper does not run.", "Wait a second.");
        node.Incoming[instance.Id] = new SimIncoming(node, order.Record.Number);
        _world.Log($"{node.Name}: waits for {_world.NameOf(instance.Id)} ({order.Record})");
        return new ReceiveGuestReply(new MigrationAddress(node.Name, 10810));
    }

    private async Task<Outcome<Done>> SendAsync(SendGuestOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.Send(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        var guest = node.Guests[instance.Id];
        if (guest is not { Dying: false, Phase: GuestPhase.Running, Outgoing: null }) return new Refusal("migration.failed", "The guest does not run, or is being sent.");
        if (_world.FindNode(order.To.Host)?.Incoming.GetValueOrDefault(instance.Id) is not { } there) return new Refusal("migration.failed", "Nothing waits for it there.");
        if (await guest.SendAsync(there, Life) is { } text) return new Refusal("migration.failed", text, "The guest goes on here.");
        var mine = guest.Outgoing!;
        _world.Spawn(() => GiveUpAsync(guest, mine));
        Say("guest.paused", instance.Id, "It waits for the switch.");
        return Done.Value;
    }

    private async Task GiveUpAsync(SimGuest guest, Outgoing mine)
    {
        await node.WorkAsync(SwitchWithin, Life);
        if (guest.Outgoing == mine && !mine.Switching) guest.GiveUpSending();
    }

    private async Task<Outcome<Done>> ReleaseAsync(ReleaseReplicaOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.Release(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        return Done.Value;
    }

    private async Task<Outcome<SwitchGuestReply>> SwitchAsync(SwitchGuestOrder order)
    {
        var guest = node.Guests.GetValueOrDefault(order.Record.Instance);
        if (guest is not { Dying: false, Outgoing: { PausedAt: not null } sent } || sent.Generation != order.Record.Number) return new Refusal("migration.failed", "No guest waits for the switch.");
        var through = await guest.SendRestAsync(Life);
        if (guest.Dying || guest.Life.Dead) return new Refusal("migration.failed", "The guest ended.");
        if (Rules.Switched(new SourceFacts(through, guest.RanSince(sent))) is { } refusal)
        {
            guest.GiveUpSending();
            return refusal;
        }

        await KillAsync(guest);
        return new SwitchGuestReply(50 << 20, (long)(node.Now - sent.PausedSince).TotalMilliseconds);
    }

    private async Task<Outcome<StartGuestReply>> TakeOverAsync(TakeOverOrder order)
    {
        var (id, record) = (order.Record.Instance, order.Record);
        _world.Truth.StartOrdered(id, record);
        if (node.Keeper is not { } keeper) return new Refusal("keeper.down", "The keeper does not run.", "Wait a second.");
        var instance = node.Instance(id);
        await AskForLeaseAsync(instance, record, keeper);
        var decision = Rules.TakeOver(instance.Stored, record, Facts(instance, record));
        if (!decision.Ok) return decision.Refusal;
        if (decision.Value.Acts.HasFlag(NodeActs.Already) && node.Guests.TryGetValue(id, out var same)) return new StartGuestReply(same.Pid, "sim");
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        if (node.Keeper != keeper || !node.Incoming.Remove(id, out var incoming)) return new Refusal("migration.gone", "What waited here is gone.", "Start it anew.");
        var lease = keeper.Rules.Start(record, node.Now);
        if (!lease.Ok) return lease.Refusal;
        return await GoOnAsync(instance, order, incoming);
    }

    private async Task<Outcome<StartGuestReply>> GoOnAsync(NodeInstance instance, TakeOverOrder order, SimIncoming incoming)
    {
        instance.Spec = order.Guest;
        (instance.GuestGeneration, instance.End) = (order.Record.Number, GuestEnd.None);
        var guest = new SimGuest(node, order.Guest, order.Record);
        node.Guests[instance.Id] = guest;
        node.Keeper!.Watch();
        try
        {
            var goesOn = await guest.GoOnAsync(incoming, order.Replica);
            return goesOn.Ok ? new StartGuestReply(guest.Pid, "sim") : goesOn.Refusal;
        }
        catch (DiedException) when (!Life.Dead)
        {
            return new Refusal("guest.start-failed", "The guest's process ended while it was taking over.");
        }
    }

    /// <summary>A sending holds the instance's turn: it is told to end before the turn is asked for.</summary>
    private Task<Outcome<Done>> CancelMigrationAsync(CancelMigrationOrder order)
    {
        if (Rules.Epoch(node.Engines.Last.Epoch, order.Epoch).Ok && node.Guests.GetValueOrDefault(order.Instance)?.Outgoing is { PausedAt: null } sending) sending.Cancelled = true;
        return OrderAsync(order, order.Instance, () =>
        {
            node.Guests.GetValueOrDefault(order.Instance)?.GiveUpSending();
            node.Incoming.Remove(order.Instance);
            return DoneAsync();
        });
    }
}
