// R4 for a change of secondary while both copies are good, the nodes' half (docs/replication.md, H7).
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Rules;

public sealed partial class NodeRules
{
    /// <summary>
    /// The export opens under the candidate's name without its being a record here. A second try has the same number and another tag: what the
    /// first one left was never in force, so it goes.
    /// </summary>
    public Outcome<Decision> OpenCandidate(StoredGenerations stored, GenerationRecord candidate, NodeFacts facts)
    {
        if (!_rules.CandidateIsNoRecord) return OpenReplica(stored, candidate, facts);
        if (candidate.Secondary != node) return WrongNode(candidate, "secondary");
        if (stored.Record is { } mine)
        {
            if (candidate.SameAs(mine)) return OpenReplica(stored, candidate, facts);   // it was decided meanwhile
            if (candidate.Number <= mine.Number) return Stale(mine, candidate);
        }
        if (stored.Candidate is { } newer && newer.Number > candidate.Number) return Stale(newer, candidate);
        if (facts.Guest is { } guest) return new Refusal("guest.running", $"A guest of this instance runs here under {guest}.", "Stop it first.");
        var (again, open) = (candidate.SameAs(stored.Candidate), facts.OpenExport is not null);
        if (again && facts.OpenExport == candidate.Number) return new Decision(stored, NodeActs.Already);
        if ((again || stored.ExportOpened >= candidate.Number) && _rules.ExportOpensOnce)
            return new Refusal("replica.spent", $"The export of generation {candidate.Number} was opened here before and is gone.", "Make a new candidate and copy.");
        var next = stored with { Candidate = candidate, Holds = null };
        return new Decision(next, (open ? NodeActs.CloseExport : NodeActs.None) | (facts.Incoming is null ? NodeActs.None : NodeActs.KillIncoming) | NodeActs.OpenExport);
    }

    /// <summary>An export that is a candidate's, and not that of the record that is stored now.</summary>
    private static bool IsOthers(StoredGenerations stored, GenerationRecord record) => stored.Candidate is { } candidate && !candidate.SameAs(record);

    public Outcome<Decision> AddCopy(StoredGenerations stored, GenerationRecord record, GenerationRecord candidate, NodeFacts facts)
    {
        if (record.Primary != node) return WrongNode(record, "primary");
        if (candidate.SameAs(stored.Record)) return new Decision(stored, NodeActs.Already);
        if (!record.SameAs(stored.Record)) return new Refusal("generation.stale", $"Newest here is {stored.Record}, not {record}.") { Field = "record" };
        if (facts.Guest is not { } guest) return new Refusal("guest.absent", "No guest of this instance runs here.", "It is copied while it runs.");
        return guest is { Sync: SyncState.InSync } && guest.SameAs(record)
            ? new Decision(stored, NodeActs.AddCopy)
            : new Refusal("mirror.not-in-sync", $"The guest runs under {guest}.", "Wait until it is in sync.");
    }

    /// <summary>Null: the guest may go back to its pair.</summary>
    public Refusal? DropCopy(StoredGenerations stored, GenerationRecord candidate) =>
        candidate.SameAs(stored.Record) ? new Refusal("mirror.decided", $"{candidate} is the record here; its copy is not dropped.", "Make a new generation.") : null;

    /// <summary>A guest in sync confirms its writes to the secondary of the record it runs under: another one counts only when it has them all, too.</summary>
    private Refusal? NotJoined(GenerationRecord record, NodeFacts facts) =>
        _rules.JoinedComesFirst && record.Primary == node && record.Sync == SyncState.InSync
        && facts.Guest is { Sync: SyncState.InSync } guest && record.Number > guest.Number && record.Secondary != guest.Secondary
        && !(facts.Third is { Phase: ThirdPhase.Joined } third && third.Is(record))
            ? new Refusal("generation.not-joined", $"The guest does not write to {record.Secondary} yet, so {record} cannot be.", "Copy the disks first.") { Field = "record" }
            : null;
}
