// The invariants of DESIGN 6, checked where they could first be broken: a guest begins to execute, a write is acknowledged, a record is stored.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Testing.Simulator;

public sealed class Truth(SimWorld world)
{
    private readonly Dictionary<Guid, Told> _told = [];

    /// <summary>Writes acknowledged so far.</summary>
    public int Acknowledged(Guid instance) => Of(instance).Acknowledged.Count;

    public SimGuest? Executing(Guid instance) => Of(instance).Executing.SingleOrDefault();

    public int NextWrite(Guid instance) => ++Of(instance).LastWrite;

    public void Begins(SimGuest guest, bool start)
    {
        var told = Of(guest.Instance);
        if (!told.Executing.Add(guest)) return;
        world.Check(told.Executing.Count == 1, $"{world.NameOf(guest.Instance)} runs twice: on {string.Join(" and ", told.Executing.Select(g => $"{g.Node.Name} ({g.Record})"))}.");
        if (start) CheckDisk(guest, told);
    }

    /// <summary>A guest's system is started from its disks: what ran before is over.</summary>
    public void Boots(SimGuest guest) => Of(guest.Instance).Execution = guest.Execution;

    /// <summary>A guest is about to go on at a migration's target, from the state in which its source had begun to execute so often (R4, H9).</summary>
    public void GoesOn(SimGuest guest, int stints)
    {
        var name = world.NameOf(guest.Instance);
        world.Check(guest.Execution == Of(guest.Instance).Execution, $"{name} goes on on {guest.Node.Name} although it was started anew since its state was taken (R4).");
        world.Check(guest.Execution.Stints == stints, $"{name} goes on on {guest.Node.Name} from a state after which it ran on elsewhere (R4, H9).");
    }

    public void Rests(SimGuest guest) => Of(guest.Instance).Executing.Remove(guest);

    /// <summary>What a flush that is issued now will cover: what was acknowledged before it, not what comes while it is under way.</summary>
    public WriteSet CoveredByFlush(Guid instance) => Of(instance).Acknowledged.Clone();

    /// <param name="covered">With a flush: what it covers beside the write itself.</param>
    public void Acknowledge(SimGuest guest, int write, WriteSet? covered)
    {
        var told = Of(guest.Instance);
        world.Check(told.Executing.Contains(guest) && told.Executing.Count == 1, $"{guest.Node.Name} acknowledged a write of {world.NameOf(guest.Instance)} without being the one that runs.");
        told.Acknowledged.Add(write);
        if (covered is not null)
        {
            told.Flushed.UnionWith(covered);
            told.Flushed.Add(write);
        }

        if (guest.Record is null || guest.Both) return;
        if (world.Forked)
        {
            world.Check(told.Made.Any(m => m.SameAs(guest.Record) && m.Sync == SyncState.Alone && m.Primary == guest.Node.Name),
                $"{guest.Node.Name} acknowledged a write of {world.NameOf(guest.Instance)} alone under {guest.Record}, which no engine made (R1).");
            return;
        }

        if (world.Database.Find(guest.Instance)?.Generation is not { } recorded) return;
        world.Check(recorded.Sync == SyncState.Alone && recorded.Primary == guest.Node.Name,
            $"{guest.Node.Name} acknowledged a write of {world.NameOf(guest.Instance)} alone under {guest.Record} while the engine's record is {recorded} (R1, R2).");
    }

    /// <summary>The guest reads what is there: that counts from now on as known to the world (H3).</summary>
    private void CheckDisk(SimGuest guest, Told told)
    {
        if (guest.Copy is not { } copy) return;
        var name = world.NameOf(guest.Instance);
        world.Check(!copy.Torn, $"{name} starts on {guest.Node.Name} from a copy that is not whole.");
        var lost = told.Acknowledged.Without(copy.Content);
        var flushed = lost.Where(told.Flushed.Contains).ToList();
        world.Check(flushed.Count == 0, $"{name} starts on {guest.Node.Name} without {flushed.Count} flushed writes, the first is {flushed.FirstOrDefault()}.");
        var unexplained = lost.Where(n => !copy.LostToPower.Contains(n)).ToList();
        world.Check(unexplained.Count == 0, $"{name} starts on {guest.Node.Name} without {unexplained.Count} acknowledged writes, the first is {unexplained.FirstOrDefault()}.");
        foreach (var n in lost) told.Acknowledged.Remove(n);
        told.Acknowledged.UnionWith(copy.Content);
        told.Flushed.UnionWith(copy.Stable);
        if (guest.Record is { Sync: SyncState.InSync, Secondary: { } other })
        {
            var there = world.Node(other).CopyOf(guest.Instance);
            world.Check(there is { Torn: false } && there.Content.SameAs(copy.Content), $"{name} starts in sync on {guest.Node.Name}, but the copy on {other} differs (R2).");
        }
    }

