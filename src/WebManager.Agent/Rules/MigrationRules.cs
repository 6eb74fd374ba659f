// R4 for live migration, the nodes' half (docs/replication.md).
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

public sealed partial class NodeRules
{
    /// <summary>Whether what waits for a migrating guest may go on waiting beside the record: the one it came under, or the next one, which names this node.</summary>
    private bool Outlives(long? incoming, GenerationRecord newest) =>
        incoming is not { } g || newest.Number == g || (newest.Number == g + 1 && newest.Primary == node && newest.Sync == SyncState.InSync);

    public Outcome<Decision> Receive(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Secondary != node) return WrongNode(record, "secondary");
        if (record.Sync != SyncState.InSync) return new Refusal("mirror.not-in-sync", $"{record} is not in sync; only equal copies let a guest move alive.") { Field = "record" };
        if (facts.Guest is { } guest) return new Refusal("guest.running", $"A guest of this instance runs here under {guest}.", "Stop it first.");
        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        if (facts.OpenExport != record.Number) return new Refusal("replica.not-open", $"The export of generation {record.Number} is not open here.", "Wait until the instance is in sync again.");
        // One that waits from an earlier try may have taken in half a guest.
        return store.Value with { Acts = store.Value.Acts | (facts.Incoming is null ? NodeActs.None : NodeActs.KillIncoming) | NodeActs.StartIncoming };
    }

    public Outcome<Decision> Send(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (!record.SameAs(stored.Record)) return new Refusal("generation.stale", $"Newest here is {stored.Record}, not {record}.") { Field = "record" };
        if (facts.Guest is not { } guest) return new Refusal("guest.absent", "No guest of this instance runs here.", "Start it, or fail over.");
        if (facts.Third is { Phase: not ThirdPhase.Failed }) return new Refusal("mirror.copying", "A copy for another secondary is under way.", "Wait for its end, or drop it.");
        return guest is { Sync: SyncState.InSync } && guest.SameAs(record)
            ? new Decision(stored, NodeActs.SendGuest)
            : new Refusal("mirror.not-in-sync", $"The guest runs under {guest}.", "Wait until it is in sync.");
    }

    /// <summary>R1: an export that was closed is never opened again, so from here the primary completes no write under this generation.</summary>
    public Outcome<Decision> Release(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Secondary != node) return WrongNode(record, "secondary");
        if (!record.SameAs(stored.Record)) return new Refusal("generation.stale", $"Newest here is {stored.Record}, not {record}.") { Field = "record" };
        var spent = stored with { ExportOpened = Math.Max(stored.ExportOpened, record.Number) };
        return new Decision(spent, facts.OpenExport is null ? NodeActs.Already : NodeActs.CloseExport);
    }

    /// <summary>H9: asked after the source stopped for good, before it is reaped. Null: the target may have it.</summary>
    public Refusal? Switched(SourceFacts source) =>
        !source.Sent ? new Refusal("migration.failed", "The guest's state did not get through whole.", "The guest is started anew or goes on here.")
        : source.RanSince && _rules.SourceMustRest ? new Refusal("migration.failed", "The guest ran on here after its pause; what was sent is outdated.", "The guest goes on here.")
        : null;

    public Outcome<Decision> TakeOver(StoredGenerations stored, GenerationRecord record, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (facts.Guest is { } guest)
        {
            return guest.SameAs(record)
                ? new Decision(stored, NodeActs.Already)
                : new Refusal("guest.running", $"A guest of this instance runs under {guest}.", "Stop it first.");
        }

        if (facts.Incoming != record.Number - 1 || !facts.IncomingWhole)
            return new Refusal("migration.gone", $"No guest that was sent whole under generation {record.Number - 1} waits here.", "Start it anew.");
        var store = Store(stored, record, facts);
        if (!store.Ok) return store.Refusal;
        if (stored.Started >= record.Number && _rules.StartsOnce)
            return new Refusal("generation.spent", $"A guest was started under generation {record.Number} before.", "Make a new generation for every start.");
        if (record.Sync != SyncState.InSync) return new Refusal("mirror.not-in-sync", $"{record} is not in sync.") { Field = "record" };
        if (_rules.InSyncNeedsLease && !facts.Lease)
            return new Refusal("lease.missing", $"Neither the engine nor the secondary has answered a challenge for {record}.", "Wait for the next heartbeat.");
        return new Decision(store.Value.Next with { Started = record.Number }, store.Value.Acts | NodeActs.TakeOver);
    }
}
