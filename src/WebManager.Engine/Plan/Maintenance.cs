// What it means for the rest of the cluster that a node is in maintenance. Pure; one answer for placement, the watcher and the pages.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class Maintenance
{
    public static bool In(Node node) => node.Maintenance is { Ending: false };

    public static bool In(string? node, Picture now) => node is not null && now.Nodes.TryGetValue(node, out var n) && In(n);

    /// <summary>
    /// Its silence is no fault: it is in maintenance, and nothing that should run is there. A node that still has something running is missed
    /// like any other: what it runs is recovered, and its loss counts among those that freeze recovery.
    /// </summary>
    public static bool AwayExpected(string node, Picture now) =>
        In(node, now) && !now.Instances.Values.Any(i => i.Primary == node && i is { Wanted: AdminState.Up, Stage: not LifeStage.Failed });

    /// <summary>Its copies are made anew elsewhere as soon as it is silent.</summary>
    public static bool Rebuilds(string? node, Picture now) => In(node, now) && now.Nodes[node!].Maintenance!.Rebuild;

    /// <summary>Null: instances may be moved there by hand. Recovery does not ask: a node in maintenance that has the only other copy is used.</summary>
    public static Refusal? Closed(string node, Picture now) => In(node, now)
        ? new Refusal("node.in-maintenance", $"Node {node} is in maintenance.", $"Take it out of maintenance first (wm node maintenance {node} off).")
        : null;
}