    /// <summary>Called with each instance row that becomes durable.</summary>
    public void Stored(Instance? before, Instance after)
    {
        if (after.Generation is not { } now) return;
        var told = Of(after.Id);
        if (after.StartOrdered >= now.Number) told.Ordered.Add((now.Number, now.Tag));
        // Taken over from another history of the database: it was checked when it was made.
        if (!told.Made.Add(now) && before?.Generation != now) return;
        if (before?.Generation is not { } was) return;
        var name = after.Name;
        world.Check(now.Number >= was.Number, $"{name}: generation went back from {was} to {now}.");
        if (now.Number == was.Number)
        {
            world.Check(now.SameAs(was) && now.Primary == was.Primary && now.Secondary == was.Secondary, $"{name}: {was} became {now} without a new number.");
            world.Check(now.Sync == was.Sync || now.Sync == SyncState.InSync, $"{name}: {was} became {now} without a new number.");
            if (now.Sync != was.Sync)
                world.Check(world.FindNode(now.Primary)?.Stored(after.Id).Promised == now.Number, $"{name}: {now} recorded before {now.Primary} promised (R2).");
        }

        if (world.Forked && now.Number >= was.Number + Engine.Plan.Doubts.Leap) return;   // on a person's word, right or wrong
        if (now.Primary != was.Primary)
            world.Check(was.Sync == SyncState.InSync && was.Secondary == now.Primary, $"{name}: {now.Primary} promoted from {was} (R4).");
        if (now.Number > was.Number && now is { Sync: SyncState.InSync } && now.Primary == was.Primary && now.Secondary != was.Secondary && Executing(after.Id) is { } runs && runs.Node.Name == now.Primary)
            world.Check(runs.Third is { Phase: WebManager.Contracts.Agent.ThirdPhase.Joined } third && third.Is(now), $"{name}: {now} recorded before {now.Primary} writes to {now.Secondary} (R4, H7).");
        if (now.Number > was.Number && now.Sync == SyncState.InSync)
            world.Check(was.Sync == SyncState.InSync || before.FreshDisks || before.CleanEnd == was.Number || was.Number == 0, $"{name}: in sync under a new number after {was} (R2).");
    }

    /// <summary>A keeper kills only what needs a lease and has none, or what has another primary by now (R3; H10, H11).</summary>
    public void KilledByKeeper(SimGuest guest, GenerationRecord under, TimeSpan? until, bool paused)
    {
        // Whichever engine made it: a newer record with another primary dooms the guest.
        if (world.Forked && Of(guest.Instance).Made.Any(m => m.Number > under.Number && m.Primary != guest.Node.Name)) return;
        if (world.Database.Find(guest.Instance)?.Generation is not { } recorded || recorded.Primary != guest.Node.Name) return;
        var leased = NeedsLease(guest, under);
        world.Check(!paused, $"{guest.Node.Name} kills {world.NameOf(guest.Instance)} under {under}, which stands still and needs no lease (R3).");
        world.Check(leased && until <= guest.Node.Now, $"{guest.Node.Name} kills {world.NameOf(guest.Instance)} under {under} (recorded: {recorded}), which {(leased ? "has a lease" : "needs no lease")} (R3).");
    }

    /// <summary>A guest that was told to stand still goes on: with a lease, or because it needs none any more (R3, H12).</summary>
    public void GoesOn(SimGuest guest, TimeSpan? until) =>
        world.Check(until is null || until > guest.Node.Now, $"{guest.Node.Name} lets {world.NameOf(guest.Instance)} go on without a lease (R3).");

    private static bool NeedsLease(SimGuest guest, GenerationRecord under) =>
        under.Sync == SyncState.InSync || guest.Both || guest.Node.Stored(guest.Instance).Promised == under.Number;

    /// <summary>An order is about to be carried out (R5).</summary>
    public void Obeys(SimNode node, long known, long epoch) =>
        world.Check(epoch >= known, $"{node.Name} obeys an engine of epoch {epoch}, although it knows one of epoch {known} (R5).");

    /// <summary>A node makes a record durable: never an older one than it had.</summary>
    public void Keeps(SimNode node, StoredGenerations before, StoredGenerations after) =>
        world.Check((after.Record?.Number ?? 0) >= (before.Record?.Number ?? 0), $"{node.Name} stores {after.Record} after {before.Record}.");

    /// <summary>A write arrives through an export (H5, H17).</summary>
    public void ArrivesAt(SimNode node, Guid instance, long generation)
    {
        var runs = Executing(instance);
        world.Check(runs is null || runs.Node != node, $"A write under generation {generation} reaches the copy of {world.NameOf(instance)} on {node.Name}, beneath the guest that runs there under {runs?.Record} (R4).");
    }

    /// <summary>Called when a node is told to start a guest: the engine must have stored that it does (R4, H8).</summary>
    public void StartOrdered(Guid instance, GenerationRecord? record)
    {
        if (record is null || Of(instance) is not { Made.Count: > 0 } told) return;
        world.Check(told.Made.Any(m => m.SameAs(record)), $"{world.NameOf(instance)}: start under {record}, which no engine has stored.");
        world.Check(told.Ordered.Contains((record.Number, record.Tag)), $"{world.NameOf(instance)}: start under {record} sent before \"start ordered\" was stored.");
    }

    /// <summary>Called when a node has stored a record. From its primary's on it is in force; two of one number never are (R5, H6).</summary>
    public void Kept(string node, GenerationRecord record)
    {
        if (record.Primary != node) return;
        var told = Of(record.Instance);
        world.Check(!told.InForce.Any(r => r.Number == record.Number && !r.SameAs(record)), $"{world.NameOf(record.Instance)}: {record} is in force beside {told.InForce.FirstOrDefault(r => r.Number == record.Number)} (R5).");
        told.InForce.Add(record);
    }

    private Told Of(Guid instance)
    {
        if (!_told.TryGetValue(instance, out var told)) _told[instance] = told = new Told();
        return told;
    }

    private sealed class Told
    {
        public int LastWrite { get; set; }
        public WriteSet Acknowledged { get; } = new();
        public WriteSet Flushed { get; } = new();
        public HashSet<SimGuest> Executing { get; } = [];

        /// <summary>The newest run of the guest's system.</summary>
        public Execution? Execution { get; set; }

        /// <summary>Every record that any engine stored, those whose start was marked as ordered, and those that their primary stored.</summary>
        public HashSet<GenerationRecord> Made { get; } = [];
        public HashSet<(long, string)> Ordered { get; } = [];
        public HashSet<GenerationRecord> InForce { get; } = [];
    }
}
