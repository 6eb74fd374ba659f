// Where a new instance, or a new copy of one, goes: free memory, then free disk, then fewest instances. Pure.
using WebManager.Contracts;

namespace WebManager.Engine.Placement;

/// <summary>A node as the allocator sees it; Free* is capacity less what its instances are promised, MiB.</summary>
public sealed record Candidate(string Name, bool Usable, string? WhyNot, long FreeMemoryMiB, long FreeDiskMiB, int Instances);

/// <summary>What has to fit. Fixed nodes are kept when they fit.</summary>
public sealed record Demand(long MemoryMiB, long DiskMiB, bool Mirrored, string? Primary, string? Secondary);

public sealed record Placed(string Primary, string? Secondary);

public static class Allocator
{
    /// <summary>The placement, or placement.no-room with the reason per node. A secondary must have room for the memory too, so that a failover fits.</summary>
    public static Outcome<Placed> Place(Demand demand, IReadOnlyCollection<Candidate> nodes)
    {
        var ranked = Ranked(nodes, demand).ToList();
        var primary = ranked.FirstOrDefault(n => demand.Primary is null ? n.Name != demand.Secondary : n.Name == demand.Primary);
        if (primary is null) { return NoRoom(demand, nodes, "primary", demand.Primary); }
        if (!demand.Mirrored) { return new Placed(primary.Name, null); }
        var secondary = ranked.FirstOrDefault(n => n.Name != primary.Name && (demand.Secondary is null || n.Name == demand.Secondary));
        return secondary is null ? NoRoom(demand, nodes, "secondary", demand.Secondary) : new Placed(primary.Name, secondary.Name);
    }

    /// <summary>Another node for the copy of an instance that stays on its primary, or placement.no-room with the reason per node.</summary>
    /// <param name="demand">Primary: where it stays. Secondary: the node wished for; null: the best.</param>
    /// <param name="former">The secondary that is replaced.</param>
    public static Outcome<string> PlaceSecondary(Demand demand, string former, IReadOnlyCollection<Candidate> nodes)
    {
        var others = nodes.Where(n => n.Name != demand.Primary && n.Name != former).ToList();
        var best = Ranked(others.Where(n => demand.Secondary is null || n.Name == demand.Secondary), demand).FirstOrDefault();
        return best is null ? NoRoom(demand, others, "secondary", demand.Secondary) with { Field = "secondary" } : best.Name;
    }

    private static IEnumerable<Candidate> Ranked(IEnumerable<Candidate> nodes, Demand demand) => nodes.Where(n => Misfit(n, demand) is null)
        .OrderByDescending(n => n.FreeMemoryMiB).ThenByDescending(n => n.FreeDiskMiB).ThenBy(n => n.Instances).ThenBy(n => n.Name, StringComparer.Ordinal);

    private static string? Misfit(Candidate node, Demand demand) =>
        !node.Usable ? node.WhyNot ?? "not usable"
        : node.FreeMemoryMiB < demand.MemoryMiB ? $"{Math.Max(0, node.FreeMemoryMiB)} MiB of memory free, {demand.MemoryMiB} needed"
        : node.FreeDiskMiB < demand.DiskMiB ? $"{Math.Max(0, node.FreeDiskMiB)} MiB of disk free, {demand.DiskMiB} needed"
        : null;

    private static Refusal NoRoom(Demand demand, IEnumerable<Candidate> nodes, string role, string? wanted)
    {
        var reasons = nodes.OrderBy(n => n.Name, StringComparer.Ordinal).Where(n => wanted is null || n.Name == wanted)
            .Select(n => $"{n.Name}: {Misfit(n, demand) ?? $"fits, but is taken as the other node"}").ToList();
        var text = reasons.Count == 0 ? "there is no other node" : string.Join("; ", reasons);
        return new Refusal("placement.no-room", $"No node can be the {role} of this instance: {text}.", "Make it smaller, add a node, or free some room.")
        {
            Field = wanted is null ? (reasons.Count > 0 && reasons.All(r => r.Contains("of disk free", StringComparison.Ordinal)) ? "disksMiB" : "memoryMiB") : role,
        };
    }
}
