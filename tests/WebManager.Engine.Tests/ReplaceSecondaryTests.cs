// Another secondary: what is refused, where it goes, what becomes of the old copy, and what the watcher does by itself.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class ReplaceSecondaryTests
{
    [Fact]
    public void Refusals_name_the_field_and_what_helps() => InCluster(new SimOptions(), async world =>
    {
        var engine = world.Portal!.Engine;
        await MakeAsync(world, "i1");
        Assert.Equal("secondary.unchanged", engine.WouldRefuse(new ReplaceSecondary("i1") { Node = "n2" }, SimPortal.Admin)?.Code);
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        (string?, string?) Refused(string? node, Caller? by = null) => engine.WouldRefuse(new ReplaceSecondary("i1") { Node = node }, by ?? SimPortal.Admin) is { } r ? (r.Code, r.Field) : (null, null);
        Assert.Equal((null, null), Refused("n3"));
        Assert.Equal((null, null), Refused(null));
        Assert.Equal(("secondary.same", "secondary"), Refused("n1"));
        Assert.Equal(("secondary.unchanged", "secondary"), Refused("n2"));
        Assert.Equal(("secondary.unknown", "secondary"), Refused("n9"));
        Assert.Equal("right.missing", Refused(null, new Caller("1", "admin", false, "test")).Item1);
        Assert.Equal("right.missing", engine.WouldRefuse(new CleanInstance("i1", "n2"), SimPortal.Admin)?.Code);
        await world.Portal.DoAsync(new ModifyNode("n3") { Drained = true });
        var full = engine.WouldRefuse(new ReplaceSecondary("i1"), SimPortal.Admin);
        Assert.Equal(("placement.no-room", "secondary"), (full?.Code, full?.Field));
        Assert.Contains("n3: drained", full!.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Old_copy_counts_until_it_is_removed_and_holds_a_removal_up() => InCluster(new SimOptions(), async world =>
    {
        var portal = world.Portal!;
        await MakeAsync(world, "i1");
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        var replaced = await portal.DoAsync(new ReplaceSecondary("i1") { Node = "n3" });
        Assert.Equal(JobStatus.Success, replaced.Status);
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n1", "n3", MirrorState.InSync), (i.Primary, i.Secondary, i.Mirror));
        Assert.Equal(["n2"], i.OldCopies);
        Assert.Equal(i.DiskMiB, portal.Engine.Feeds.Nodes.Find("n2")!.CommittedDiskMiB);
        Assert.Equal("node.not-online", portal.Engine.WouldRefuse(new RemoveInstance("i1"), SimPortal.Admin)?.Code);
        Assert.Contains(world.Database.Audit, a => a is { Operation: "instance.replace-secondary", Subject: "instance:i1", Result: "success" });
        world.Node("n2").PowerOn();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(world.Database.Find("i1")!.OldCopies);
        Assert.Null(world.Node("n2").CopyOf(i.Id));
        Assert.Equal(0, portal.Engine.Feeds.Nodes.Find("n2")!.CommittedDiskMiB);
        Assert.Equal(JobStatus.Success, (await portal.DoAsync(new RemoveInstance("i1"))).Status);
        Assert.All(world.Nodes, n => Assert.DoesNotContain(i.Id, n.Disk.Keys));
    });

    [Fact]
    public void Copy_that_no_other_node_can_take_is_said_once_and_shown_until_one_can() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1");
        var (engine, id) = (world.Portal!.Engine, world.Database.Find("i1")!.Id);
        await world.Portal.DoAsync(new ModifyCluster { ReplaceAfterSeconds = 60 });
        await world.Portal.DoAsync(new ModifyNode("n3") { Drained = true });
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromMinutes(10));
        Assert.Single(world.Database.ClusterEvents, e => e.Kind == "instance.secondary-unreplaced");
        Assert.Matches("n2 has been away for long.*n3: drained", engine.Feeds.Instances.Find(id)!.Text);
        await world.Portal.DoAsync(new ModifyNode("n3") { Drained = false });
        await world.DelayAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(("n3", MirrorState.InSync), (world.Database.Find("i1")!.Secondary, world.Database.Find("i1")!.Mirror));
        Assert.Null(engine.Feeds.Instances.Find(id)!.Text);
    });

    [Fact]
    public void Node_that_is_gone_for_good_leaves_with_its_old_copies() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1");
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        await world.Portal!.DoAsync(new ReplaceSecondary("i1"));
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new RemoveNode("n2"))).Status);
        Assert.Empty(world.Database.Find("i1")!.OldCopies);
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new RemoveInstance("i1"))).Status);
    });

    [Fact]
    public void Secondary_that_is_named_again_keeps_what_it_has() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1");
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        await world.Portal!.DoAsync(new StopInstance("i1"));
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new ReplaceSecondary("i1") { Node = "n3" })).Status);
        world.Node("n2").PowerOn();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        var id = world.Database.Find("i1")!.Id;
        Assert.NotNull(world.Node("n2").CopyOf(id));   // n3's is not whole: nothing is thrown away
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new ReplaceSecondary("i1") { Node = "n2" })).Status);
        Assert.Equal(["n3"], world.Database.Find("i1")!.OldCopies);
        await world.Portal.DoAsync(new StartInstance("i1"));
        await world.DelayAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(("n2", MirrorState.InSync, 0), (world.Database.Find("i1")!.Secondary, world.Database.Find("i1")!.Mirror, world.Database.Find("i1")!.OldCopies.Count));
        Assert.Empty(AtRest.Faults(world));
    });

    [Fact]
    public void Never_started_instance_starts_in_sync_on_its_new_secondary() => InCluster(new SimOptions(), async world =>
    {
        await world.Portal!.DoAsync(Request("i1") with { Start = false });
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new ReplaceSecondary("i1") { Node = "n3" })).Status);
        await world.Portal.DoAsync(new StartInstance("i1"));
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n3", SyncState.InSync), (i.Secondary, i.Generation!.Sync));
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Null(world.Node("n2").CopyOf(i.Id));
        Assert.Empty(AtRest.Faults(world));
    });

    [Fact]
    public void Lost_secondaries_are_replaced_after_their_time_a_few_at_once_the_important_first() => InCluster(new SimOptions(), async world =>
    {
        const int All = 12;
        foreach (var n in Enumerable.Range(0, All)) { await MakeAsync(world, $"i{n:d2}"); }
        await world.Portal!.DoAsync(new ModifyInstance("i11") { Priority = RecoveryPriority.High });
        await world.Portal.DoAsync(new ModifyCluster { ReplaceAfterSeconds = 30 });
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(29));
        Assert.DoesNotContain(world.Database.Jobs, j => j.Request is ReplaceSecondary);
        var most = 0;
        for (var turn = 0; turn < 400; turn++)
        {
            await world.DelayAsync(TimeSpan.FromMilliseconds(100));
            most = Math.Max(most, world.Database.Jobs.Count(j => !j.Ended && j.Request is ReplaceSecondary));
        }

        Assert.Equal(new RecoveryOptions().ReplacesAtOnce, most);
        Assert.Equal("i11", world.Database.Jobs.OrderBy(j => j.Id).Select(j => j.Request).OfType<ReplaceSecondary>().First().Instance);
        Assert.All(world.Database.Instances, i => Assert.Equal(("n3", MirrorState.InSync), (i.Secondary, i.Mirror)));
    });

    [Fact]
    public void Nothing_is_replaced_while_switched_off_or_without_room() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1");
        await world.Portal!.DoAsync(new ModifyCluster { ReplaceAfterSeconds = 0 });
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromMinutes(15));
        Assert.Equal("n2", world.Database.Find("i1")!.Secondary);
        await world.Portal.DoAsync(new ModifyNode("n3") { Drained = true });
        await world.Portal.DoAsync(new ModifyCluster { ReplaceAfterSeconds = 600 });
        await world.DelayAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("n2", world.Database.Find("i1")!.Secondary);
        Assert.DoesNotContain(world.Database.Jobs, j => j.Request is ReplaceSecondary);
        await world.Portal.DoAsync(new ModifyNode("n3") { Drained = false });
        await world.DelayAsync(TimeSpan.FromSeconds(90));
        Assert.Equal(("n3", MirrorState.InSync), (world.Database.Find("i1")!.Secondary, world.Database.Find("i1")!.Mirror));
    });

    /// <summary>R5: the backup is from before the change; the nodes know better, and the old copy is found by what its node reports.</summary>
    [Fact]
    public void Older_database_learns_of_the_new_secondary_from_the_nodes() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1");
        Faults.Do(world, "backup", []);
        world.Node("n2").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(new ReplaceSecondary("i1") { Node = "n3" })).Status);
        Faults.Do(world, "restore", []);
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        world.Node("n2").PowerOn();
        await world.DelayAsync(TimeSpan.FromSeconds(40));
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n1", "n3", MirrorState.InSync), (i.Primary, i.Secondary, i.Mirror));
        Assert.Null(i.Doubt);
        Assert.Null(world.Node("n2").CopyOf(i.Id));
        Assert.Equal("n1", world.Truth.Executing(i.Id)?.Node.Name);
    });

    private static CreateInstance Request(string name) => (CreateInstance)ScenarioInstances.Request(new ScenarioInstance(name, DiskTemplate.Mirror, "n1", "n2", false));

    private static Task MakeAsync(SimWorld world, string name) => ScenarioInstances.CreateAsync(world, new ScenarioInstance(name, DiskTemplate.Mirror, "n1", "n2", true));
}
