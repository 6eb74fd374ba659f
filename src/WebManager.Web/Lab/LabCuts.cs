// Which of the lab's cables are cut: nodes from everything, and pairs of nodes from each other. As firewall rules of the host's bridge, and back.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using WebManager.Contracts;

namespace WebManager.Web.Lab;

/// <param name="Nodes">Cut off from everything outside of themselves.</param>
/// <param name="Pairs">The lower number first.</param>
internal sealed record LabCuts(ImmutableSortedSet<int> Nodes, ImmutableSortedSet<(int Low, int High)> Pairs)
{
    public static readonly LabCuts None = new([], []);

    public bool Any => Nodes.Count + Pairs.Count > 0;

    public LabCuts Cut(int node, int? from) => from is { } other ? this with { Pairs = Pairs.Add(Pair(node, other)) } : this with { Nodes = Nodes.Add(node) };

    /// <summary>Without another node: every cut of this one. Only a cut between two can be healed between two.</summary>
    public Outcome<LabCuts> Heal(int node, int? from)
    {
        if (from is not { } other) return new LabCuts(Nodes.Remove(node), Pairs.Except(Pairs.Where(p => p.Low == node || p.High == node)));
        if (Nodes.Contains(node) || Nodes.Contains(other))
        {
            var off = Nodes.Contains(node) ? node : other;
            return new Refusal("lab.cut.off", $"n{off} is cut off from everything, not only from one node.", $"wm lab heal n{off}");
        }
        return this with { Pairs = Pairs.Remove(Pair(node, other)) };
    }

    /// <summary>The nodes that this one is cut from one by one.</summary>
    public IReadOnlyList<int> From(int node) => [.. Pairs.Where(p => p.Low == node || p.High == node).Select(p => p.Low == node ? p.High : p.Low).Order()];

    /// <summary>
    /// Replaces the lab's table in one transaction. The kernel's bridge drops without a word: no link goes down, nobody gets a reset or an
    /// ICMP message. What a node's guests send comes by the same cable, so it is cut as well.
    /// </summary>
    public string Script(LabIdentity lab)
    {
        var table = $"table bridge {lab.Bridge}";
        var text = new StringBuilder($"{table}\ndelete {table}\n");
        if (!Any) return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $"{table} {{\n");
        Chain(text, "in", "prerouting", Nodes.Select(n => $"iifname \"{lab.Namespace(n)}\" drop comment \"n{n}\""));
        Chain(text, "out", "postrouting", Nodes.Select(n => $"oifname \"{lab.Namespace(n)}\" drop comment \"n{n}\""));
        Chain(text, "between", "forward", Pairs.SelectMany(p => new[] { p, (Low: p.High, High: p.Low) }
            .Select(way => $"iifname \"{lab.Namespace(way.Low)}\" oifname \"{lab.Namespace(way.High)}\" drop comment \"n{p.Low} n{p.High}\"")));
        return text.Append("}\n").ToString();
    }

    /// <summary>What `nft -j list table` says of the table that Script made: the rules' comments name the nodes.</summary>
    public static LabCuts Parse(string json)
    {
        using var listing = JsonDocument.Parse(json);
        var cuts = None;
        foreach (var entry in listing.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (!entry.TryGetProperty("rule", out var rule) || !rule.TryGetProperty("comment", out var comment)) continue;
            var nodes = comment.GetString()!.Split(' ').Select(word => int.Parse(word.AsSpan(1), CultureInfo.InvariantCulture)).ToList();
            cuts = cuts.Cut(nodes[0], nodes.Count > 1 ? nodes[1] : null);
        }
        return cuts;
    }

    private static void Chain(StringBuilder text, string name, string hook, IEnumerable<string> rules) =>
        text.Append(CultureInfo.InvariantCulture, $"chain {name} {{\ntype filter hook {hook} priority 0\n{string.Concat(rules.Select(r => r + "\n"))}}}\n");

    private static (int Low, int High) Pair(int a, int b) => a < b ? (a, b) : (b, a);
}
