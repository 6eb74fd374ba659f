// What people see and decide of recoveries: timeline, order and limits, power commands, rights.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class RecoveryPolicyTests
{
    [Fact]
    public void Recovery_leaves_a_timeline_with_its_slack_that_survives_the_portal() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        var died = world.Scheduler.Clock.GetUtcNow();
        world.Node("n1").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(20));
        var t = world.Database.Find("i1")!.LastRecovery!;
        Assert.Equal(("n1", "n2", "No guest can run on n1 any more."), (t.From, t.To, t.FencedBy));
        Assert.InRange((died - t.LastSignAt).TotalSeconds, 0, 0.6);
        Assert.InRange(t.Detected!.Value.TotalSeconds, 2, 2.2);
        Assert.InRange(t.Promoted!.Value.TotalSeconds, 3, 3.3);
        Assert.InRange(t.Fenced!.Value.TotalSeconds, 3.5, 3.8);
        Assert.True(t.Started > t.Fenced && t.FirstSign > t.Started, $"{t}");
        Assert.InRange(t.Slack!.Value.TotalSeconds, 0, 0.3);
        Assert.Equal(t, world.Database.Job(t.Job)!.Recovery);
        world.CrashPortal();
        await world.StartPortalAsync();
        Assert.Equal(t, world.Portal!.Engine.Feeds.Instances.Find(world.Database.Find("i1")!.Id)!.LastRecovery);
        Assert.Equal(t, world.Portal.Engine.Feeds.Jobs.Find(t.Job)!.Recovery);
    });

    [Fact]
    public void Two_hundred_instances_are_recovered_by_priority_within_limits_and_memory() => InCluster(new SimOptions { NodeMemoryMiB = 60_000, NodeDiskMiB = 1_000_000 }, async world =>
    {
        const int All = 200, Fits = 60;
        await Task.WhenAll(Enumerable.Range(0, All).Select(n => MakeAsync(world, $"i{n:d3}", "n1", n % 2 == 0 ? "n2" : "n3")));
        foreach (var n in Enumerable.Range(0, 20)) { await world.Portal!.DoAsync(new ModifyInstance($"i{180 + n}") { Priority = RecoveryPriority.High }); }
        foreach (var n in Enumerable.Range(0, 20)) { await world.Portal!.DoAsync(new ModifyInstance($"i{n:d3}") { Priority = RecoveryPriority.Low }); }
        await StateMemoryAsync(world, "n2", Fits * 256);
        world.Node("n1").PowerOff();
        var most = 0;
        for (var turn = 0; turn < 400; turn++)
        {
            await world.DelayAsync(TimeSpan.FromMilliseconds(100));
            most = Math.Max(most, world.Database.Jobs.Count(j => !j.Ended && j.Request is RecoverInstance));
            Assert.True(world.Node("n2").Guests.Values.Sum(g => g.Spec.MemoryMiB) <= Fits * 256, "n2 is over-committed.");
        }

        Assert.InRange(most, 2, 2 * new RecoveryOptions().StartsPerNode);
        var started = world.Events.Where(e => e.Kind == "guest.started" && e.To is "n2" or "n3" && e.From is null).Select(e => e.Subject).ToList();
        Assert.Equal(100 + Fits, started.Count);
        static int Number(string name) => int.Parse(name[1..], System.Globalization.CultureInfo.InvariantCulture);
        var filed = world.Database.Jobs.Select(j => j.Request).OfType<RecoverInstance>().Select(r => Number(r.Instance)).ToList();
        foreach (var half in filed.GroupBy(n => n % 2))
        {
            Assert.All(half.Take(10), n => Assert.InRange(n, 180, 199));
            Assert.All(half.Skip(half.Key == 1 ? 90 : Fits), n => Assert.InRange(n, 0, 19));
        }
        Assert.DoesNotContain(started, i => Number(i) is < 20 and var n && n % 2 == 0);
        var waits = world.Portal!.Engine.Feeds.Instances.Current().Values.Where(r => r.HeldBack is not null).ToList();
        Assert.Equal(100 - Fits, waits.Count);
        Assert.All(waits, r => Assert.Contains("n2 has 0 MiB of memory left and 256 are needed", r.Text, StringComparison.Ordinal));
        await StateMemoryAsync(world, "n2", 60_000);
        await world.DelayAsync(TimeSpan.FromSeconds(30));
        Assert.All(world.Database.Instances, i => Assert.NotNull(world.Truth.Executing(i.Id)));
        Assert.Empty(AtRest.Faults(world));
    });

    [Fact]
    public void Stopped_instance_is_not_started_where_memory_would_be_overcommitted() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        await MakeAsync(world, "i2", "n1", "n2");
        await world.Portal!.DoAsync(new StopInstance("i2"));
        await StateMemoryAsync(world, "n1", 300);
        var refused = world.Portal.Engine.WouldRefuse(new StartInstance("i2"), SimPortal.Admin);
        Assert.Equal("node.no-memory", refused?.Code);
    });

    [Fact]
    public void Power_off_wants_the_name_typed_and_counts_only_when_the_node_is_silent() => InCluster(new SimOptions(), async world =>
    {
        var portal = world.Portal!;
        Assert.Equal("power.no-command", portal.Engine.WouldRefuse(new PowerOffNode("n1", "n1"), SimPortal.Admin)?.Code);
        world.PowerCommands["n1"] = "lies";
        var wrong = portal.Engine.WouldRefuse(new PowerOffNode("n1", "n2"), SimPortal.Admin);
        Assert.Equal(("confirm.differs", "confirm"), (wrong?.Code, wrong?.Field));
        Assert.Equal("right.missing", portal.Engine.WouldRefuse(new PowerOffNode("n1", "n1"), new Caller("7", "mallory", false, "test"))?.Code);
        var lied = await portal.DoAsync(new PowerOffNode("n1", "n1"));
        Assert.Equal("power.still-answers", lied.Error?.Code);
        world.PowerCommands["n1"] = "fails";
        Assert.Equal("power.failed", (await portal.DoAsync(new PowerOffNode("n1", "n1"))).Error?.Code);
        world.PowerCommands["n1"] = "works";
        Assert.Equal(JobStatus.Success, (await portal.DoAsync(new PowerOffNode("n1", "n1"))).Status);
        Assert.False(world.Node("n1").Powered);
        Assert.Contains(world.Database.Audit, a => a is { User: "admin", Operation: "node.power-off", Subject: "node:n1", Result: "success" });
    });

    /// <summary>S67, with an isolation time long enough to see the difference.</summary>
    [Theory]
    [InlineData("works", 3, 4.5)]
    [InlineData("fails", 8.5, 9.5)]
    [InlineData("hangs", 8.5, 9.5)]
    [InlineData("none", 8.5, 9.5)]
    public void Only_a_confirmed_power_off_shortens_the_wait(string command, double earliest, double latest) =>
        InCluster(new SimOptions { Heartbeat = new HeartbeatOptions { Isolation = TimeSpan.FromSeconds(8) } }, async world =>
        {
            await MakeAsync(world, "i1", "n1", "n2");
            await world.DelayAsync(TimeSpan.FromSeconds(5));
            if (command != "none") { world.PowerCommands["n1"] = command; }
            var died = world.Now;
            Faults.Do(world, "isolate", ["n1"]);
            await world.DelayAsync(TimeSpan.FromSeconds(20));
            var started = world.Events.Single(e => e is { Kind: "guest.started", Subject: "i1", To: "n2" });
            // The last challenge was heard up to a beat before.
            Assert.InRange((started.At - died).TotalSeconds, earliest - 0.6, latest);
            var t = world.Database.Find("i1")!.LastRecovery!;
            Assert.Equal(command == "works" ? "n1 was powered off and is silent since." : "No guest can run on n1 any more.", t.FencedBy);
            Assert.Equal(command == "works", t.Slack is null);
        });

    [Fact]
    public void Owner_may_change_his_instance_and_only_an_administrator_the_cluster() => InCluster(new SimOptions(), async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        var engine = world.Portal!.Engine;
        var mallory = new Caller("7", "mallory", false, "test");
        Assert.Equal("instance.unknown", engine.WouldRefuse(new ModifyInstance("i1") { AutoRecover = false }, mallory)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new ModifyCluster { AutoRecover = false }, mallory)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new UnfreezeCluster(), mallory)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new ModifyNode("n1") { Offline = true }, mallory)?.Code);
        Assert.Null(engine.WouldRefuse(new ModifyInstance("i1") { AutoRecover = false }, new Caller("1", "admin", false, "test")));
        Assert.Equal("recovery.not-frozen", engine.WouldRefuse(new UnfreezeCluster(), SimPortal.Admin)?.Code);
        Assert.Equal("instance.nothing-to-change", engine.WouldRefuse(new ModifyInstance("i1"), SimPortal.Admin)?.Code);
        Assert.Equal("priority", engine.WouldRefuse(new ModifyInstance("i1") { Priority = (RecoveryPriority)7 }, SimPortal.Admin)?.Field);
    });

    [Theory]
    [InlineData("n1:lost:3.1 n2:suspect:2.7 n3", "n1 n2")]            // two of three at once
    [InlineData("n1:suspect:2.9 n2:suspect:2.7 n3", "")]              // only a moment so far
    [InlineData("n1:lost:3.1 n2:lost:14 n3", "")]                     // the other one long before
    [InlineData("n1:lost:3.1 n2 n3", "")]
    [InlineData("n1:lost:3.1 n2:suspect:2.5 n3 n4", "n1 n2")]         // half of four
    [InlineData("n1:lost:3.1 n2", "")]                                // too few nodes to say
    [InlineData("n1:lost:3.1 n2:offline:60 n3:offline:60", "")]
    public void Freeze_is_for_many_nodes_lost_at_once(string nodes, string lost)
    {
        var seen = nodes.Split(' ').Select(n => n.Split(':')).Select(n => n is [var name, var health, var silence]
            ? new NodeSight(name, Enum.Parse<NodeHealth>(health, true), true, TimeSpan.FromSeconds(double.Parse(silence, System.Globalization.CultureInfo.InvariantCulture)))
            : new NodeSight(n[0], NodeHealth.Online, true, TimeSpan.Zero)).ToList();
        IReadOnlyList<string> Lost(double window, TimeSpan? released = null) => Freeze.Lost(seen, TimeSpan.FromSeconds(window), TimeSpan.FromSeconds(3), released);
        Assert.Equal(lost, string.Join(' ', Lost(10)));
        Assert.Empty(Lost(0));
        Assert.Empty(Lost(10, released: TimeSpan.FromSeconds(1)));
    }

    /// <summary>A node that comes back with another memory: its agent says hello again.</summary>
    internal static async Task StateMemoryAsync(SimWorld world, string node, long memory)
    {
        world.Node(node).MemoryMiB = memory;
        world.Node(node).CrashAgent();
        world.Node(node).StartAgent();
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(memory, world.Database.Nodes.Single(n => n.Name == node).MemoryMiB);
    }

    internal static Task MakeAsync(SimWorld world, string name, string primary, string secondary) =>
        ScenarioInstances.CreateAsync(world, new ScenarioInstance(name, DiskTemplate.Mirror, primary, secondary, true));
}
