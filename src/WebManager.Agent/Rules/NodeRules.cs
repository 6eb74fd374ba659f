using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

/// <summary>
/// R1, R2 and R4, the agent's half: what a node answers given what it has stored. Pure but for the times at which challenges were
/// heard, which a restart is meant to forget. The caller stores Decision.Next durably, then acts, then answers; the simulator uses this very class.
/// </summary>
/// <param name="node">This node's name.</param>
/// <param name="startedAt">When this agent run began, on the clock that later calls pass as now.</param>
public sealed partial class NodeRules(string node, TimeSpan startedAt, RuleSwitches? switches = null)
{
    private readonly RuleSwitches _rules = switches ?? RuleSwitches.All;
    private readonly Dictionary<(Guid Instance, string Primary), TimeSpan> _heard = [];

    /// <summary>R5. The value is the highest epoch seen, to be stored when it grew.</summary>
    public Outcome<long> Epoch(long highest, long given) => given < highest && _rules.EpochChecked
        ? new Refusal("order.stale-epoch", $"An engine with epoch {highest} has given orders here; this one has {given}.", "Only one engine may run.") { Field = "epoch" }
        : Math.Max(highest, given);

    /// <summary>
    /// R5. A beat names the engine's run. The value is what is kept from now on, newest last; a run that this node does not know yet is on disk
    /// before it is obeyed. Two runs of one epoch are two engines: the first one stays.
    /// </summary>
    public Outcome<HeardEngines> Hear(HeardEngines heard, EngineRun given)
    {
        var last = heard.Last;
        var epoch = Epoch(last.Epoch, given.Epoch);
        if (!epoch.Ok) return epoch.Refusal;
        if (given.Epoch < last.Epoch) return heard;
        if (given.Epoch > last.Epoch) return new HeardEngines([.. heard.Runs.TakeLast(HeardEngines.Kept - 1), given]);
        if (_rules.EpochChecked && last.Tag.Length > 0 && given.Tag.Length > 0 && last.Tag != given.Tag)
            return new Refusal("order.stale-epoch", $"Another engine with epoch {last.Epoch} has given orders here.", "Only one engine may run.") { Field = "epoch" };
        var next = new EngineRun(last.Epoch, last.Tag.Length > 0 ? last.Tag : given.Tag, Math.Max(last.Decisions, given.Decisions));
        return next == last ? heard : new HeardEngines([.. heard.Runs.SkipLast(1), next]);
    }

    public Outcome<Decision> Store(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (Check(stored, record, facts) is { } refusal) return refusal;
        var acts = Outlives(facts.Incoming, record) ? NodeActs.None : NodeActs.KillIncoming;
        if (facts.Guest is { } guest)
        {
            if (record.Primary != node) acts |= _rules.OtherPrimaryKills ? NodeActs.KillGuest : NodeActs.None;
            else if (record.Number > guest.Number || record.Sync != guest.Sync) acts |= NodeActs.AdoptRecord;
        }

        if (facts.OpenExport is { } open && _rules.NewerClosesExport && (open != record.Number || record.Secondary != node || IsOthers(stored, record))) acts |= NodeActs.CloseExport;
        // A guest that goes on under a newer generation has run under it: no second start there either (H3).
        var started = acts.HasFlag(NodeActs.AdoptRecord) ? Math.Max(stored.Started, record.Number) : stored.Started;
        // What was opened for it as a candidate was opened for it as a record.
        var opened = record.SameAs(stored.Candidate) ? Math.Max(stored.ExportOpened, record.Number) : stored.ExportOpened;
        return new Decision(stored with { Record = record, Candidate = null, ExportOpened = opened, Started = started, Holds = Holds(stored.Holds, record) }, acts);
    }

    /// <summary>R2: what the copy here was last equal under, as long as it is the same primary's copy.</summary>
    private GenerationRecord? Holds(GenerationRecord? held, GenerationRecord record) =>
        record.Secondary != node ? null
        : record.Sync == SyncState.InSync ? record
        : held?.Primary == record.Primary ? held : null;

    /// <summary>
    /// Before everything of an instance that lives on elsewhere is removed here: a node that has heard of a newer record may be needed under it,
    /// and the order was late. The record stays, so that whatever else is late finds it (H7).
    /// </summary>
    public Outcome<Decision> Clean(StoredGenerations stored, GenerationRecord record, NodeFacts facts) =>
        (record.Primary == node || record.Secondary == node) && _rules.NamedIsKept
            ? new Refusal("generation.names-node", $"{record} names {node}; its copy is not removed.") { Field = "record" }
            : Store(stored, record, facts);

