// What former secondaries still have of an instance, and when it goes. Pure.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class OldCopies
{
    /// <summary>The list after a record that names these two: whoever is named no more joins it, whoever is named again leaves it.</summary>
    public static IReadOnlyList<string> After(Instance i, string primary, string? secondary)
    {
        var left = i.OldCopies.Concat(new[] { i.Primary, i.Secondary }.OfType<string>()).Where(n => n != primary && n != secondary).Distinct().ToList();
        return left.SequenceEqual(i.OldCopies) ? i.OldCopies : left;
    }

    /// <summary>Only when it is needed for nothing any more: both copies in force are whole, and no former primary has to be waited for.</summary>
    public static bool MayGo(Instance i, string node) =>
        i is { Stage: LifeStage.Ready, Doubt: null, Former: null, Generation.Sync: SyncState.InSync } && node != i.Primary && node != i.Secondary && node != i.Candidate?.Secondary;

    /// <summary>
    /// Something of the instance is on a node that its record does not name: kept in the list, or left there by an order that arrived late.
    /// A record is none: a cleaned node keeps it, so that it refuses older ones.
    /// </summary>
    public static bool IsThere(Instance i, string node, InstanceReport? report) =>
        report is not null
            ? (report.Stored is null || report.Stored.Number <= i.Generation?.Number) && report is not { Disks: 0, Guest: GuestPhase.Absent, ExportGeneration: null }
            : i.OldCopies.Contains(node);
}
