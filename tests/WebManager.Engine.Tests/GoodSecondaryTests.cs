// Another secondary while the present one is good: three copies for a while, and whoever dies, one good copy can take over (H7, S27).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class GoodSecondaryTests
{
    private static Task MakeAsync(SimWorld world, string name = "i1") => ScenarioInstances.CreateAsync(world, new ScenarioInstance(name, DiskTemplate.Mirror, "n1", "n2", false));

    [Fact]
    public void Good_secondary_is_replaced_and_its_copy_removed_behind_it() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world);
        var before = world.Database.Find("i1")!;
        var job = await world.Portal!.DoAsync(new ReplaceSecondary("i1") { Node = "n3" });
        Assert.Equal(JobStatus.Success, job.Status);
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n1", "n3", MirrorState.InSync, before.Generation!.Number + 1), (i.Primary, i.Secondary, i.Mirror, i.Generation!.Number));
        Assert.Equal((null, null), (i.Former, i.Candidate));
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Null(world.Node("n2").CopyOf(i.Id));
        Assert.Empty(world.Database.Find("i1")!.OldCopies);
        Assert.Contains(world.Database.ClusterEvents, e => e.Kind == "instance.secondary-replaced");
        Assert.DoesNotContain(world.Database.Jobs, j => j.Request is DegradeInstance or ResyncInstance);
        // What it is good for.
        world.Node("n1").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.Equal("n3", world.Truth.Executing(i.Id)?.Node.Name);
    });

    [Fact]
    public void Stopped_instance_keeps_its_good_secondary() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world);
        await world.Portal!.DoAsync(new StopInstance("i1"));
        Assert.Equal("mirror.in-sync", world.Portal.Engine.WouldRefuse(new ReplaceSecondary("i1"), SimPortal.Admin)?.Code);
    });

    /// <summary>The new node is lost in mid-copy: nothing has changed, and a second try with the same number goes through.</summary>
    [Fact]
    public void Failed_try_leaves_the_secondary_good_and_another_one_succeeds() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world);
        world.Moments.Arm(new ScenarioFault(0, "agent-crash", ["n3"], new ScenarioMoment("guests/add-copy.done", "n1", 0.2)));
        world.Moments.Arm(new ScenarioFault(0, "exports-hang", ["n3"], new ScenarioMoment("mirror.joined", "i1", 0.1)));
        var failed = await world.Portal!.DoAsync(new ReplaceSecondary("i1") { Node = "n3" });
        Assert.Equal(("mirror.copy-failed", true), (failed.Error?.Code, failed.Error?.Message.Contains("n2", StringComparison.Ordinal)));
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n2", SyncState.InSync, null), (i.Secondary, i.Generation!.Sync, i.Candidate));
        world.Moments.Clear();
        Faults.Do(world, "mend", []);
        await world.DelayAsync(TimeSpan.FromSeconds(6));
        Assert.Null(world.Node("n3").CopyOf(i.Id));
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new ReplaceSecondary("i1") { Node = "n3" })).Status);
        Assert.Equal(i.Generation.Number + 1, world.Database.Find("i1")!.Generation!.Number);
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(AtRest.Faults(world));
    });

    /// <summary>R5: the backup knows a candidate only; what came of it the nodes know.</summary>
    [Theory]
    [InlineData("third.candidate")]
    [InlineData("third.copy")]
    public void Backup_from_the_middle_of_a_change_is_no_harm(string step) => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world);
        world.Moments.Arm(new ScenarioFault(0, "backup", [], new ScenarioMoment("step", $"instance.replace-secondary/{step}", 0.05)));
        Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(new ReplaceSecondary("i1") { Node = "n3" })).Status);
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Faults.Do(world, "restore", []);
        await world.DelayAsync(TimeSpan.FromSeconds(40));
        var i = world.Database.Find("i1")!;
        Assert.Equal(("n1", "n3", MirrorState.InSync), (i.Primary, i.Secondary, i.Mirror));
        Assert.Equal((null, null, null), (i.Doubt, i.Candidate, i.Former));
        Assert.Equal("n1", world.Truth.Executing(i.Id)?.Node.Name);
        Assert.Empty(AtRest.Faults(world));
    });
}