    public Outcome<Decision> OpenReplica(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Secondary != node) return WrongNode(record, "secondary");
        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        if (facts.OpenExport == record.Number && !IsOthers(stored, record)) return store.Value with { Acts = store.Value.Acts | NodeActs.Already };
        if (store.Value.Next.ExportOpened >= record.Number && _rules.ExportOpensOnce)
            return new Refusal("replica.spent", $"The export of generation {record.Number} was opened here before and is gone.", "Make a new generation and copy.");
        return new Decision(store.Value.Next with { ExportOpened = record.Number }, store.Value.Acts | NodeActs.OpenExport);
    }

    /// <summary>From here no challenge for this generation is answered. The record is stored with it: the engine may know more than we do.</summary>
    public Outcome<Decision> StandDown(StoredGenerations stored, GenerationRecord record, NodeFacts facts, Guid operation)
    {
        if (record.Secondary != node) return WrongNode(record, "secondary");
        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        return store.Value with { Next = store.Value.Next with { StoodDown = record.Number, StoodDownBy = operation } };
    }

    /// <summary>How long ago the primary was heard, for the answer to a stand-down. Asked after the stand-down is durable.</summary>
    public StandDownReply Heard(GenerationRecord record, TimeSpan now) => Heard(record.Instance, record.Primary, now);

    public StandDownReply Heard(Guid instance, string primary, TimeSpan now) => new(
        _heard.TryGetValue((instance, primary), out var at) ? Milliseconds(now - at) : null,
        Milliseconds(_rules.RestartCountsAsHeard ? now - startedAt : TimeSpan.FromDays(365)));

    /// <param name="of">The operation of the stand-down that is taken back: a late order must not undo a later promotion's.</param>
    public Outcome<Decision> StandUp(StoredGenerations stored, GenerationRecord record, Guid of)
    {
        if (Check(stored, record, NodeFacts.Nothing) is { } refusal) return refusal;
        return new Decision(stored.StoodDown == record.Number && stored.StoodDownBy == of ? stored with { StoodDown = 0 } : stored, NodeActs.None);
    }

    /// <summary>
    /// Whether the secondary stands behind what the primary asked for. The challenge counts as received whatever the answer; by primary and
    /// not by generation, because a primary takes the lease of one generation along into the next.
    /// </summary>
    public bool Answers(StoredGenerations stored, string from, GenerationRecord asked, TimeSpan now)
    {
        if (asked.Primary != from) return false;
        _heard[(asked.Instance, from)] = now;
        return stored.Record is { } mine && asked.SameAs(mine) && mine.Primary == from && mine.Secondary == node
            && mine.Sync == SyncState.InSync && (stored.StoodDown != mine.Number || !_rules.StandDownSilences);
    }

    public Outcome<Decision> Start(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (facts.Guest is { } guest)
        {
            return guest.SameAs(record)
                ? new Decision(stored, NodeActs.Already)
                : new Refusal("guest.running", $"A guest of this instance runs under {guest}.", "Stop it first.");
        }

        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        if (stored.Started >= record.Number && _rules.StartsOnce)
            return new Refusal("generation.spent", $"A guest was started under generation {record.Number} before.", "Make a new generation for every start.");
        if (record.Sync == SyncState.Alone && stored.Promised == record.Number) return Promised(record);
        if (record.Sync == SyncState.InSync && _rules.InSyncNeedsLease && !facts.Lease)
            return new Refusal("lease.missing", $"Neither the engine nor the secondary has answered a challenge for {record}.", "Wait for the next heartbeat.");
        var incoming = facts.Incoming is null ? NodeActs.None : NodeActs.KillIncoming;
        return new Decision(store.Value.Next with { Started = record.Number }, store.Value.Acts | incoming | NodeActs.StartGuest);
    }

    public Outcome<Decision> Degrade(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (record.Sync != SyncState.Alone)
            return new Refusal("generation.not-alone", $"{record} is in sync; a guest goes on alone only under a record that says so.") { Field = "record" };
        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        if (stored.Promised == record.Number) return Promised(record);
        return facts.Guest is null ? store : store.Value with { Acts = store.Value.Acts | NodeActs.Degrade };
    }

    public Outcome<Decision> BeginCopy(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (record.Secondary is null) return new Refusal("generation.no-secondary", $"{record} names no secondary to copy to.") { Field = "record" };
        if (stored.Promised == record.Number && record.SameAs(stored.Record)) return new Decision(stored, NodeActs.Already);
        if (record.Sync != SyncState.Alone)
            return new Refusal("generation.not-alone", $"{record} is in sync already.") { Field = "record" };
        var store = Store(stored, record, facts);
        return store.Ok ? store.Value with { Acts = store.Value.Acts | NodeActs.BeginCopy } : store.Refusal;
    }

    /// <summary>R2, asked when both copies are equal and the guest is paused.</summary>
    public Outcome<Decision> Promise(StoredGenerations stored, GenerationRecord record)
    {
        if (!record.SameAs(stored.Record)) return new Refusal("generation.stale", $"The copy was made under {record}; newest here is {stored.Record}.");
        return new Decision(stored with { Promised = record.Number }, NodeActs.None);
    }

    public Outcome<Decision> CancelCopy(StoredGenerations stored) => stored.Record is { } record && stored.Promised == record.Number
        ? Promised(record)
        : new Decision(stored, NodeActs.None);

    /// <summary>After a restart of the agent or the node: what of the leftovers may stay.</summary>
    public NodeActs Recover(StoredGenerations stored, NodeFacts facts)
    {
        var acts = NodeActs.None;
        if (stored.Record is not { } newest) return acts;
        // Nobody would finish it; its source goes on or the guest is started anew.
        if (facts.Incoming is not null) acts |= NodeActs.KillIncoming;
        if (facts.Guest is { } guest)
        {
            if (newest.Primary != node && newest.Number >= guest.Number) acts |= _rules.OtherPrimaryKills ? NodeActs.KillGuest : NodeActs.None;
            else if (newest.Primary == node) acts |= NodeActs.AdoptRecord;
        }

        if (facts.OpenExport is { } open && open != stored.Candidate?.Number && (open != newest.Number || newest.Secondary != node)) acts |= NodeActs.CloseExport;
        return acts;
    }

    private Refusal? Check(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (stored.Record is not { } mine) return null;
        if (record.Number < mine.Number) return _rules.StaleRefused ? Stale(mine, record) : null;
        var needsPromise = record.Primary == node && record.Sync == SyncState.InSync && _rules.PromiseComesFirst;
        if (record.Number > mine.Number)
            return needsPromise && facts.Guest is { Sync: SyncState.Alone } guest && stored.Promised != guest.Number ? NotPromised(record) : NotJoined(record, facts);

        if (_rules.ConflictRefused && (!record.SameAs(mine) || record.Primary != mine.Primary || record.Secondary != mine.Secondary)) return Conflict(mine, record);
        return (mine.Sync, record.Sync) switch
        {
            (SyncState.InSync, SyncState.Alone) => _rules.StaleRefused ? Stale(mine, record) : null,
            (SyncState.Alone, SyncState.InSync) => needsPromise && stored.Promised != record.Number ? NotPromised(record) : null,
            (SyncState.InSync, SyncState.InSync) or (SyncState.Alone, SyncState.Alone) => null,
        };
    }

    private Refusal WrongNode(GenerationRecord record, string role) =>
        new($"generation.wrong-{role}", $"{record} does not name {node} as its {role}.") { Field = "record" };

    private static Refusal Stale(GenerationRecord mine, GenerationRecord theirs) => new("generation.stale", $"Newest here is {mine}; {theirs} is older.") { Field = "record" };

    private static Refusal Conflict(GenerationRecord mine, GenerationRecord theirs) =>
        new("generation.conflict", $"Two engines made generation {mine.Number}: {mine} and {theirs}.", "Stop one engine; a person must decide which copy is right.") { Field = "record" };

    private static Refusal NotPromised(GenerationRecord record) =>
        new("generation.not-promised", $"This node has not promised to stop writing alone, so {record} cannot be.", "Copy the disks first.") { Field = "record" };

    private static Refusal Promised(GenerationRecord record) =>
        new("mirror.promised", $"This node has promised never to write alone under generation {record.Number}.", "Make a new generation.") { Field = "record" };

    private static long Milliseconds(TimeSpan t) => (long)t.TotalMilliseconds;
}
