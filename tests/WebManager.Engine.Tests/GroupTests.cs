// Node groups, tags and failure domains: what is refused and why, and what people are told of pairs that are older than a rule.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class GroupTests
{
    [Fact]
    public void Every_node_is_in_the_group_default_and_groups_survive_the_portal() => InCluster(async world =>
    {
        var portal = world.Portal!;
        Assert.Equal(("default", true, 3), Group(world, "default"));
        await DoAsync(world, new AddGroup("west"));
        await DoAsync(world, new AssignNodes("west", ["n3"]));
        await DoAsync(world, new RenameGroup("west", "annex"));
        await DoAsync(world, new ModifyGroup("annex") { AutoRecover = false });
        Assert.Equal(("default", true, 2), Group(world, "default"));
        Assert.Equal(("annex", false, 1), Group(world, "annex"));
        Assert.Equal("annex", portal.Engine.Feeds.Nodes.Find("n3")!.Group);
        Assert.Contains(world.Database.Audit, a => a is { User: "admin", Operation: "group.assign-nodes", Subject: "group:west", Result: "success" });
        world.CrashPortal();
        await world.StartPortalAsync();
        Assert.Equal(("annex", false, 1), Group(world, "annex"));
        Assert.Equal("annex", world.Portal!.Engine.Feeds.Nodes.Find("n3")!.Group);
    });

    [Fact]
    public void Refusals_name_the_field_and_what_helps() => InCluster(async world =>
    {
        Assert.Equal(("group.exists", "group"), Refused(world, new AddGroup("default")));
        Assert.Equal(("name.invalid", "group"), Refused(world, new AddGroup("West Wing")));
        Assert.Equal(("group.unknown", "group"), Refused(world, new RemoveGroup("west")));
        Assert.Equal(("group.not-empty", "group"), Refused(world, new RemoveGroup("default")));
        await DoAsync(world, new AddGroup("west"));
        Assert.Equal(("group.exists", "newName"), Refused(world, new RenameGroup("west", "default")));
        Assert.Equal(("group.nothing-to-change", null), Refused(world, new ModifyGroup("west")));
        Assert.Equal(("group.no-nodes", "nodes"), Refused(world, new AssignNodes("west", [])));
        Assert.Equal(("node.unknown", "nodes"), Refused(world, new AssignNodes("west", ["n9"])));
        await DoAsync(world, new RemoveGroup("west"));
        Assert.Equal(("group.unknown", "group"), Refused(world, new ModifyGroup("west") { AutoRecover = true }));
        foreach (var node in new[] { "n1", "n2", "n3" }) { await DoAsync(world, new RemoveNode(node)); }
        Assert.Equal(("group.last", "group"), Refused(world, new RemoveGroup("default")));
    });

    [Fact]
    public void Group_default_may_go_and_new_nodes_join_another() => InCluster(async world =>
    {
        await DoAsync(world, new AddGroup("west"));
        await DoAsync(world, new AssignNodes("west", ["n1", "n2", "n3"]));
        await DoAsync(world, new RemoveGroup("default"));
        await DoAsync(world, new RemoveNode("n3"));
        await DoAsync(world, new AddNode("n3", world.Node("n3").Address));
        Assert.Equal("west", world.Portal!.Engine.Feeds.Nodes.Find("n3")!.Group);
    });

    [Fact]
    public void Nodes_leave_a_group_with_both_copies_of_an_instance_or_by_force() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        await DoAsync(world, new AddGroup("west"));
        var refused = world.Portal!.Engine.WouldRefuse(new AssignNodes("west", ["n2"]), SimPortal.Admin);
        Assert.Equal(("group.splits", "nodes"), (refused?.Code, refused?.Field));
        Assert.Contains("i1", refused!.Message, StringComparison.Ordinal);
        Assert.Null(world.Portal.Engine.WouldRefuse(new AssignNodes("west", ["n1", "n2"]), SimPortal.Admin));
        Assert.Null(PairText(world, "i1"));
        await DoAsync(world, new AssignNodes("west", ["n2"]) { Force = true });
        Assert.Contains("n1 is in default, n2 in west", PairText(world, "i1"), StringComparison.Ordinal);
        await DoAsync(world, new AssignNodes("west", ["n1"]));
        Assert.Null(PairText(world, "i1"));
    });

    [Fact]
    public void Both_copies_stay_in_one_group() => InCluster(async world =>
    {
        await DoAsync(world, new AddGroup("west"));
        await DoAsync(world, new AssignNodes("west", ["n3"]));
        await DoAsync(world, new ModifyNode("n2") { Drained = true });
        Assert.Equal(("placement.rule", "secondary"), Refused(world, Mirrored("i1", "n1", "n3")));
        await DoAsync(world, new ModifyNode("n2") { Drained = false });
        await DoAsync(world, Mirrored("i1", null, null));
        var i = world.Database.Find("i1")!;
        Assert.Equal(["n1", "n2"], new[] { i.Primary, i.Secondary }.Order());
    });

    [Theory]
    [InlineData("", "tag.invalid")]
    [InlineData("rack a", "tag.invalid")]
    [InlineData("gr\u00fcn", "tag.invalid")]
    [InlineData("a\n", "tag.invalid")]
    [InlineData("rack:a", null)]
    [InlineData("Az09_.+*/:@-", null)]
    public void Tags_are_those_that_Ganeti_takes(string tag, string? code) => InCluster(world =>
    {
        Assert.Equal(code, Refused(world, new AddNodeTags("n1", [tag])).Code);
        Assert.Equal(code, Refused(world, new AddClusterTags([tag])).Code);
        return Task.CompletedTask;
    });

    [Fact]
    public void Tags_have_limits_and_can_be_taken_off() => InCluster(async world =>
    {
        Assert.Null(Refused(world, new AddNodeTags("n1", [new string('a', 128)])).Code);
        Assert.Equal(("tag.invalid", "tags"), Refused(world, new AddNodeTags("n1", [new string('a', 129)])));
        await DoAsync(world, new AddNodeTags("n1", [.. Enumerable.Range(0, 4096).Select(n => $"t{n}")]));
        Assert.Equal(("tag.too-many", "tags"), Refused(world, new AddNodeTags("n1", ["one-more"])));
        Assert.Null(Refused(world, new AddNodeTags("n1", ["t7"])).Code);
        Assert.Equal(("tag.absent", "tags"), Refused(world, new RemoveNodeTags("n1", ["t7", "t9999"])));
        Assert.Equal(("tag.none", "tags"), Refused(world, new RemoveNodeTags("n1", [])));
        Assert.Equal(("node.unknown", "node"), Refused(world, new AddNodeTags("n9", ["a"])));
        await DoAsync(world, new RemoveNodeTags("n1", ["t7"]));
        Assert.DoesNotContain("t7", world.Portal!.Engine.Feeds.Nodes.Find("n1")!.Tags);
    });

    [Fact]
    public void Pair_that_shares_a_domain_since_before_the_rule_is_told_with_what_helps() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        foreach (var node in new[] { "n1", "n2" }) { await DoAsync(world, new AddNodeTags(node, ["rack:a"])); }
        Assert.Null(PairText(world, "i1"));   // a tag alone is no rule
        await DoAsync(world, new AddClusterTags(["htools:nlocation:rack"]));
        Assert.Contains("rack:a", PairText(world, "i1"), StringComparison.Ordinal);
        Assert.Contains("replace-disks i1", PairText(world, "i1"), StringComparison.Ordinal);
        Assert.Equal(("placement.rule", "secondary"), Refused(world, Mirrored("i2", "n1", "n2")));
        await DoAsync(world, new RemoveNodeTags("n2", ["rack:a"]));
        Assert.Null(PairText(world, "i1"));
        Assert.Null(Refused(world, Mirrored("i2", "n1", "n2")).Code);
    });

    [Fact]
    public void All_of_it_is_for_administrators() => InCluster(world =>
    {
        OperationRequest[] all = [new AddGroup("west"), new RemoveGroup("default"), new RenameGroup("default", "x"), new ModifyGroup("default") { AutoRecover = false }, new AssignNodes("default", ["n1"]),
            new AddNodeTags("n1", ["a"]), new RemoveNodeTags("n1", ["a"]), new AddClusterTags(["a"]), new RemoveClusterTags(["a"])];
        Assert.All(all, r => Assert.Equal("right.missing", world.Portal!.Engine.WouldRefuse(r, new Caller("7", "mallory", false, "test"))?.Code));
        return Task.CompletedTask;
    });

    private static async Task DoAsync(SimWorld world, OperationRequest request)
    {
        var job = await world.Portal!.DoAsync(request);
        Assert.True(job.Status == JobStatus.Success, $"{request.Name}: {job.Error?.Message}");
    }

    private static (string? Code, string? Field) Refused(SimWorld world, OperationRequest request) =>
        world.Portal!.Engine.WouldRefuse(request, SimPortal.Admin) is { } r ? (r.Code, r.Field) : (null, null);

    private static CreateInstance Mirrored(string name, string? primary, string? secondary) =>
        new(name, "alpine", 1, 256, DiskTemplate.Mirror, [1024]) { Primary = primary, Secondary = secondary };

    private static Task MakeAsync(SimWorld world, string name, string primary, string secondary) => DoAsync(world, Mirrored(name, primary, secondary));

    private static string? PairText(SimWorld world, string name) => world.Portal!.Engine.Feeds.Instances.Find(world.Database.Find(name)!.Id)!.PairText;

    private static (string, bool, int) Group(SimWorld world, string name)
    {
        var row = world.Portal!.Engine.Feeds.Groups.Current().Values.Single(g => g.Name == name);
        return (row.Name, row.AutoRecover, row.Nodes);
    }
}
