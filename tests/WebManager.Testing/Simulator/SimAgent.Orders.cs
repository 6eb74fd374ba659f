// What the agent does for each order, after the rules have decided.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimAgent
{
    private async Task<Outcome<Done>> CreateDisksAsync(CreateDisksOrder order)
    {
        await node.WorkAsync(5, 30, Life);
        var instance = node.Instance(order.Guest.Instance);
        _world.Name(order.Guest.Instance, order.Guest.Name);
        instance.Spec = order.Guest;
        if (order.Guest.Disks.Count > 0) instance.Copy ??= new SimCopy();
        instance.Kept = order.Kept ?? instance.Kept;
        return Done.Value;
    }

    private async Task<Outcome<Done>> NoteAsync(NoteInstanceOrder order)
    {
        var guest = order.Kept.Note.Guest;
        if (node.Disk.GetValueOrDefault(guest.Instance) is not { } instance || (guest.Disks.Count > 0 && instance.Copy is null)) return new Refusal("instance.absent", "Nothing of the instance is on this node.");
        await node.StoreAsync(0.5, 4, Life);
        instance.Kept = order.Kept;
        return Done.Value;
    }

    private async Task<Outcome<NotesReply>> NotesAsync(NotesRequest asked)
    {
        await node.WorkAsync(0.1, 0.5, Life);
        return new NotesReply([.. asked.Instances.Select(id => node.Disk.GetValueOrDefault(id)?.Kept).OfType<KeptNote>()]);
    }

    private async Task<Outcome<Done>> RemoveAsync(RemoveInstanceOrder order)
    {
        if (order.Record is { } record)
        {
            var cleaned = node.Instance(order.Instance);
            var decision = Rules.Clean(cleaned.Stored, record, Facts(cleaned));
            if (!decision.Ok) return decision.Refusal;
            if (await KeepAsync(cleaned, decision.Value, order.Epoch) is { } replaced) return replaced;
        }

        if (node.Guests.TryGetValue(order.Instance, out var guest)) await KillAsync(guest);
        EndCopy(order.Instance);
        node.Incoming.Remove(order.Instance);
        node.Exports.Remove(order.Instance);
        await node.WorkAsync(5, 20, Life);
        // What is cleaned keeps its record: an older order that arrives late finds it.
        if (order.Record is not null) node.Disk[order.Instance] = new NodeInstance(order.Instance) { Stored = node.Stored(order.Instance) };
        if (order.Record is not null || node.Disk.Remove(order.Instance)) _world.Log($"{node.Name}: {_world.NameOf(order.Instance)} removed");
        return Done.Value;
    }

    private async Task<Outcome<Done>> StoreAsync(StoreGenerationOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.Store(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        if (order.Record.Number > (instance.Stored.Record?.Number ?? 0)) EndCopy(instance.Id);
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        return Done.Value;
    }

    private async Task<Outcome<OpenReplicaReply>> OpenReplicaAsync(OpenReplicaOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        if (instance.Copy is null) return new Refusal("disks.missing", "There are no images here.", "Create them first.");
        var decision = order.Candidate ? Rules.OpenCandidate(instance.Stored, order.Record, Facts(instance)) : Rules.OpenReplica(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        instance.Spec = order.Guest;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        return new OpenReplicaReply(new ReplicaAddress(node.Name, 10809, [.. order.Guest.Disks.Select(d => $"{order.Record.Instance:n}-{d.Index}-g{order.Record.Number}-{order.Record.Tag}")]));
    }

    private async Task<Outcome<StandDownReply>> StandDownAsync(StandDownOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.StandDown(instance.Stored, order.Record, Facts(instance, order.Record), order.Operation);
        if (!decision.Ok) return decision.Refusal;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        return Rules.Heard(order.Record, node.Now);
    }

    private async Task<Outcome<StandDownReply>> SilenceAsync(PeerSilenceRequest asked)
    {
        await node.WorkAsync(0.1, 0.5, Life);
        return Rules.Heard(new GenerationRecord(asked.Instance, 0, "", asked.Primary, node.Name, SyncState.Alone), node.Now);
    }

    private async Task<Outcome<Done>> StandUpAsync(StandUpOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.StandUp(instance.Stored, order.Record, order.Of);
        if (!decision.Ok) return decision.Refusal;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        return Done.Value;
    }

    private async Task<Outcome<StartGuestReply>> StartAsync(StartGuestOrder order)
    {
        var id = order.Guest.Instance;
        _world.Truth.StartOrdered(id, order.Record);
        if (node.Keeper is not { } keeper) return new Refusal("keeper.down", "The keeper does not run.", "Wait a second.");
        // Before anything is written: a start that comes late, after the instance was removed, leaves nothing behind.
        if (order.Guest.Disks.Count > 0 && node.Disk.GetValueOrDefault(id)?.Copy is null) return new Refusal("disks.missing", "There are no images here.");
        var instance = node.Instance(id);
        if (order.Record is { } record)
        {
            await AskForLeaseAsync(instance, record, keeper);
            var decision = Rules.Start(instance.Stored, record, Facts(instance, record));
            if (!decision.Ok) return decision.Refusal;
            if (decision.Value.Acts.HasFlag(NodeActs.Already) && node.Guests.TryGetValue(id, out var same)) return new StartGuestReply(same.Pid, "sim");
            if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
            var lease = keeper.Rules.Start(record, node.Now);
            if (!lease.Ok) return lease.Refusal;
        }
        else if (node.Guests.TryGetValue(id, out var runs))
        {
            return new StartGuestReply(runs.Pid, "sim");
        }

        if (node.Keeper != keeper) return new Refusal("keeper.down", "The keeper does not run.", "Wait a second.");
        return await RunAsync(instance, order);
    }

    /// <summary>A fresh generation has no lease yet: the secondary can give one at once.</summary>
    private async Task AskForLeaseAsync(NodeInstance instance, GenerationRecord record, SimKeeper keeper)
    {
        if (record.Sync != SyncState.InSync || record.Primary != node.Name || record.Secondary is not { } peer || keeper.Rules.HasLease(record, node.Now)) return;
        if (node.Guests.ContainsKey(instance.Id) || !node.Peers.Contains(peer)) return;
        var challenge = new PeerChallenge(node.Name, keeper.NewNonce(), [record]);
        _world.Spawn(() => ChallengeAsync(peer, challenge, keeper));
        for (var i = 0; i < 10 && !keeper.Rules.HasLease(record, node.Now); i++) await node.WorkAsync(10, 10, Life);
    }

    private async Task<Outcome<StartGuestReply>> RunAsync(NodeInstance instance, StartGuestOrder order)
    {
        instance.Spec = order.Guest;
        (instance.GuestGeneration, instance.End) = (order.Record?.Number ?? 0, GuestEnd.None);
        var guest = new SimGuest(node, order.Guest, order.Record);
        node.Guests[instance.Id] = guest;
        node.Keeper!.Watch();
        Bump();
        try
        {
            var started = await guest.StartAsync(order.Replica);
            return started.Ok ? new StartGuestReply(guest.Pid, "sim") : started.Refusal;
        }
        catch (DiedException) when (!Life.Dead)
        {
            return new Refusal("guest.start-failed", "The guest's process ended while it was starting.");
        }
    }

    private async Task<Outcome<StopGuestReply>> StopAsync(StopGuestOrder order)
    {
        var instance = node.Instance(order.Instance);
        EndCopy(order.Instance);
        if (node.Guests.TryGetValue(order.Instance, out var guest))
        {
            if (order.Grace > TimeSpan.Zero && !guest.Dying) await guest.PressPowerAsync(order.Grace);
            Life.Check();
            if (!guest.Life.Dead) await KillAsync(guest);
            await node.WorkAsync(0, 0.5, Life);
        }

        return new StopGuestReply(instance.End, instance.GuestGeneration);
    }

    private async Task<Outcome<Done>> DegradeAsync(DegradeOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.Degrade(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        EndCopy(instance.Id);
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        if (decision.Value.Acts.HasFlag(NodeActs.Degrade) && node.Guests.TryGetValue(instance.Id, out var guest) && !guest.Dying)
        {
            await node.WorkAsync(2, 20, Life);
            guest.GiveUpSending();
            if (!guest.Life.Dead && !guest.Dying) guest.Degrade(order.Record);
        }

        return Done.Value;
    }

    private async Task<Outcome<Done>> ResyncAsync(ResyncOrder order)
    {
        var instance = node.Instance(order.Record.Instance);
        var decision = Rules.BeginCopy(instance.Stored, order.Record, Facts(instance, order.Record));
        if (!decision.Ok) return decision.Refusal;
        if (decision.Value.Acts.HasFlag(NodeActs.Already) || _copies.ContainsKey(instance.Id)) return Done.Value;
        if (await KeepAsync(instance, decision.Value, order.Epoch) is { } replaced) return replaced;
        if (!node.Guests.ContainsKey(instance.Id)) return new Refusal("guest.absent", "The guest does not run here; its disks are copied while it runs.", "Start it, then copy.");
        var copy = new Life();
        _copies[instance.Id] = copy;
        _world.Spawn(() => CopyAsync(instance, order.Record, copy));
        return Done.Value;
    }

    private Task<Outcome<Done>> CancelResyncAsync(CancelResyncOrder order)
    {
        var decision = Rules.CancelCopy(node.Stored(order.Instance));
        if (!decision.Ok) return Task.FromResult<Outcome<Done>>(decision.Refusal);
        EndCopy(order.Instance);
        node.Guests.GetValueOrDefault(order.Instance)?.SetCopying(null, "cancelled");
        return DoneAsync();
    }

    private void EndCopy(Guid instance)
    {
        if (_copies.Remove(instance, out var copy)) copy.End();
        if (_thirds.Remove(instance, out var third)) third.End();
    }

    private async Task CopyAsync(NodeInstance instance, GenerationRecord record, Life copy)
    {
        var text = await CopyBlocksAsync(instance, record, copy);
        // The last step excludes every order for this instance, as the rules are asked and the disk changes hands.
        await TurnAsync(instance.Id, async () =>
        {
            if (copy.Dead) return true;
            text ??= await FinishCopyAsync(instance, record);
            _copies.Remove(instance.Id);
            if (text is not null) node.Guests.GetValueOrDefault(instance.Id)?.SetCopying(null, text);
            Say(text is null ? "mirror.promised" : "mirror.failed", instance.Id, text ?? "Both copies are equal.");
            return true;
        });
    }

    private async Task<string?> CopyBlocksAsync(NodeInstance instance, GenerationRecord record, Life copy)
    {
        var steps = _world.Random.Next(3, 15);
        for (var i = 0; i < steps; i++)
        {
            if (!Target(instance.Id, record, out var there)) return "The copy's target is gone.";
            node.Guests.GetValueOrDefault(instance.Id)?.SetCopyFault(_world.FindNode(record.Secondary!));
            if (_world.FindNode(record.Secondary!) is { Faulty.Images: true }) return "The copy's target takes no writes.";
            there.Torn = true;
            node.Guests.GetValueOrDefault(instance.Id)?.SetCopying(100.0 * i / steps);
            await node.WorkAsync(100, 300, Life);
            copy.Check();
        }

        return null;
    }

    private bool Target(Guid instance, GenerationRecord record, out SimCopy target)
    {
        var there = _world.FindNode(record.Secondary!);
        target = there?.CopyOf(instance)!;
        return there is { Powered: true, Frozen: false } && target is not null && there.Exports.GetValueOrDefault(instance) == record.Number
            && _world.Network.Reaches(node.Name, there.Name) && _world.Network.Reaches(there.Name, node.Name);
    }

    /// <summary>Null: equal and promised. Otherwise why not; the guest goes on alone.</summary>
    private async Task<string?> FinishCopyAsync(NodeInstance instance, GenerationRecord record)
    {
        var guest = node.Guests.GetValueOrDefault(instance.Id);
        if (guest is { Dying: true } or { Phase: GuestPhase.Starting }) return "The guest ended or is starting.";
        guest?.PauseForSwap();
        await node.WorkAsync(5, 100, Life);
        if (guest is { Life.Dead: true } || !Target(instance.Id, record, out var target)) return Back(guest, "The copy's target is gone.");
        if (node.Keeper is not { } keeper) return Back(guest, "The keeper is gone.");
        var decision = Rules.Promise(instance.Stored, record);
        if (!decision.Ok) return Back(guest, decision.Refusal.Message);
        if (node.Faulty.Images || _world.FindNode(record.Secondary!) is { Faulty.Images: true }) return Back(guest, "A disk takes no writes.");
        instance.Copy!.Flush();
        target.Adopt(instance.Copy);
        var promise = keeper.Rules.Promise(record, node.Now);
        if (!promise.Ok) return Back(guest, promise.Refusal.Message);
        keeper.Watch();
        guest?.SwapToBoth(record);
        await KeepAsync(instance, decision.Value);
        if (guest is { Life.Dead: false, Dying: false }) guest.Resume();
        return null;
    }

    private static string Back(SimGuest? guest, string text)
    {
        if (guest is not { Life.Dead: false, Dying: false }) return text;
        guest.SwapBack(text);
        guest.Resume();
        return text;
    }
}
