// Puts together what several nodes have of an instance that no record names, and says what is in the way of taking it up. Pure.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <summary>One node's word. Kept null: it keeps no note, or was not asked yet (Asked).</summary>
public sealed record Sighting(string Node, bool Answers, InstanceReport Report, KeptNote? Kept, bool Asked);

public static class Finding
{
    /// <summary>More than the record that a cleaned node keeps to refuse late orders.</summary>
    public static bool IsThere(InstanceReport r) => r is not { Disks: 0, Guest: GuestPhase.Absent, ExportGeneration: null, Migration: null, Note: null };

    /// <param name="health">Of a node by name; null: it is none of this cluster.</param>
    public static FoundInstance Of(Guid id, IReadOnlyList<Sighting> seen, Func<string, NodeHealth?> health)
    {
        var record = Newest(seen);
        var kept = NoteOf(seen, record);
        var (primary, secondary) = Places(seen, record, kept?.Note);
        var on = seen.Select(s => new FoundOn(s.Node, s.Answers, s.Report.Disks, s.Report.Guest)).ToList();
        var hindrance = Hindrance(seen, kept?.Note, record, primary, secondary, health);
        var parts = seen.Select(s => $"{s.Node}/{s.Answers}/{s.Report.Disks}/{s.Report.Guest}").Concat([$"{record}", $"{primary}/{secondary}", $"{kept?.Digest}/{kept?.Note.Guest.Name}", $"{hindrance?.Code}/{hindrance?.Message}"]);
        return new FoundInstance(id, on, primary, secondary) { Note = kept?.Note, Record = record, Hindrance = hindrance, Key = string.Join('|', parts) };
    }

    /// <summary>As in Doubts: of one number the one that its own primary shows.</summary>
    private static GenerationRecord? Newest(IReadOnlyList<Sighting> seen) => seen.Select(s => s.Report.Stored).OfType<GenerationRecord>()
        .OrderByDescending(r => r.Number).ThenBy(r => seen.Any(s => s.Node == r.Primary && r.SameAs(s.Report.Stored)) ? 0 : 1).ThenBy(r => r.Sync == SyncState.InSync ? 0 : 1).FirstOrDefault();

    /// <summary>The primary's counts, then the secondary's: an old copy's may be older.</summary>
    private static KeptNote? NoteOf(IReadOnlyList<Sighting> seen, GenerationRecord? record) => seen.Where(s => s.Kept is not null)
        .OrderBy(s => s.Node == record?.Primary ? 0 : s.Node == record?.Secondary ? 1 : 2).ThenBy(s => s.Kept!.Digest.Length == 0 ? 1 : 0).FirstOrDefault()?.Kept;

    private static (string Primary, string? Secondary) Places(IReadOnlyList<Sighting> seen, GenerationRecord? record, InstanceNote? note)
    {
        if (record is not null) { return (record.Primary, record.Secondary); }
        var home = (seen.FirstOrDefault(s => s.Report.Guest != GuestPhase.Absent) ?? seen.FirstOrDefault(s => s.Report.Disks > 0) ?? seen[0]).Node;
        return (home, note is { Guest.Template: DiskTemplate.Mirror } ? note.Nodes.FirstOrDefault(n => n != home) : null);
    }

    private static Refusal? Hindrance(IReadOnlyList<Sighting> seen, InstanceNote? note, GenerationRecord? record, string primary, string? secondary, Func<string, NodeHealth?> health)
    {
        foreach (var node in new[] { primary, secondary }.OfType<string>())
        {
            if (health(node) is not { } state) { return new Refusal("found.node-unknown", $"Its node {node} is none of this cluster.", $"Let {node} join first."); }
            if (state != NodeHealth.Online) { return new Refusal("node.not-online", $"Its node {node} does not answer.", $"Wait until {node} is back."); }
        }
        if (note is null)
        {
            return seen.Any(s => !s.Asked) ? new Refusal("found.asking", "Its nodes are being asked what it is.", "Wait a moment.")
                : new Refusal("found.no-note", $"Nothing on {string.Join(" and ", seen.Select(s => s.Node))} says what it is: it was never started, and made before nodes kept notes.", "Look at its images on the node, and remove them there when they are of no use.");
        }
        var disks = note.Guest.Disks.Count;
        if (disks == 0) { return null; }
        var whole = seen.Where(s => s.Report.Disks >= disks).Select(s => s.Node).ToList();
        if (note.Guest.Template == DiskTemplate.Mirror)
        {
            if (secondary is null && record is null) { return new Refusal("found.no-record", "It is mirrored, and nothing says on which nodes.", "Look at its images on the node."); }
            return whole.Contains(primary) || (secondary is not null && whole.Contains(secondary)) ? null : NoDisks(disks, primary, secondary);
        }
        return whole.Count > 1 ? new Refusal("found.twice", $"{string.Join(" and ", whole)} each have its disks, which are kept once only.", "Remove the copy that is wrong on its node.")
            : whole.Contains(primary) ? null : NoDisks(disks, primary, null);
    }

    private static Refusal NoDisks(int disks, string primary, string? secondary) =>
        new("found.no-disks", $"{primary}{(secondary is null ? " does" : $" and {secondary} do")} not have all of its {disks} disk(s).", "Bring the images back to the node's folder, then restart its agent.");
}
