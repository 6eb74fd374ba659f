// Which of the waiting starts come next: by priority, and never more at once than the limits allow. Pure.
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <param name="Node">Where the guest would start.</param>
public sealed record StartWish(Instance Instance, OperationRequest File, string Node);

public sealed class Starts(int perNode, int atOnce)
{
    private readonly Dictionary<string, int> _underWay = new(StringComparer.Ordinal);
    private int _all;

    public void UnderWay(string node)
    {
        _underWay[node] = _underWay.GetValueOrDefault(node) + 1;
        _all++;
    }

    public bool Fits(string node) => _all < atOnce && _underWay.GetValueOrDefault(node) < perNode;

    public static IEnumerable<StartWish> InOrder(IEnumerable<StartWish> wishes) =>
        wishes.OrderByDescending(w => w.Instance.Priority).ThenBy(w => w.Instance.Name, StringComparer.Ordinal);

    /// <summary>What is starting now: the watcher's open jobs, and recovered guests that have not shown a sign of life yet.</summary>
    public static Starts Of(Picture now, RecoveryOptions limits, DateTimeOffset at)
    {
        var starts = new Starts(limits.StartsPerNode, limits.StartsAtOnce);
        var open = new HashSet<string>(StringComparer.Ordinal);
        foreach (var request in now.Jobs.Values.Where(j => !j.Ended).Select(j => j.Request))
        {
            if (request is not (RecoverInstance or RestartInstance) || now.Find(((InstanceRequest)request).Instance) is not { } i) { continue; }
            open.Add(i.Name);
            starts.UnderWay(request is RecoverInstance r && i.Generation?.Number == r.Generation ? i.Secondary ?? i.Primary : i.Primary);
        }
        foreach (var i in now.Instances.Values)
        {
            if (i.LastRecovery is { Started: { } began, FirstSign: null } t && i.Generation?.Number == t.Generation && !open.Contains(i.Name) && at - t.LastSignAt - began < limits.StartSettles)
            {
                starts.UnderWay(i.Primary);
            }
        }
        return starts;
    }
}
