// The agent's part in a change of secondary: a third copy while the guest runs in sync, and the way on to either pair.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimAgent
{
    private readonly Dictionary<Guid, Life> _thirds = [];

    private Task<Outcome<Done>> AddCopyAsync(AddCopyOrder order)
    {
        var (id, candidate) = (order.Record.Instance, order.Candidate);
        var decision = Rules.AddCopy(node.Stored(id), order.Record, candidate, Facts(node.Instance(id)));
        if (!decision.Ok) return Task.FromResult<Outcome<Done>>(decision.Refusal);
        if (!decision.Value.Acts.HasFlag(NodeActs.AddCopy) || !node.Guests.TryGetValue(id, out var guest)) return DoneAsync();
        if (guest.Third is { Phase: not ThirdPhase.Failed } now) return now.Is(candidate) ? DoneAsync() : Task.FromResult<Outcome<Done>>(new Refusal("mirror.copying", "A copy for another candidate runs."));
        if (guest.Mirror != MirrorPhase.InSync) return Task.FromResult<Outcome<Done>>(new Refusal("mirror.not-in-sync", $"The guest's mirror is {guest.Mirror}."));
        var copy = new Life();
        _thirds[id] = copy;
        guest.CopyThird(candidate, 0);
        _world.Spawn(() => CopyThirdAsync(guest, candidate, copy));
        return DoneAsync();
    }

    private async Task CopyThirdAsync(SimGuest guest, GenerationRecord candidate, Life copy)
    {
        var text = await CopyThirdBlocksAsync(guest, candidate, copy);
        await TurnAsync(guest.Instance, async () =>
        {
            if (copy.Dead) return true;
            text ??= await JoinAsync(guest, candidate);
            _thirds.Remove(guest.Instance);
            if (text is not null && !guest.Life.Dead) guest.FailThird(candidate, text);
            Say(text is null ? "mirror.joined" : "mirror.failed", guest.Instance, text ?? "The guest is on three copies.");
            return true;
        });
    }

    private async Task<string?> CopyThirdBlocksAsync(SimGuest guest, GenerationRecord candidate, Life copy)
    {
        var steps = _world.Random.Next(3, 15);
        for (var i = 0; i < steps; i++)
        {
            if (!ThirdTarget(candidate, out var there)) return "The copy's target is gone.";
            if (_world.FindNode(candidate.Secondary!) is { Faulty.Images: true }) return "The copy's target takes no writes.";
            there.Torn = true;
            guest.CopyThird(candidate, 100.0 * i / steps);
            await node.WorkAsync(100, 300, Life);
            copy.Check();
        }

        return null;
    }

    private bool ThirdTarget(GenerationRecord candidate, out SimCopy target) =>
        Target(candidate.Instance, candidate, out target) && _world.Node(candidate.Secondary!).ExportTags.GetValueOrDefault(candidate.Instance) == candidate.Tag;

    /// <summary>Null: each write goes to all three from here. Otherwise why not; the guest goes on with its pair.</summary>
    private async Task<string?> JoinAsync(SimGuest guest, GenerationRecord candidate)
    {
        if (guest is { Dying: true } or { Life.Dead: true } or { Phase: not GuestPhase.Running } or { Mirror: not MirrorPhase.InSync }) return "The guest does not run in sync.";
        guest.PauseForSwap();
        await node.WorkAsync(5, 100, Life);
        if (guest is { Life.Dead: true } or { Dying: true }) return "The guest has ended.";
        var equal = ThirdTarget(candidate, out var target) && !node.Faulty.Images && _world.FindNode(candidate.Secondary!) is { Faulty.Images: false };
        if (equal)
        {
            node.CopyOf(guest.Instance)!.Flush();
            target.Adopt(node.CopyOf(guest.Instance)!);
            guest.Join(candidate);
        }

        guest.Resume();
        return equal ? null : "The copy's target is gone.";
    }

    private async Task<Outcome<Done>> DropCopyAsync(DropCopyOrder order)
    {
        var id = order.Candidate.Instance;
        if (Rules.DropCopy(node.Stored(id), order.Candidate) is { } refusal) return refusal;
        if (!node.Guests.TryGetValue(id, out var guest) || guest.Third?.Is(order.Candidate) != true) return Done.Value;
        if (_thirds.Remove(id, out var copy)) copy.End();
        await node.WorkAsync(2, 60, Life);
        if (guest is { Life.Dead: true } or { Dying: true }) return Done.Value;
        guest.LeaveThird();
        if (guest is { Phase: GuestPhase.Paused, Mirror: MirrorPhase.InSync }) guest.Resume();
        return Done.Value;
    }

    /// <summary>The record that the guest runs under is the candidate: the former secondary's copy is left.</summary>
    private void GoOnWithThird(Guid instance, GenerationRecord record)
    {
        if (node.Guests.GetValueOrDefault(instance) is { } guest && Leaves(guest, record)) _world.Spawn(() => LeaveFormerAsync(guest, record));
    }

    private static bool Leaves(SimGuest guest, GenerationRecord record) => guest is { IsJoined: true, Life.Dead: false, Dying: false } && guest.Third!.Is(record);

    private async Task LeaveFormerAsync(SimGuest guest, GenerationRecord record)
    {
        await node.WorkAsync(2, 60, Life);
        if (!Leaves(guest, record)) return;
        guest.LeaveFormer(record);
        if (guest is { Phase: GuestPhase.Paused, Mirror: MirrorPhase.InSync }) guest.Resume();
    }

    /// <summary>A copy that the former run of this agent was making: kept if it was whole already, given up otherwise.</summary>
    private async Task<bool> TakeUpCopyAsync(NodeInstance instance)
    {
        if (!node.Guests.TryGetValue(instance.Id, out var guest) || guest.Record is not { } record) return true;
        if (guest.Mirror == MirrorPhase.Promised && instance.Stored.Promised < record.Number && Rules.Promise(instance.Stored, record) is { Ok: true } decision)
            await KeepAsync(instance, decision.Value);
        if (guest.Mirror == MirrorPhase.Copying) guest.SwapBack("The agent was restarted.");
        guest.AgentRestarted();
        if (guest.Third is { Phase: ThirdPhase.Copying }) guest.LeaveThird();
        if (guest is { Phase: GuestPhase.Paused, Mirror: not MirrorPhase.Broken, Dying: false }) guest.Resume();
        GoOnWithThird(instance.Id, record);
        return true;
    }
}
