// Whether so many nodes were lost at once that the fault is more likely between them and the portal than in them (S40). Pure.
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <param name="Answered">It has answered this engine; a node that never did was not lost now.</param>
/// <param name="Expected">Its silence is no fault: it is in maintenance and runs nothing.</param>
public sealed record NodeSight(string Name, NodeHealth Health, bool Answered, TimeSpan Silence, bool Expected = false);

public static class Freeze
{
    private const int Least = 3;

    /// <summary>
    /// The nodes that were lost together; empty: no reason to freeze. Decided when the first of them has been silent for the isolation time,
    /// which is before anything of it is promoted: a moment's silence of many freezes nothing.
    /// </summary>
    /// <param name="released">Time since an administrator released the last freeze: what was lost before does not count again.</param>
    public static IReadOnlyList<string> Lost(IReadOnlyCollection<NodeSight> nodes, TimeSpan window, TimeSpan isolation, TimeSpan? released)
    {
        if (window <= TimeSpan.Zero) { return []; }
        var lost = nodes.Where(n => n is { Answered: true, Expected: false } && n.Health is NodeHealth.Suspect or NodeHealth.Lost && n.Silence < window + isolation && !(n.Silence >= released)).ToList();
        var were = lost.Count + nodes.Count(n => n.Health == NodeHealth.Online);
        return were >= Least && lost.Count * 2 >= were && lost.Any(n => n.Silence >= isolation) ? [.. lost.Select(n => n.Name)] : [];
    }
}
