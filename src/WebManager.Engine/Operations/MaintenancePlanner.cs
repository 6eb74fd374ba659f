// What maintenance of a node does with each of its instances: shown before it is asked for, and followed by the job.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Operations;

internal static class MaintenancePlanner
{
    public static MaintenancePlan Plan(string node, Picture now, EngineParts parts)
    {
        var (leave, back) = (Leaving(node, now, parts), Returning(node, now, parts));
        var copies = now.Instances.Values.Where(i => i.Secondary == node || leave.Any(l => l.Id == i.Id && l.Kind != MoveKind.Stays)).Select(i => i.Name).Order(StringComparer.Ordinal);
        return new MaintenancePlan(node, leave, back, [.. copies]);
    }

    public static IReadOnlyList<PlannedMove> Leaving(string node, Picture now, EngineParts parts) => Moves(now.Instances.Values.Where(i => i.Primary == node), now, parts);

    /// <summary>Where it is primary already nothing has to be done; an instance that is gone is none.</summary>
    public static IReadOnlyList<PlannedMove> Returning(string node, Picture now, EngineParts parts)
    {
        if (!now.Nodes.TryGetValue(node, out var n) || n.Maintenance is not { Return: true } maintenance) { return []; }
        var homes = maintenance.Homes.Select(id => now.Instances.GetValueOrDefault(id)).OfType<Instance>().Where(i => i.Primary != node).ToList();
        // The check of a move asks for a node that is open; when these are looked at it will be, or is.
        var open = now with { Nodes = now.Nodes.SetItem(node, n with { Maintenance = null }) };
        var moves = Moves(homes.Where(i => i.Secondary == node), open, parts);
        return [.. moves, .. homes.Where(i => i.Secondary != node).Select(i => new PlannedMove(i.Id, i.Name, i.Primary, null, MoveKind.Stays, i.Wanted == AdminState.Up, Elsewhere(i, node)))];
    }

    /// <summary>The most important first. Each is looked at with the memory that those before it take.</summary>
    private static IReadOnlyList<PlannedMove> Moves(IEnumerable<Instance> instances, Picture now, EngineParts parts)
    {
        var promised = new Dictionary<string, long>(StringComparer.Ordinal);
        var moves = new List<PlannedMove>();
        foreach (var i in instances.OrderByDescending(i => i.Priority).ThenBy(i => i.Name, StringComparer.Ordinal))
        {
            var move = MoveOf(i, i.Secondary is { } to ? promised.GetValueOrDefault(to) : 0, now, parts);
            if (move is { Kind: not MoveKind.Stays, To: { } target } && i.Wanted == AdminState.Up) { promised[target] = promised.GetValueOrDefault(target) + i.MemoryMiB; }
            moves.Add(move);
        }
        return moves;
    }

    /// <summary>The door's own answer to the move that the job will ask for.</summary>
    private static PlannedMove MoveOf(Instance i, long promised, Picture now, EngineParts parts)
    {
        var request = Request(i.Name, i.Secondary);
        var why = Catalog.Of(request).Check(request, now, parts) ?? (i is { Wanted: AdminState.Up, Secondary: { } to } ? Room.Lacks(i, to, now, promised) : null);
        var kind = why is not null ? (Passes(why, i, now, parts) ? MoveKind.Later : MoveKind.Stays)
            : PowerChecks.Runs(i, parts) ? MoveKind.Migrate : MoveKind.Failover;
        if (why is { Code: "instance.not-mirrored" }) { why = why with { Remedy = $"It ends with {i.Primary}: stop it before that." }; }
        return new PlannedMove(i.Id, i.Name, i.Primary, i.Secondary, kind, i.Wanted == AdminState.Up, why);
    }

    /// <summary>One that does not run is moved, too: its roles are exchanged.</summary>
    public static MigrateInstance Request(string instance, string? to) => new(instance) { AllowFailover = true, To = to };

    /// <summary>What stands against it now ends by itself: it is being created or started, or its copy is being made whole.</summary>
    private static bool Passes(Refusal why, Instance i, Picture now, EngineParts parts) => why.Code switch
    {
        "instance.creating" or "instance.removing" => now.OpenJobOf(i.Name) is not null,
        "instance.starting" or "instance.paused" => true,
        "mirror.not-in-sync" => PowerChecks.Runs(i, parts) && i.Wanted == AdminState.Up && parts.Nodes.HealthOf(i.Secondary) == NodeHealth.Online,
        _ => false,
    };

    private static Refusal Elsewhere(Instance i, string node) => i.Secondary is null
        ? new Refusal("instance.not-mirrored", $"{i.Name} has no copy on another node.")
        : new Refusal("maintenance.copy-elsewhere", $"The copy of {i.Name} is on {i.Secondary} by now, so it cannot come back to {node} at once.", $"Make {node} its secondary again, then migrate it.");
}
