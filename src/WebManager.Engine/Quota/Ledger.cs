// Keeps every owner's holding equal to its instances, in the transaction that changes them: no operation can forget to charge.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Quota;

public static class Ledger
{
    /// <summary>Adds to the changes what they do to the holdings, with a line for each owner and instance.</summary>
    public static void Post(Picture now, Changes changes, DateTimeOffset at)
    {
        if (changes.Instances.Count == 0 && changes.InstancesRemoved.Count == 0) { return; }
        var holdings = new SortedDictionary<string, Holding>(StringComparer.Ordinal);
        var job = changes.Jobs.Count > 0 ? changes.Jobs[0] : null;
        foreach (var id in changes.InstancesRemoved) { Post(now.Instances.GetValueOrDefault(id), null); }
        // The newest row of each: a step may write one twice.
        foreach (var newer in changes.Instances.GroupBy(i => i.Id).Select(g => g.Last())) { Post(now.Instances.GetValueOrDefault(newer.Id), newer); }
        changes.Holdings.AddRange(holdings.Values.Where(h => now.Holdings.GetValueOrDefault(h.Owner) is var old && (old is null || (h.Allocated, h.Running) != (old.Allocated, old.Running))));

        void Post(Instance? old, Instance? newer)
        {
            var (from, to) = (old?.Owner ?? "", newer?.Owner ?? "");
            var (less, more) = (old is null ? default : Charges.Of(old), newer is null ? default : Charges.Of(newer));
            if (from == to) { Line(to, more - less, newer ?? old!); return; }
            Line(from, default(Cost) - less, old ?? newer!);
            Line(to, more, newer ?? old!);
        }

        void Line(string owner, Cost change, Instance instance)
        {
            if (owner.Length == 0 || change == default) { return; }
            var known = now.Holdings.GetValueOrDefault(owner);
            if (!holdings.TryGetValue(owner, out var holding)) { holding = new Holding(owner, known?.Allocated ?? default, known?.Running ?? default, (known?.Revision ?? 0) + 1); }
            holding = holding with { Allocated = holding.Allocated + change.Allocated, Running = holding.Running + change.Running };
            holdings[owner] = holding;
            changes.Charges.Add(new Charge(at, owner, instance.Name, job?.Request.Name ?? "", job?.Id ?? 0, change.Allocated, change.Running, holding.Allocated, holding.Running));
        }
    }

    /// <summary>What the holdings should be by the instances.</summary>
    public static IReadOnlyDictionary<string, Cost> Count(Picture now)
    {
        var sums = new SortedDictionary<string, Cost>(StringComparer.Ordinal);
        foreach (var i in now.Instances.Values.Where(i => i.Owner.Length > 0)) { sums[i.Owner] = sums.GetValueOrDefault(i.Owner) + Charges.Of(i); }
        return sums;
    }

    /// <summary>Owners whose holding is not what the instances say.</summary>
    public static IReadOnlyList<(string Owner, Cost Held, Cost Counted)> Differences(Picture now)
    {
        var counted = Count(now);
        return [.. counted.Keys.Union(now.Holdings.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(o => (o, Charges.HeldBy(now, o), counted.GetValueOrDefault(o))).Where(d => d.Item2 != d.Item3)];
    }

    /// <summary>Sets the holdings to what was counted.</summary>
    public static void Repair(Picture now, Changes changes, DateTimeOffset at, string why, long job)
    {
        foreach (var (owner, held, counted) in Differences(now))
        {
            changes.Holdings.Add(new Holding(owner, counted.Allocated, counted.Running, (now.Holdings.GetValueOrDefault(owner)?.Revision ?? 0) + 1));
            var change = counted - held;
            changes.Charges.Add(new Charge(at, owner, "", why, job, change.Allocated, change.Running, counted.Allocated, counted.Running));
        }
    }
}
