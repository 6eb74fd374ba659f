// The agent's process: NodeRules with a disk; answers the engine's calls and its peers' challenges.
using System.Threading.Channels;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimAgent(SimNode node, Guid run, HandOverReport? handedOver = null)
{
    private static readonly TimeSpan ChallengeEvery = TimeSpan.FromSeconds(0.5);
    private readonly SimWorld _world = node.World;
    private readonly Dictionary<Guid, Turns> _turns = [];
    private readonly RemovedInstances _removed = new();
    private readonly Dictionary<Guid, Life> _copies = [];
    private long _state = 1;
    private long _events;

    public Life Life { get; } = new();
    public Guid Run { get; } = run;
    public NodeRules Rules { get; } = new(node.Name, node.Now, node.World.Options.Rules);
    public HashSet<ChannelWriter<AgentEvent>> Listeners { get; } = [];

    /// <summary>What it reports has changed.</summary>
    public void Bump() => _state++;

    public void Begin()
    {
        foreach (var instance in node.Disk.Values.ToList())
        {
            var acts = Rules.Recover(instance.Stored, Facts(instance));
            _world.Spawn(() => TurnAsync(instance.Id, async () => await ActAsync(instance, acts) && await TakeUpCopyAsync(instance)));
        }

        _world.Spawn(ChallengePeersAsync);
    }

    public void End()
    {
        Life.End();
        foreach (var listener in Listeners.ToList()) listener.TryComplete();
    }

    public void Say(string kind, Guid? instance, string text)
    {
        Bump();
        if (Life.Dead) return;
        if (instance is { } id && _world.Moments.Awaited) _world.Moments.Now(kind, _world.NameOf(id));
        var said = new AgentEvent(++_events, node.Clock.GetUtcNow(), kind, instance, text);
        foreach (var listener in Listeners) listener.TryWrite(said);
    }

    public Task<Outcome<TReply>> HandleAsync<TReply>(IAgentCall<TReply> call)
    {
        object answer = call switch
        {
            HelloRequest => Task.FromResult<Outcome<AgentHello>>(Hello()),
            BeatRequest beat => BeatAsync(beat),
            PublishImageOrder order => OrderAsync(order, Guid.Empty, () => DoneAsync()),
            CreateDisksOrder order => OrderAsync(order, order.Guest.Instance, () => CreateDisksAsync(order)),
            NoteInstanceOrder order => OrderAsync(order, order.Kept.Note.Guest.Instance, () => NoteAsync(order)),
            NotesRequest asked => NotesAsync(asked),
            RemoveInstanceOrder order => OrderAsync(order, order.Instance, () => RemoveAsync(order)),
            StoreGenerationOrder order => OrderAsync(order, order.Record.Instance, () => StoreAsync(order)),
            OpenReplicaOrder order => OrderAsync(order, order.Record.Instance, () => OpenReplicaAsync(order)),
            StandDownOrder order => OrderAsync(order, order.Record.Instance, () => StandDownAsync(order)),
            StandUpOrder order => OrderAsync(order, order.Record.Instance, () => StandUpAsync(order)),
            StartGuestOrder order => OrderAsync(order, order.Guest.Instance, () => StartAsync(order)),
            StopGuestOrder order => OrderAsync(order, order.Instance, () => StopAsync(order)),
            DegradeOrder order => OrderAsync(order, order.Record.Instance, () => DegradeAsync(order)),
            ResyncOrder order => OrderAsync(order, order.Record.Instance, () => ResyncAsync(order)),
            CancelResyncOrder order => OrderAsync(order, order.Instance, () => CancelResyncAsync(order)),
            AddCopyOrder order => OrderAsync(order, order.Record.Instance, () => AddCopyAsync(order)),
            DropCopyOrder order => OrderAsync(order, order.Candidate.Instance, () => DropCopyAsync(order)),
            ReceiveGuestOrder order => OrderAsync(order, order.Record.Instance, () => ReceiveAsync(order)),
            SendGuestOrder order => OrderAsync(order, order.Record.Instance, () => SendAsync(order)),
            ReleaseReplicaOrder order => OrderAsync(order, order.Record.Instance, () => ReleaseAsync(order)),
            SwitchGuestOrder order => OrderAsync(order, order.Record.Instance, () => SwitchAsync(order)),
            TakeOverOrder order => OrderAsync(order, order.Record.Instance, () => TakeOverAsync(order)),
            CancelMigrationOrder order => CancelMigrationAsync(order),
            RestartAgentOrder order => OrderAsync(order, Guid.Empty, () => HandOverAsync(order)),
            PeerSilenceRequest asked => SilenceAsync(asked),
            SerialTailRequest => Task.FromResult<Outcome<SerialTailReply>>(new SerialTailReply(["hello from the simulator"])),
            _ => throw new InvalidOperationException($"The simulator's agent does not know {call.GetType().Name}."),
        };
        return (Task<Outcome<TReply>>)answer;
    }

    private static Task<Outcome<Done>> DoneAsync() => Task.FromResult<Outcome<Done>>(Done.Value);

    private AgentHello Hello() => new(node.Name, "sim", Run, node.Boot, HypervisorKind.Fake, "sim", 8, node.MemoryMiB, _world.Options.NodeDiskMiB, "sim", ["restart", "notes"])
    {
        Images = [new ImageRef("alpine", "1")], Engines = node.Engines.Runs, HandOver = handedOver,
    };

    private async Task<Outcome<BeatReply>> BeatAsync(BeatRequest beat)
    {
        await node.WorkAsync(0.1, 0.5, Life);
        if (node.Obey(Rules, new EngineRun(beat.Epoch, beat.Tag, beat.Decisions)) is { } refusal) return refusal;
        foreach (var peer in beat.Peers.Keys) node.Peers.Add(peer);
        node.Keeper?.Answer(beat.Nonce, beat.StandsBehind);
        foreach (var record in beat.StandsBehind) Hear(record, beat.Epoch);
        var same = beat.KnownRun == Run && beat.KnownState == _state;
        return new BeatReply(node.Name, Run, node.Boot, _state)
        {
            Nonce = node.Keeper?.Nonce,
            Instances = same ? null : [.. node.Disk.Values.OrderBy(i => i.Id).Select(Report)],
            Load = new NodeLoad(_world.Options.NodeMemoryMiB - node.Guests.Values.Sum(g => (long)g.Spec.MemoryMiB), _world.Options.NodeDiskMiB, 0.1),
            KeeperAlive = node.Keeper is not null,
            DiskFault = node.Faulty.State ? "Its disk is full." : node.Faulty.Told is { } told && node.Now - told < DiskProbe.Remembered ? "A disk on it failed." : null,
        };
    }

    /// <summary>A newer record for a guest that runs here, or "in sync" for the one we have: stored in its turn.</summary>
    private void Hear(GenerationRecord record, long epoch)
    {
        if (!IsNews(record)) return;
        _world.Spawn(() => TurnAsync(record.Instance, async () =>
        {
            if (!IsNews(record)) return true;
            var instance = node.Instance(record.Instance);
            if (Rules.Store(instance.Stored, record, Facts(instance, record)) is { Ok: true } decision) await KeepAsync(instance, decision.Value, epoch);
            Bump();
            return true;
        }));
    }

    private bool IsNews(GenerationRecord record) =>
        (node.Guests.GetValueOrDefault(record.Instance)?.Record is { } running && node.Stored(record.Instance).Record is { } mine && record.Number > mine.Number && record.Number >= running.Number)
        || record.SameAs(node.Stored(record.Instance).Candidate)
        || (record.Sync == SyncState.InSync && node.Stored(record.Instance).Record is { Sync: SyncState.Alone } alone && record.SameAs(alone));

    private InstanceReport Report(NodeInstance instance)
    {
        var guest = node.Guests.GetValueOrDefault(instance.Id);
        return new InstanceReport(instance.Id)
        {
            Stored = instance.Stored.Record,
            Guest = guest is { Halted: true, Phase: GuestPhase.Running or GuestPhase.Starting } ? GuestPhase.Paused : guest?.Phase ?? GuestPhase.Absent,
            GuestGeneration = guest?.Record?.Number ?? instance.GuestGeneration,
            Pid = guest?.Pid,
            StartedAt = guest?.StartedAt,
            FirstLineAt = guest?.FirstLineAt,
            End = guest is null ? instance.End : GuestEnd.None,
            // Writing both copies is told as a promise only once that is durable.
            Mirror = guest is { Mirror: MirrorPhase.Promised } && instance.Stored.Promised != guest.Record?.Number ? MirrorPhase.Copying : guest?.Mirror ?? (_copies.ContainsKey(instance.Id) ? MirrorPhase.Copying
                : instance.Stored.Record is { } r && r.Primary == node.Name && instance.Stored.Promised == r.Number && r.Sync == SyncState.Alone ? MirrorPhase.Promised : MirrorPhase.None),
            CopyPercent = guest?.CopyPercent,
            MirrorText = guest?.MirrorText,
            LocalFault = guest?.LocalFault,
            CopyFault = guest?.CopyFault,
            Third = guest?.Third,
            StoodDownBy = instance.Stored.Silenced(),
            Migration = guest?.Outgoing is { } sending ? new MigrationReport(sending.PausedAt is null ? MigrationPhase.Sending : MigrationPhase.Switching, sending.Generation, sending.Percent, 1 << 20)
                : node.Incoming.GetValueOrDefault(instance.Id) is { } waiting ? new MigrationReport(MigrationPhase.Receiving, waiting.Generation, 0, 0) : null,
            ExportGeneration = node.Exports.TryGetValue(instance.Id, out var export) ? export : null,
            Disks = instance.Copy is null ? 0 : instance.Spec?.Disks.Count ?? 0,
            Note = instance.Kept?.Digest,
        };
    }

    /// <summary>One at a time for each instance; repeated ids get the first answer, refusals included; nothing for an engine that was replaced.</summary>
    private async Task<Outcome<T>> OrderAsync<T>(IOrder order, Guid instance, Func<Task<Outcome<T>>> act) => await TurnAsync(instance, async () =>
    {
        var known = node.Engines.Last.Epoch;
        if (node.Obey(Rules, new EngineRun(order.Epoch, "", 0)) is { } refusal) return refusal;
        _world.Truth.Obeys(node, known, order.Epoch);
        if (node.Journal.TryGetValue(order.Operation, out var before)) return (Outcome<T>)before;
        // Nothing can be written down; a guest can be let go of all the same.
        if (node.Faulty.State && order is not StopGuestOrder) return SimDisk.Refused;
        await node.StoreAsync(0.5, 4, Life);
        var result = _removed.Check(instance, order) is { } removed ? removed : await act();
        Life.Check();
        if (order is RemoveInstanceOrder { Record: null } && result.Ok) _removed.Note(instance, order.Epoch);
        node.Journal[order.Operation] = result;
        Bump();
        return result;
    });

    private async Task<T> TurnAsync<T>(Guid instance, Func<Task<T>> act)
    {
        if (!_turns.TryGetValue(instance, out var turns)) _turns[instance] = turns = new Turns();
        await turns.EnterAsync();
        try
        {
            Life.Check();
            return await act();
        }
        finally
        {
            turns.Leave();
        }
    }

    private NodeFacts Facts(NodeInstance instance, GenerationRecord? asked = null) => new(
        node.Guests.GetValueOrDefault(instance.Id)?.Record,
        node.Exports.TryGetValue(instance.Id, out var export) ? export : null,
        asked is not null && node.Keeper is { } keeper && keeper.Rules.HasLease(asked, node.Now))
    {
        Third = node.Guests.GetValueOrDefault(instance.Id)?.Third,
        Incoming = node.Incoming.GetValueOrDefault(instance.Id)?.Generation,
        IncomingWhole = node.Incoming.GetValueOrDefault(instance.Id)?.State is not null,
    };

    /// <summary>Makes the decision's records durable, then does what it says.</summary>
    /// <param name="epoch">Of the engine that ordered it: one that was replaced meanwhile stores nothing more.</param>
    private async Task<Refusal?> KeepAsync(NodeInstance instance, Decision decision, long? epoch = null)
    {
        if (decision.Next != instance.Stored) await node.StoreAsync(0.5, 8, Life);
        if (node.Faulty.State && decision.Next != instance.Stored) return SimDisk.Refused;
        if (epoch is { } given && Rules.Epoch(node.Engines.Last.Epoch, given).Refusal is { } replaced) return replaced;
        _world.Truth.Keeps(node, instance.Stored, decision.Next);
        instance.Stored = decision.Next;
        if (instance.Stored.Record is { } record) _world.Truth.Kept(node.Name, record);
        await ActAsync(instance, decision.Acts);
        return null;
    }

    private async Task<bool> ActAsync(NodeInstance instance, NodeActs acts)
    {
        if (acts.HasFlag(NodeActs.KillIncoming)) node.Incoming.Remove(instance.Id);
        if (acts.HasFlag(NodeActs.KillGuest) && node.Guests.TryGetValue(instance.Id, out var guest)) await KillAsync(guest);
        if (acts.HasFlag(NodeActs.CloseExport) && node.Exports.Remove(instance.Id)) await node.WorkAsync(3, 24, Life);
        if (acts.HasFlag(NodeActs.AdoptRecord) && node.Keeper is { } keeper && instance.Stored.Record is { } record)
        {
            keeper.Rules.Adopt(record, node.Now);
            node.Guests.GetValueOrDefault(instance.Id)?.Adopted(record);
            GoOnWithThird(instance.Id, record);
            keeper.Watch();
        }

        if (acts.HasFlag(NodeActs.OpenExport))
        {
            await node.WorkAsync(5, 40, Life);
            node.Exports[instance.Id] = instance.Stored.Candidate?.Number ?? instance.Stored.ExportOpened;
            node.ExportTags[instance.Id] = (instance.Stored.Candidate ?? instance.Stored.Record)!.Tag;
        }

        return true;
    }

    private async Task KillAsync(SimGuest guest)
    {
        if (!guest.Dying) _world.Spawn(() => guest.KillAsync());
        await guest.Life.Ended;
        await node.WorkAsync(0, 0.5, Life);
    }

    private async Task ChallengePeersAsync()
    {
        while (true)
        {
            await node.WorkAsync(ChallengeEvery, Life);
            ChallengeNow();
        }
    }

    /// <summary>Asks each secondary about the instances in sync there.</summary>
    private void ChallengeNow()
    {
        if (node.Keeper is not { } keeper) return;
        var records = node.Guests.Values.Select(g => g.Record).OfType<GenerationRecord>()
            .Where(r => r.Secondary is not null && node.Peers.Contains(r.Secondary) && (r.Sync == SyncState.InSync || node.Stored(r.Instance).Promised == r.Number));
        foreach (var group in records.OrderBy(r => r.Instance).GroupBy(r => r.Secondary!))
        {
            var challenge = new PeerChallenge(node.Name, keeper.Nonce, [.. group]);
            _world.Spawn(() => ChallengeAsync(group.Key, challenge, keeper));
            if (_world.Network.Again(group.Key) is { } after) _world.Spawn(() => ChallengeAgainAsync(group.Key, challenge, keeper, after));
        }
    }

    private async Task ChallengeAgainAsync(string peer, PeerChallenge challenge, SimKeeper keeper, TimeSpan after)
    {
        await _world.DelayAsync(after);
        await ChallengeAsync(peer, challenge, keeper);
    }

    private async Task ChallengeAsync(string peer, PeerChallenge challenge, SimKeeper keeper)
    {
        if (!await _world.Network.CarryAsync(node.Name, peer)) return;
        if (_world.FindNode(peer) is not { Powered: true } there) return;
        await there.ThawedAsync();
        if (there.Agent is not { } agent || await agent.ChallengedAsync(challenge) is not { } answer) return;
        if (!await _world.Network.CarryAsync(peer, node.Name)) return;
        Life.Check();
        await node.ThawedAsync();
        if (!keeper.Life.Dead) keeper.Answer(answer.Nonce, answer.StandsBehind);
    }

    private async Task<PeerAnswer?> ChallengedAsync(PeerChallenge challenge)
    {
        await node.WorkAsync(0.1, 0.5, Life);
        var behind = challenge.Generations.Where(g => Rules.Answers(node.Stored(g.Instance), challenge.Node, g, node.Now)).ToList();
        return new PeerAnswer(challenge.Nonce, behind);
    }
}
