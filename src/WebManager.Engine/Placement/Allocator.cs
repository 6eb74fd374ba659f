// Where a new instance, or a new copy of one, goes: free memory, then free disk, then fewest instances; both copies in one group and apart. Pure.
using WebManager.Contracts;

namespace WebManager.Engine.Placement;

/// <summary>A node as the allocator sees it; Free* is capacity less what its instances are promised, MiB.</summary>
public sealed record Candidate(string Name, bool Usable, string? WhyNot, long FreeMemoryMiB, long FreeDiskMiB, int Instances)
{
    /// <summary>The name of its node group.</summary>
    public string Group { get; init; } = "";

    /// <summary>Its failure domains by the cluster's rules, sorted: "rack:a".</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];
}

/// <summary>What has to fit. Fixed nodes are kept when they fit.</summary>
public sealed record Demand(long MemoryMiB, long DiskMiB, bool Mirrored, string? Primary, string? Secondary);

public sealed record Placed(string Primary, string? Secondary);

public static class Allocator
{
    /// <summary>
    /// The placement, placement.no-room with the reason per node, or placement.rule when only the rules that keep copies together in one group
    /// and apart in failure domains are in the way. A secondary must have room for the memory too, so that a failover fits.
    /// </summary>
    public static Outcome<Placed> Place(Demand demand, IReadOnlyCollection<Candidate> nodes)
    {
        var ranked = Ranked(nodes, demand).ToList();
        var primaries = ranked.Where(n => demand.Primary is null ? n.Name != demand.Secondary : n.Name == demand.Primary).ToList();
        if (primaries.Count == 0) { return NoRoom(demand, nodes, "primary", demand.Primary); }
        if (!demand.Mirrored) { return new Placed(primaries[0].Name, null); }
        var secondaries = demand.Secondary is { } wanted ? ranked.Where(n => n.Name == wanted).ToList() : ranked;
        if (Pair(primaries, secondaries) is { } pair) { return pair; }
        return secondaries.Any(s => primaries.Any(p => p != s)) ? Forbidden(demand, primaries, secondaries) : NoRoom(demand, nodes, "secondary", demand.Secondary);
    }

    /// <summary>Another node for the copy of an instance that stays on its primary, or a refusal as above.</summary>
    /// <param name="demand">Primary: where it stays. Secondary: the node wished for; null: the best.</param>
    /// <param name="former">The secondary that is replaced.</param>
    public static Outcome<string> PlaceSecondary(Demand demand, string former, IReadOnlyCollection<Candidate> nodes)
    {
        var others = nodes.Where(n => n.Name != demand.Primary && n.Name != former).ToList();
        var ranked = Ranked(others.Where(n => demand.Secondary is null || n.Name == demand.Secondary), demand).ToList();
        if (ranked.Count == 0) { return NoRoom(demand, others, "secondary", demand.Secondary) with { Field = "secondary" }; }
        var primary = nodes.First(n => n.Name == demand.Primary);
        return ranked.FirstOrDefault(n => Against(primary, n) is null) is { } best ? best.Name : Forbidden(demand, [primary], ranked) with { Field = "secondary" };
    }

    /// <summary>
    /// The best primary that has a secondary, with its best. Nodes of one group in the same domains have the same partners, so each such kind is
    /// searched in vain only once: two nodes in no domain are partners of each other.
    /// </summary>
    private static Placed? Pair(List<Candidate> primaries, List<Candidate> secondaries)
    {
        var alone = new HashSet<(string Group, string Domains)>();
        foreach (var primary in primaries)
        {
            var kind = (primary.Group, string.Join(' ', primary.Domains));
            if (alone.Contains(kind)) { continue; }
            if (secondaries.FirstOrDefault(s => s.Name != primary.Name && Against(primary, s) is null) is { } secondary) { return new Placed(primary.Name, secondary.Name); }
            alone.Add(kind);
        }
        return null;
    }

    /// <summary>The rule that keeps the two copies from these nodes; null: none.</summary>
    private static string? Against(Candidate primary, Candidate secondary) =>
        primary.Group != secondary.Group ? $"{secondary.Name} is in node group {secondary.Group}, {primary.Name} in {primary.Group}"
        : Locations.Shared(primary.Domains, secondary.Domains) is { } domain ? $"{secondary.Name} is in {domain} like {primary.Name}"
        : null;

    private static IEnumerable<Candidate> Ranked(IEnumerable<Candidate> nodes, Demand demand) => nodes.Where(n => Misfit(n, demand) is null)
        .OrderByDescending(n => n.FreeMemoryMiB).ThenByDescending(n => n.FreeDiskMiB).ThenBy(n => n.Instances).ThenBy(n => n.Name, StringComparer.Ordinal);

    private static string? Misfit(Candidate node, Demand demand) =>
        !node.Usable ? node.WhyNot ?? "not usable"
        : node.FreeMemoryMiB < demand.MemoryMiB ? $"{Math.Max(0, node.FreeMemoryMiB)} MiB of memory free, {demand.MemoryMiB} needed"
        : node.FreeDiskMiB < demand.DiskMiB ? $"{Math.Max(0, node.FreeDiskMiB)} MiB of disk free, {demand.DiskMiB} needed"
        : null;

    private const int ShownMost = 10;

    /// <summary>There is room, but every pair with room breaks a rule. Told for the best primary; with one of its own group first.</summary>
    private static Refusal Forbidden(Demand demand, List<Candidate> primaries, List<Candidate> secondaries)
    {
        var primary = primaries.FirstOrDefault(p => secondaries.Any(s => s.Name != p.Name && s.Group == p.Group)) ?? primaries.First(p => secondaries.Any(s => s.Name != p.Name));
        var why = secondaries.Where(s => s.Name != primary.Name).OrderBy(s => s.Name, StringComparer.Ordinal).Select(s => Against(primary, s)!).ToList();
        var told = string.Join("; ", why.Take(ShownMost)) + (why.Count > ShownMost ? $"; and {why.Count - ShownMost} more" : "");
        return new Refusal("placement.rule", $"Both copies of an instance stay in one node group and never in one failure domain, and every choice with room breaks that: {told}.",
            demand.Primary is null && demand.Secondary is null ? "Add a node elsewhere, free some room there, or correct groups and location tags (page Groups)." : "Choose another node, leave the choice to the cluster, or correct groups and location tags (page Groups).")
        {
            Field = demand.Secondary is not null ? "secondary" : demand.Primary is not null ? "primary" : null,
        };
    }

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
