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

    /// <summary>Kills what must not go on, and sets the timer for the next that might.</summary>
    public void Watch()
    {
        if (Life.Dead) return;
        foreach (var instance in Rules.Expired(node.Now))
        {
            if (!node.Guests.TryGetValue(instance, out var guest) || guest.Dying) continue;
            node.World.Truth.KilledByKeeper(guest, Rules.Of(instance)!.Value.Record, Rules.Of(instance)!.Value.Until);
            node.World.Log($"{node.Name}: keeper kills {node.World.NameOf(instance)} ({Rules.Of(instance)?.Record})");
            node.World.Spawn(() => guest.KillAsync());
        }

        _deadline?.Dispose();
        if (Rules.NextDeadline is not { } next) return;
        var left = next - node.Now;
        // A deadline that has passed belongs to a guest that is being killed; its end calls here again.
        if (left <= TimeSpan.Zero && !node.Frozen) return;
        _deadline = node.Clock.CreateTimer(_ => Due(), null, left > TimeSpan.Zero ? left + TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    private void Due()
    {
        if (Life.Dead) return;
        // The kernel's timer does not wait for a stalled keeper (R3, H13).
        if (node.Frozen) node.CrashKeeper("its kernel timer fired while it stalled");
        else Watch();
    }
}
