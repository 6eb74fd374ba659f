// Which nodes one fault may take down together: Ganeti's location tags. Pure.
using WebManager.Engine.Model;

namespace WebManager.Engine.Placement;

public static class Locations
{
    /// <summary>A cluster tag that begins so makes what follows a rule: node tags RULE:VALUE name failure domains.</summary>
    public const string RuleTag = "htools:nlocation:";

    /// <summary>The cluster's rules: "rack" for htools:nlocation:rack.</summary>
    public static IReadOnlyList<string> Rules(Cluster cluster) => Rules(cluster.Tags);

    public static IReadOnlyList<string> Rules(IReadOnlyList<string> clusterTags) =>
        [.. clusterTags.Where(t => t.Length > RuleTag.Length && t.StartsWith(RuleTag, StringComparison.Ordinal)).Select(t => t[RuleTag.Length..])];

    /// <summary>The failure domains of a node by these rules, as its tags name them: "rack:a".</summary>
    public static IReadOnlyList<string> Of(Node node, IReadOnlyList<string> rules) => Of(node.Tags, rules);

    public static IReadOnlyList<string> Of(IReadOnlyList<string> nodeTags, IReadOnlyList<string> rules) => rules.Count == 0 || nodeTags.Count == 0 ? []
        : [.. nodeTags.Where(t => rules.Any(r => t.Length > r.Length + 1 && t[r.Length] == ':' && t.StartsWith(r, StringComparison.Ordinal))).Order(StringComparer.Ordinal)];

    public static string? Shared(IReadOnlyList<string> one, IReadOnlyList<string> other) => one.FirstOrDefault(other.Contains);
}

/// <summary>Whether the two nodes of an instance are as far apart as the cluster's rules want; decides nothing about what is there already.</summary>
public static class Pairs
{
    /// <summary>What is wrong with the pair, with what helps; null: nothing, or not mirrored. Pairs may be older than the rule.</summary>
    public static Contracts.Refusal? Fault(Instance i, Picture now, IReadOnlyList<string> rules) =>
        i.Secondary is { } other && now.Nodes.TryGetValue(i.Primary, out var p) && now.Nodes.TryGetValue(other, out var s)
            ? Between(p, s, rules, now) is { } fault ? fault with { Remedy = $"Give it another secondary (wm instance replace-disks {i.Name} --auto)." } : null
            : null;

    private static Contracts.Refusal? Between(Node p, Node s, IReadOnlyList<string> rules, Picture now) =>
        p.Group != s.Group ? new("pair.two-groups", $"Its copies are in two node groups: {p.Name} is in {NameOf(p, now)}, {s.Name} in {NameOf(s, now)}.")
        : Locations.Shared(Locations.Of(p, rules), Locations.Of(s, rules)) is { } domain ? new("pair.one-domain", $"Both copies are in {domain} ({p.Name} and {s.Name}): one fault there takes both.")
        : null;

    private static string NameOf(Node node, Picture now) => now.Groups.GetValueOrDefault(node.Group)?.Name ?? "none";
}
