// What happens in one round, drawn from the seed: one fault, or a few that overlap.
using System.Globalization;

namespace WebManager.Soak;

internal enum Kind { KillNode, FreezeNode, CutNode, CutPair, KillAgent, KillKeeper, KillGuest, KillPortal }

/// <param name="Node">Where; for a guest: where it runs; nothing for the portal.</param>
/// <param name="Other">The other end of a cut between two.</param>
/// <param name="After">Since the fault before.</param>
internal sealed record Fault(Kind Kind, string Node, string Other, TimeSpan After)
{
    public override string ToString() => Kind switch
    {
        Kind.KillPortal => "kill portal",
        Kind.CutPair => $"cut {Node} from {Other}",
        Kind.KillNode => $"kill {Node}",
        Kind.FreezeNode => $"freeze {Node}",
        Kind.CutNode => $"cut {Node}",
        Kind.KillAgent => $"kill agent of {Node}",
        Kind.KillKeeper => $"kill keeper of {Node}",
        Kind.KillGuest => $"kill a guest of {Node}",
    };
}

/// <param name="Lasts">From the last fault to the repair.</param>
internal sealed record Round(IReadOnlyList<Fault> Faults, TimeSpan Lasts)
{
    private static readonly (Kind Kind, int Weight)[] s_weights =
    [
        (Kind.KillNode, 6), (Kind.FreezeNode, 3), (Kind.CutNode, 3), (Kind.CutPair, 3), (Kind.KillAgent, 2), (Kind.KillKeeper, 2), (Kind.KillGuest, 2), (Kind.KillPortal, 3),
    ];

    public static Round Choose(Random random, int most)
    {
        // Two in three rounds have one fault; the others two or three within a few seconds, often in the middle of a recovery or a copy.
        var count = Math.Min(most, random.Next(6) switch { 0 => 3, 1 => 2, _ => 1 });
        var faults = Enumerable.Range(0, count).Select(i => ChooseFault(random, i)).ToList();
        return new Round(faults, TimeSpan.FromSeconds(random.NextDouble() * 9));
    }

    private static Fault ChooseFault(Random random, int index)
    {
        var at = random.Next(s_weights.Sum(w => w.Weight));
        var kind = s_weights.First(w => (at -= w.Weight) < 0).Kind;
        var nodes = SoakRun.Nodes.OrderBy(_ => random.Next()).Take(2).ToList();
        return new Fault(kind, nodes[0], nodes[1], index == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(random.NextDouble() * 5));
    }

    public override string ToString() => string.Join(", ", Faults.Select((f, i) => i == 0 ? $"{f}" : string.Create(CultureInfo.InvariantCulture, $"{f.After.TotalSeconds:0.0} s later {f}")));
}
