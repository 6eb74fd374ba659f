// What must hold when nothing more happens: everything ended, nothing left over, and the engine's picture is what the nodes have.
using WebManager.Engine.Model;
using WebManager.Engine.Plan;
using WebManager.Engine.Quota;

namespace WebManager.Testing.Simulator;

public static class AtRest
{
    /// <summary>Sentences about what is not as it should be; none when all is well.</summary>
    public static IReadOnlyList<string> Faults(SimWorld world)
    {
        var faults = new List<string>();
        faults.AddRange(InCharge(world).Jobs.Where(j => !j.Ended).Select(j => $"Job {j.Id} {j.Request.Name} is still {j.Status} at step {j.Step}."));
        if (world.EngineExceptions > 0) faults.Add($"The engine logged {world.EngineExceptions} exceptions.");
        faults.AddRange(InCharge(world).Nodes.Where(n => n.Maintenance is { Ending: true }).Select(n => $"{n.Name} still waits for what was to come back from its maintenance."));
        if (world.InCharge is { Dead: false, Listens: true, Engine: { Halted: null } engine })
        {
            faults.AddRange(Ledger.Differences(engine.Now).Select(d => $"{d.Owner} is charged {d.Held} and holds {d.Counted}."));
            faults.AddRange(engine.Feeds.Owners.Current().Values.Where(o => o.PendingAllocated != default).Select(o => $"{o.Owner} still has {o.PendingAllocated} reserved."));
        }
        foreach (var node in world.Nodes.Where(n => n.Powered)) faults.AddRange(Leftovers(world, node));
        foreach (var instance in InCharge(world).Instances) faults.AddRange(Of(world, instance));
        return faults;
    }

    /// <summary>Sentences about what is not as its owner wants it.</summary>
    public static IEnumerable<string> Wishes(SimWorld world)
    {
        foreach (var i in InCharge(world).Instances.Where(i => i is { Wanted: AdminState.Up, Stage: LifeStage.Ready }))
        {
            if (world.Truth.Executing(i.Id) is null) yield return $"{i.Name} is wanted up and does not run ({i.Generation}).";
            else if (i is { Template: Contracts.DiskTemplate.Mirror, Mirror: not MirrorState.InSync }) yield return $"{i.Name} is still {i.Mirror} ({i.Generation}).";
        }
    }

    private static SimDatabase InCharge(SimWorld world) => world.InCharge?.Store.Database ?? world.Database;

    private static IEnumerable<string> Leftovers(SimWorld world, SimNode node)
    {
        foreach (var id in node.Disk.Keys.Concat(node.Guests.Keys).Concat(node.Exports.Keys).Distinct())
        {
            // All that is left is the record, which keeps late orders out.
            if (IsCleaned(node, id)) continue;
            var owner = InCharge(world).Find(id);
            if (owner is null) yield return $"{node.Name} holds {world.NameOf(id)}, which does not exist.";
            // An old copy stays until the present one is whole, which that of a stopped instance may not be.
            else if (owner.Primary != node.Name && owner.Secondary != node.Name && (owner.Secondary is null || OldCopies.MayGo(owner, node.Name))) yield return $"{node.Name} holds {owner.Name}, which is on {owner.Primary}/{owner.Secondary}.";
        }
    }

    private static bool IsCleaned(SimNode node, Guid id) => node.Disk.GetValueOrDefault(id) is { Copy: null, Stored.Record: { } told }
        && told.Primary != node.Name && told.Secondary != node.Name && !node.Guests.ContainsKey(id) && !node.Exports.ContainsKey(id);

    private static IEnumerable<string> Of(SimWorld world, Instance i)
    {
        var runs = world.Truth.Executing(i.Id);
        if (i.Stage is LifeStage.Creating or LifeStage.Removing) yield return $"{i.Name} is left in stage {i.Stage}.";
        if (i.Stage != LifeStage.Ready) yield break;
        if (i.Wanted == AdminState.Down && runs is not null) yield return $"{i.Name} is wanted stopped and runs on {runs.Node.Name}.";
        if (runs is not null && runs.Node.Name != i.Primary) yield return $"{i.Name} runs on {runs.Node.Name}, its primary is {i.Primary}.";
        if (runs is { Record: { } under } && i.Generation is { } g && under.Number != g.Number) yield return $"{i.Name} runs under {under}, newest is {g}.";
        if (i.Candidate is { } candidate) yield return $"{i.Name} still has the candidate {candidate}.";
        if (runs is { Third: { Phase: not Contracts.Agent.ThirdPhase.Failed } third }) yield return $"{i.Name} is still on a third copy, of generation {third.Number}.";
        if (runs is not null && i.Former is { } former && former.Primary == i.Primary) yield return $"{i.Name}: the handover from {former} is still open.";
        // What does not run gets its next record with its next start.
        foreach (var name in new[] { i.Primary, i.Secondary }.OfType<string>().Where(_ => runs is not null))
        {
            var node = world.FindNode(name);
            if (node is { Powered: true } && i.Generation is { Sync: Contracts.SyncState.InSync } now && node.Stored(i.Id).Record != now)
                yield return $"{i.Name}: {name} has stored {node.Stored(i.Id).Record}, newest is {now}.";
        }
    }
}
