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
            from @group in Gen.Frequency((3, Gen.Constant("default")), (1, Gen.Constant("west")))
            from domains in Gen.Elements<string[]>([], [], ["rack:a"], ["rack:b"], ["power:1", "rack:a"], ["power:1", "rack:b"])
            select (usable, memory, disk, instances, @group, domains), count)
        select nodes.Select((n, i) => new Candidate($"n{i + 1}", n.usable, n.usable ? null : "drained", n.memory, n.disk, n.instances) { Group = n.@group, Domains = n.domains }).ToArray();

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

    private static bool Apart(Candidate p, Candidate s) => p.Group == s.Group && !p.Domains.Intersect(s.Domains).Any();

    private static IEnumerable<(string Primary, string? Secondary)> Possible(Demand d, Candidate[] nodes) =>
        from p in nodes
        where Fits(p, d) && (d.Primary is null || d.Primary == p.Name)
        from s in d.Mirrored ? nodes.Where(s => s != p && Fits(s, d) && Apart(p, s) && (d.Secondary is null || d.Secondary == s.Name)).Select(s => (string?)s.Name) : [null]
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
        Allocator.Place(d, n) is not { Ok: false, Refusal: { Code: "placement.no-room" } refusal } || n.Where(c => d.Primary is null && d.Secondary is null).All(c => refusal.Message.Contains(c.Name + ": ", StringComparison.Ordinal)));

    /// <summary>The rule is named when it alone is in the way, and only then.</summary>
    [Fact]
    public void Refusal_names_the_rule_when_there_is_room_without_it() => ForAll((d, n) =>
        Allocator.Place(d, n) is not { Ok: false, Refusal: { } refusal }
        || (refusal.Code == "placement.rule") == Allocator.Place(d, [.. n.Select(c => c with { Group = "", Domains = [] })]).Ok);

    [Fact]
    public void Another_secondary_is_in_the_group_and_apart_if_there_is_one() => ForAll((d, n) =>
    {
        if (n.Length == 0 || d.Secondary == "n1") { return true; }
        var demand = d with { Primary = "n1", Mirrored = true };
        var possible = n.Where(s => s.Name is not ("n1" or "n2") && Fits(s, d) && Apart(n[0], s) && (d.Secondary is null || d.Secondary == s.Name)).Select(s => s.Name).ToList();
        var placed = Allocator.PlaceSecondary(demand, "n2", n);
        return placed.Ok ? possible.Contains(placed.Value) : possible.Count == 0 && placed.Refusal.Field == "secondary";
    });

    [Fact]
    public void Refusal_says_which_rule_and_names_the_field()
    {
        Candidate[] nodes = [Node("n1", "default", "rack:a"), Node("n2", "default", "rack:a"), Node("n3", "west", "rack:b")];
        var named = Allocator.Place(new Demand(10, 10, true, "n1", "n2"), nodes).Refusal;
        Assert.Equal(("placement.rule", "secondary"), (named?.Code, named?.Field));
        Assert.Contains("n2 is in rack:a like n1", named!.Message, StringComparison.Ordinal);
        var none = Allocator.Place(new Demand(10, 10, true, null, null), nodes).Refusal;
        Assert.Equal(("placement.rule", null), (none?.Code, none?.Field));
        Assert.Contains("n3 is in node group west, n1 in default", none!.Message, StringComparison.Ordinal);
    }

    /// <summary>A thousand nodes in fifty racks, most of them without a partner: the search stays far from trying every pair.</summary>
    [Fact]
    public void Thousand_nodes_are_placed_in_no_time()
    {
        var nodes = Enumerable.Range(0, 1000).Select(n => Node($"n{n:d4}", $"g{n % 20}", $"rack:{n % 20}")).ToList();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var turn = 0; turn < 20; turn++) { Assert.Equal("placement.rule", Allocator.Place(new Demand(10, 10, true, null, null), nodes).Refusal?.Code); }
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"20 placements took {watch.Elapsed}.");
    }

    private static Candidate Node(string name, string group, params string[] domains) => new(name, true, null, 1000, 1000, 0) { Group = group, Domains = domains };
}
