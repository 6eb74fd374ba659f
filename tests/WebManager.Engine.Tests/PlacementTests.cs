// Properties of the allocator, against trying every pair.
using FsCheck;
using FsCheck.Fluent;
using WebManager.Engine.Placement;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class PlacementTests
{
    private static readonly Gen<Candidate[]> Nodes =
        from count in Gen.Choose(0, 5)
        from nodes in Gen.ArrayOf(
            from usable in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
            from memory in Gen.Choose(-100, 1000)
            from disk in Gen.Choose(-100, 1000)
            from instances in Gen.Choose(0, 3)
            select (usable, memory, disk, instances), count)
        select nodes.Select((n, i) => new Candidate($"n{i + 1}", n.usable, n.usable ? null : "drained", n.memory, n.disk, n.instances)).ToArray();

    private static readonly Gen<Demand> Demands =
        from memory in Gen.Choose(1, 800)
        from disk in Gen.Choose(0, 800)
        from mirrored in Gen.Elements(true, false)
        from primary in Gen.Frequency((3, Gen.Constant<string?>(null)), (1, Gen.Elements<string?>("n1", "n2", "n9")))
        from secondary in Gen.Frequency((3, Gen.Constant<string?>(null)), (1, Gen.Elements<string?>("n2", "n3")))
        select new Demand(memory, disk, mirrored, primary, mirrored && secondary != primary ? secondary : null);

    private static void ForAll(Func<Demand, Candidate[], bool> holds) =>
        Prop.ForAll((from d in Demands from n in Nodes select (d, n)).ToArbitrary(), x => holds(x.d, x.n)).QuickCheckThrowOnFailure();

    private static bool Fits(Candidate n, Demand d) => n.Usable && n.FreeMemoryMiB >= d.MemoryMiB && n.FreeDiskMiB >= d.DiskMiB;

    private static IEnumerable<(string Primary, string? Secondary)> Possible(Demand d, Candidate[] nodes) =>
        from p in nodes
        where Fits(p, d) && (d.Primary is null || d.Primary == p.Name)
        from s in d.Mirrored ? nodes.Where(s => s != p && Fits(s, d) && (d.Secondary is null || d.Secondary == s.Name)).Select(s => (string?)s.Name) : [null]
        select (p.Name, s);

    [Fact]
    public void What_is_placed_is_possible() =>
        ForAll((d, n) => Allocator.Place(d, n) is not { Ok: true, Value: { } placed } || Possible(d, n).Contains((placed.Primary, placed.Secondary)));

    [Fact]
    public void What_is_refused_is_impossible() =>
        ForAll((d, n) => Allocator.Place(d, n).Ok || !Possible(d, n).Any());

    [Fact]
    public void Order_of_the_nodes_does_not_matter() =>
        ForAll((d, n) => Allocator.Place(d, n).Value == Allocator.Place(d, [.. n.Reverse()]).Value);

    [Fact]
    public void Refusal_names_each_node_with_its_reason() => ForAll((d, n) =>
        Allocator.Place(d, n) is not { Ok: false, Refusal: { } refusal } || n.Where(c => d.Primary is null && d.Secondary is null).All(c => refusal.Message.Contains(c.Name + ": ", StringComparison.Ordinal)));
}
