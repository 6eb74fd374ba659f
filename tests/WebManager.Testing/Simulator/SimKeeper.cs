// The keeper's process: LeaseRules with a clock, parent of the guests.
using System.Globalization;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed class SimKeeper(SimNode node)
{
    private static readonly TimeSpan ChallengeEvery = TimeSpan.FromSeconds(0.5);
    private ITimer? _deadline;
    private ITimer? _look;
    private int _serial;

    public Life Life { get; } = new();
    public LeaseRules Rules { get; } = new(switches: node.World.Options.Rules);
    public string Nonce { get; private set; } = "";

    public void Begin()
    {
        NewNonce();
        node.World.Spawn(async () =>
        {
            while (true)
            {
                await node.WorkAsync(ChallengeEvery, Life);
                NewNonce();
            }
        });
    }

    public string NewNonce()
    {
        Nonce = string.Create(CultureInfo.InvariantCulture, $"{node.Name}-{node.World.Random.Next():x}-{++_serial}");
        Rules.Issue(Nonce, node.Now);
        return Nonce;
    }

    public void Answer(string? nonce, IReadOnlyList<GenerationRecord> standsBehind)
    {
        Rules.Answer(nonce, standsBehind, node.Now);
        foreach (var guest in node.Guests.Values) guest.Adopted(Rules.Of(guest.Instance)?.Record);
        Watch();
    }

    /// <summary>Kills what must not go on, pauses what soon must not, continues what may, and sets the timers for the next.</summary>
    public void Watch()
    {
        if (Life.Dead || node.Frozen) return;
        foreach (var instance in Rules.Expired(node.Now))
        {
            if (!node.Guests.TryGetValue(instance, out var guest) || guest.Dying) continue;
            node.World.Truth.KilledByKeeper(guest, Rules.Of(instance)!.Value.Record, Rules.Of(instance)!.Value.Until, Rules.IsPaused(instance));
            node.World.Log($"{node.Name}: keeper kills {node.World.NameOf(instance)} ({Rules.Of(instance)?.Record})");
            node.World.Spawn(() => guest.KillAsync());
        }

        foreach (var instance in Rules.ToPause(node.Now))
        {
            if (!node.Guests.TryGetValue(instance, out var guest) || guest.Dying) continue;
            Rules.Pausing(instance);
            node.World.Spawn(() => PauseAsync(guest));
        }

        foreach (var instance in Rules.ToResume(node.Now))
        {
            Rules.Resumed(instance);
            if (node.Guests.TryGetValue(instance, out var guest) && !guest.Dying) guest.Continue(Rules.Of(instance)!.Value.Until);
        }

        _deadline?.Dispose();
        _look?.Dispose();
        // One that has passed belongs to a guest that is being killed; its end calls here again.
        if (Rules.NextDeadline is { } next && next > node.Now) _deadline = After(next, Due);
        if (Rules.NextPause(node.Now) is { } pause && pause > node.Now) _look = After(pause, Look);
    }

    private ITimer After(TimeSpan moment, Action act) => node.Clock.CreateTimer(_ => act(), null, moment - node.Now + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);

    /// <summary>SIGSTOP, and a look whether all of the guest stands still: mostly at once, sometimes a thread of it hangs in the kernel.</summary>
    private async Task PauseAsync(SimGuest guest)
    {
        if (node.World.Random.NextDouble() < node.World.Options.StuckPart) await node.WorkAsync(10, 1500, Life);
        await node.WorkAsync(0.1, 3, Life);
        // Answered for meanwhile: it was continued before it stood still.
        if (guest.Dying || guest.Life.Dead || !(Rules.IsPaused(guest.Instance) || Rules.Unconfirmed(node.Now).Contains(guest.Instance))) return;
        guest.Halt();
        await node.WorkAsync(0.1, 3, Life);
        if (Rules.Paused(guest.Instance, node.Now)) node.World.Log($"{node.Name}: keeper has paused {node.World.NameOf(guest.Instance)}");
        Watch();
    }

    private void Due()
    {
        if (Life.Dead) return;
        // The kernel's timer does not wait for a stalled keeper (R3, H13).
        if (node.Frozen) node.CrashKeeper("its kernel timer fired while it stalled");
        else Watch();
    }

    /// <summary>The keeper's own timer does.</summary>
    private void Look()
    {
        if (!node.Frozen) Watch();
        else node.World.Spawn(async () => { await node.WorkAsync(TimeSpan.Zero, Life); Watch(); });
    }
}
