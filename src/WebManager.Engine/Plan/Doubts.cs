// What becomes of an instance whose stored record may not be the newest (R5). Pure.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <summary>One node with what it has of the instance. Answered: under this engine's epoch, which every older engine is refused for from then on.</summary>
public sealed record Witness(string Node, bool Answered, InstanceReport? Report);

public abstract record Verdict
{
    /// <summary>The stored record is the newest.</summary>
    public sealed record Current : Verdict;

    /// <summary>A newer one is in force. Former: its secondary may still run a guest under this older one.</summary>
    public sealed record Adopt(GenerationRecord Record, GenerationRecord? Former) : Verdict;

    /// <summary>These nodes have to answer first.</summary>
    public sealed record Wait(IReadOnlyList<string> Nodes) : Verdict;

    /// <summary>Neither node has anything of an instance that was started before.</summary>
    public sealed record Gone : Verdict;

    /// <summary>Two engines made different records of one number.</summary>
    public sealed record Conflict(GenerationRecord One, GenerationRecord Other) : Verdict;
}

public static class Doubts
{
    /// <summary>Added to the number of a record made on a person's word, so that it is above whatever the lost history made.</summary>
    public const long Leap = 1000;

    /// <summary>
    /// A record is in force once its primary has stored it, and the next one's primary is one of its two nodes. So when both nodes of the newest
    /// record heard of have answered, and neither knows a newer one, there is none in force.
    /// </summary>
    public static Verdict Next(Instance i, IReadOnlyList<Witness> all)
    {
        var (newest, own) = (Newest(i, all), i.Generation);
        if (newest is null) { return Missing([i.Primary, i.Secondary], all) is { Count: > 0 } silent ? new Verdict.Wait(silent) : new Verdict.Current(); }
        if (Heard(all).FirstOrDefault(r => r.Number == newest.Number && !r.SameAs(newest)) is { } other) { return new Verdict.Conflict(newest, other); }
        // This database's own record of that number counts for nothing once its nodes have said that they never had it.
        var rival = own is not null && own.Number == newest.Number && !own.SameAs(newest) ? own : null;
        if (Missing([newest.Primary, newest.Secondary, rival?.Primary, rival?.Secondary], all) is { Count: > 0 } needed) { return new Verdict.Wait(needed); }
        // What a former secondary remembers of the records after it was cleaned is no copy.
        if (all.All(w => w.Report is null or { Disks: 0, Stored: null } || (w.Report is { Disks: 0, Stored: { } told } && told.Primary != w.Node && told.Secondary != w.Node))) { return new Verdict.Gone(); }
        return newest == own ? new Verdict.Current() : new Verdict.Adopt(newest, FormerOf(newest, all));
    }

    /// <summary>
    /// The newest record that this database or any node that answered has. Of one number: the one that its own primary shows; in sync counts as
    /// newer than alone.
    /// </summary>
    public static GenerationRecord? Newest(Instance i, IReadOnlyList<Witness> all) => Heard(all).Append(i.Generation).OfType<GenerationRecord>()
        .OrderByDescending(r => r.Number).ThenBy(r => InForce(r, all) ? 0 : 1).ThenBy(r => r.Sync == SyncState.InSync ? 0 : 1).ThenBy(r => r == i.Generation ? 0 : 1).FirstOrDefault();

    private static IEnumerable<GenerationRecord> Heard(IReadOnlyList<Witness> all) => all.Where(w => w.Answered).Select(w => w.Report?.Stored).OfType<GenerationRecord>();

    private static bool InForce(GenerationRecord record, IReadOnlyList<Witness> all) => all.Any(w => w.Answered && w.Node == record.Primary && record.SameAs(w.Report?.Stored));

    public static string Text(Instance i, IReadOnlyList<Witness> all)
    {
        var why = $"Nothing is decided for it: {i.Doubt!.Why}";
        return Next(i, all) switch
        {
            Verdict.Wait w => $"{why}, and {string.Join(" and ", w.Nodes)} must answer first. Bring {(w.Nodes.Count == 1 ? "it" : "them")} back; if {(w.Nodes.Count == 1 ? "it is" : "one is")} off for good, confirm that.",
            Verdict.Conflict c => $"{why}, and two engines made generation {c.One.Number}: {c.One} and {c.Other}. Switch off the node whose copy is wrong, then confirm that it is off.",
            _ => $"{why}; its nodes have answered, it goes on in a moment.",
        };
    }

    private static List<string> Missing(IEnumerable<string?> nodes, IReadOnlyList<Witness> all) =>
        nodes.OfType<string>().Distinct().Where(n => !all.Any(w => w.Node == n && w.Answered)).ToList();

    /// <summary>
    /// Its secondary was primary before, and its guest may not be reaped yet: no start before that (R4). Or its primary has not heard of the
    /// secondary that it names, and still answers to another one: a handover that is open.
    /// </summary>
    private static GenerationRecord? FormerOf(GenerationRecord newest, IReadOnlyList<Witness> all)
    {
        if (newest.Secondary is { } other && all.FirstOrDefault(w => w.Node == other)?.Report is { Guest: not GuestPhase.Absent } running)
        {
            return new GenerationRecord(newest.Instance, running.GuestGeneration, running.Stored?.Tag ?? "", other, newest.Primary, SyncState.InSync);
        }
        return all.FirstOrDefault(w => w.Node == newest.Primary)?.Report is { Guest: not GuestPhase.Absent, Stored: { Sync: SyncState.InSync } before }
            && before.Number < newest.Number && before.Primary == newest.Primary && before.Secondary != newest.Secondary ? before : null;
    }
}
