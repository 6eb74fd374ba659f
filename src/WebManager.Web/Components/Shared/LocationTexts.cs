// What people are told of where nodes are, when that is not known well enough to keep two copies apart.
using WebManager.Engine.Live;
using WebManager.Engine.Placement;

namespace WebManager.Web.Components.Shared;

public static class LocationTexts
{
    private const int Named = 3;

    /// <summary>Null: of all of these nodes it is known where they are, or there are not two to keep apart.</summary>
    public static string? Unknown(IReadOnlyCollection<NodeRow> nodes, IReadOnlyList<string> clusterTags)
    {
        if (nodes.Count < 2) { return null; }
        var rules = Locations.Rules(clusterTags);
        var unknown = nodes.Where(n => Locations.Of(n.Tags, rules).Count == 0).Select(n => n.Name).Order(NameOrder.By).ToList();
        return unknown.Count == 0 ? null
            : $"No location is known for {(unknown.Count == 1 ? unknown[0] : unknown.Count <= Named ? $"{string.Join(", ", unknown[..^1])} and {unknown[^1]}" : $"{unknown.Count} of {nodes.Count} nodes")}: one power failure may take both copies of an instance.";
    }
}
