// What people see and decide of a node's maintenance: the plan beforehand, room elsewhere, order and progress, rights, and what its silence means.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.RecoveryPolicyTests;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class MaintenanceTests
{
    private static readonly MaintainNode On = new("n1", true) { Return = true };

    [Fact]
    public void Plan_says_what_moves_where_and_what_stays_and_why_and_the_job_follows_it_by_priority() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "a", "n1", "n2");
        await MakeAsync(world, "b", "n1", "n3");
        await MakeAsync(world, "c", "n1", "n2");
        await ScenarioInstances.CreateAsync(world, new ScenarioInstance("d", DiskTemplate.File, "n1", null, true));
        await MakeAsync(world, "e", "n2", "n1");
        await world.Portal!.DoAsync(new StopInstance("c"));
        await world.Portal.DoAsync(new StopInstance("d"));
        await world.Portal.DoAsync(new ModifyInstance("b") { Priority = RecoveryPriority.High });
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        var plan = world.Portal.Engine.PlanMaintenance("n1")!;
        Assert.Equal([("b", "n3", MoveKind.Migrate), ("a", "n2", MoveKind.Migrate), ("c", "n2", MoveKind.Failover), ("d", null, MoveKind.Stays)], plan.Leave.Select(m => (m.Instance, m.To, m.Kind)));
        Assert.Equal("d has no copy on another node. It ends with n1: stop it before that.", $"{plan.Leave[3].Why!.Message} {plan.Leave[3].Why!.Remedy}");
        Assert.Equal(["a", "b", "c", "e"], plan.Copies);
        Assert.Equal("migrate.elsewhere", world.Portal.Engine.WouldRefuse(new MigrateInstance("a") { To = "n3" }, SimPortal.Admin)?.Code);

        var job = await world.Portal.DoAsync(On);
        Assert.Equal(JobStatus.Success, job.Status);   // what stays does not have to run
        var log = world.Portal.Engine.Feeds.JobLog.Current().Values.Where(l => l.Job == job.Id).OrderBy(l => l.Serial).Select(l => l.Text).ToList();
        Assert.Equal(["1 of 3: b moves from n1 to n3.", "2 of 3: a moves from n1 to n2.", "3 of 3: c is failed over from n1 to n2."], log.Where(l => l.Contains(" of 3", StringComparison.Ordinal)));
        Assert.Contains("d stays on n1: d has no copy on another node. It ends with n1: stop it before that.", log);
        var moved = world.Database.Jobs.Where(j => j.Request is MigrateInstance).ToList();
        Assert.Equal(["b", "a", "c"], moved.Select(j => ((MigrateInstance)j.Request).Instance));
        Assert.All(moved, j => Assert.Equal(["n1 goes into maintenance", job.Reason[0].Text], j.Reason.Select(r => r.Text)));
        var stored = world.Database.Nodes.Single(n => n.Name == "n1").Maintenance!;
        Assert.Equal((SimPortal.Admin.Name, true, false), (stored.By, stored.Return, stored.Ending));
        Assert.Equal(stored.Since, world.Portal.Engine.Feeds.Nodes.Find("n1")!.Maintenance!.Since);
        Assert.Equal(["b", "a", "c"], world.Portal.Engine.PlanMaintenance("n1")!.Return.Select(m => m.Instance));
    });

    [Fact]
    public void Refused_when_those_before_it_leave_no_memory_for_the_last() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "a", "n1", "n2");
        await MakeAsync(world, "b", "n1", "n2");
        await StateMemoryAsync(world, "n2", 400);   // room for one of the two
        var refused = world.Portal!.Engine.WouldRefuse(On, SimPortal.Admin);
        Assert.Equal("maintenance.no-room", refused?.Code);
        Assert.Contains("b: n2 has 144 MiB of memory left and 256 are needed", refused!.Message, StringComparison.Ordinal);
        await world.Portal.DoAsync(new StopInstance("b"));
        Assert.Null(world.Portal.Engine.WouldRefuse(On, SimPortal.Admin));
    });

    [Fact]
    public void Of_two_nodes_asked_for_at_once_one_takes_what_the_other_has() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "a", "n1", "n2");
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        var jobs = await Task.WhenAll(new[] { "n1", "n2" }.Select(async n => await world.Portal!.Engine.SubmitAsync(new MaintainNode(n, true), SimPortal.Admin, "test", CancellationToken.None) is { Ok: true, Value: var id } ? await world.Portal.Engine.WaitAsync(id, CancellationToken.None) : null));
        Assert.Equal("maintenance.no-room", jobs[1]!.Error?.Code);
        Assert.Equal("n2", world.Database.Find("a")!.Primary);
    });

    [Fact]
    public void Only_an_administrator_may_and_choices_are_made_at_the_beginning() => InCluster(new SimOptions(), async world =>
    {
        var engine = world.Portal!.Engine;
        Assert.Equal("right.missing", engine.WouldRefuse(On, new Caller("7", "mallory", false, "test"))?.Code);
        Assert.Equal("node.unknown", engine.WouldRefuse(new MaintainNode("n9", true), SimPortal.Admin)?.Code);
        Assert.Equal("return", engine.WouldRefuse(new MaintainNode("n1", false) { Return = true }, SimPortal.Admin)?.Field);
        Assert.Equal("rebuild", engine.WouldRefuse(new MaintainNode("n1", false) { Rebuild = true }, SimPortal.Admin)?.Field);
        await world.Portal.DoAsync(On);
        Assert.Equal(("node.maintenance", "node:n1", "success"), world.Database.Audit.Select(a => (a.Operation, a.Subject, a.Result)).Last());
    });

    [Fact]
    public void Silence_in_maintenance_is_no_alarm_and_no_flap_and_a_silence_with_something_to_run_is_both() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "a", "n1", "n2");
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        await world.Portal!.DoAsync(On);
        async Task FlapAsync()
        {
            for (var turn = 0; turn < new RecoveryOptions().FlapLimit; turn++)
            {
                world.Node("n1").PowerOff();
                await world.DelayAsync(TimeSpan.FromSeconds(5));
                world.Node("n1").PowerOn();
                await world.DelayAsync(TimeSpan.FromSeconds(5));
            }
        }
        IEnumerable<ClusterEvent> Alarms() => world.Portal.Engine.Feeds.Events.Current().Values.Where(e => e is { Subject: "node:n1", Severity: Severity.Error });
        await FlapAsync();
        Assert.Empty(Alarms());
        Assert.False(world.Database.Nodes.Single(n => n.Name == "n1").Drained);
        await ScenarioInstances.CreateAsync(world, new ScenarioInstance("z", DiskTemplate.Diskless, "n2", null, true));
        await world.Portal.DoAsync(new MaintainNode("n1", false));
        await FlapAsync();
        Assert.Contains(Alarms(), e => e.Kind == "node.drained");
    });

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 0)]
    public void A_silence_that_is_expected_does_not_count_among_those_that_freeze(bool expected, int lost)
    {
        var nodes = new[] { new NodeSight("n1", NodeHealth.Lost, true, TimeSpan.FromSeconds(4), expected), new NodeSight("n2", NodeHealth.Lost, true, TimeSpan.FromSeconds(4)), new NodeSight("n3", NodeHealth.Online, true, TimeSpan.Zero) };
        Assert.Equal(lost, Freeze.Lost(nodes, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(3), null).Count);
    }
}
