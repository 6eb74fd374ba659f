using System.Collections.Concurrent;
using WebManager.Agent.Host;
using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>
/// R3 without the engine: every half second the primary challenges the secondary of each in-sync guest and passes the answer to its
/// keeper. One outstanding challenge per peer, so a peer that hangs holds up no other.
/// </summary>
public sealed class PeerLoop(NodeIdentity identity, InstanceTable table, IKeeper keeper, PeerBook peers, PeerLink link, TimeProvider clock, ILogger<PeerLoop> log)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(0.5);
    private readonly ConcurrentDictionary<string, bool> _asking = new();
    private readonly ConcurrentDictionary<string, bool> _silent = new();

    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            AskAll(table.All, ct);
        }
    }

    /// <summary>At once, for one whose guest waits for its lease.</summary>
    public void Ask(InstanceUnit unit, CancellationToken ct) => AskAll([unit], ct);

    private void AskAll(IEnumerable<InstanceUnit> units, CancellationToken ct)
    {
        foreach (var peer in units.SelectMany(Asked).GroupBy(r => r.Secondary!))
            if (_asking.TryAdd(peer.Key, true)) _ = AskAsync(peer.Key, [.. peer], ct);
    }

    /// <summary>What runs or waits to run here in sync. Promised counts: its secondary answers as soon as it has the in-sync record.</summary>
    private static IEnumerable<GenerationRecord> Asked(InstanceUnit unit)
    {
        if (unit.Awaited is { Secondary: not null, Sync: SyncState.InSync } awaited) yield return awaited;
        if (unit.Running is not { Secondary: not null } running) yield break;
        if (running.Sync == SyncState.InSync || unit.Stored.Promised == running.Number) yield return running;
    }

    private async Task AskAsync(string peer, List<GenerationRecord> records, CancellationToken ct)
    {
        try
        {
            if (peers.AddressOf(peer) is not { } address || await keeper.ChallengeAsync(ct) is not { } nonce) return;
            var answer = await link.ChallengeAsync(peer, address, new PeerChallenge(identity.Node, nonce, records), ct);
            // Only what was asked counts: a peer vouches for nothing else.
            keeper.Answer(answer.Nonce, [.. answer.StandsBehind.Where(a => records.Contains(a))]);
            if (_silent.TryRemove(peer, out _)) log.PeerBack(peer);
        }
        catch (Exception ex) when (ex is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException or IOException)
        {
            if (!ct.IsCancellationRequested && _silent.TryAdd(peer, true)) log.PeerSilent(peer, ex.Message);
        }
        finally
        {
            _asking.TryRemove(peer, out _);
        }
    }
}

/// <summary>The other end: what this node, as secondary, stands behind.</summary>
public sealed class PeerDesk(InstanceTable table, NodeRules rules, TimeProvider clock)
{
    public StandDownReply Silence(PeerSilenceRequest asked) => rules.Heard(asked.Instance, asked.Primary, clock.Monotonic());

    public PeerAnswer Answer(PeerChallenge challenge)
    {
        var now = clock.Monotonic();
        var behind = challenge.Generations.Where(g => rules.Answers(table.Find(g.Instance)?.Stored ?? StoredGenerations.None, challenge.Node, g, now));
        return new PeerAnswer(challenge.Nonce, [.. behind]);
    }
}
