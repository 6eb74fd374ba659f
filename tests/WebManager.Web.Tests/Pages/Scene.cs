using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Hosting;

namespace WebManager.Web.Tests.Pages;

/// <summary>A small cloud with something of everything: three nodes (one lost), instances in all states, jobs, logs, events.</summary>
public static class Scene
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    public static NodeRow Node(string name, NodeHealth health = NodeHealth.Online, HypervisorKind kind = HypervisorKind.Tcg) =>
        new(name, $"10.77.0.1{name[^1]}:8443", health, false, kind, kind == HypervisorKind.Tcg ? "No KVM: a probe guest did not boot with it." : null, PortalVersion.Own,
            4, 8192, 102400, 4352, 61440, 4, 4, Now.AddSeconds(health == NodeHealth.Online ? 0 : -96), null) { Group = "default" };

    public static InstanceRow Instance(string name, string primary, string? secondary, InstanceStatus status = InstanceStatus.Running,
        MirrorState mirror = MirrorState.InSync, double? percent = null, string? text = null, int memory = 512) =>
        new(Guid.NewGuid(), name, "admin", "tiny", 1, memory, 10240, secondary is null ? DiskTemplate.File : DiskTemplate.Mirror, primary, secondary,
            status == InstanceStatus.AdminDown ? AdminState.Down : AdminState.Up, status, mirror, percent, $"10.77.1.{100 + name.Length * 7 % 90}/24", "aa:00:00:3f:1c:07",
            status == InstanceStatus.Running ? Now.AddHours(-27) : null, Now.AddDays(-9), null, text, 7) { OwnerKey = Keys.User("u1") };

    public static FakeEngine Filled()
    {
        var engine = new FakeEngine { Rule = Rules };
        engine.Feeds.Cluster.Set(engine.Cluster.Id, new ClusterRow("demo-cloud", true, null, null) { Tags = ["htools:nlocation:rack"] });
        foreach (var group in new[] { new GroupRow(Guid.NewGuid(), "default", true, 3), new GroupRow(Guid.NewGuid(), "west", false, 0) }) { engine.Feeds.Groups.Set(group.Id, group); }
        foreach (var node in new[] { Node("node1") with { Tags = ["rack:a", "ssd"] }, Node("node2") with { Tags = ["rack:a"] }, Node("node3", NodeHealth.Lost) }) { engine.Feeds.Nodes.Set(node.Name, node); }
        foreach (var row in Instances()) { engine.Feeds.Instances.Set(row.Id, row); }
        AccessScene.Fill(engine);
        Jobs(engine.Feeds);
        Events(engine.Feeds);
        return engine;
    }

    private static IEnumerable<InstanceRow> Instances() =>
    [
        Instance("web1", "node1", "node2") with { PairText = "Both copies are in rack:a (node1 and node2): one fault there takes both. Give it another secondary (wm instance replace-disks web1 --auto)." },
        Instance("web2", "node2", "node1") with { LastRecovery = Recovery, Priority = RecoveryPriority.High },
        Instance("db-primary", "node1", "node3", mirror: MirrorState.Degraded, text: "Its other copy is on node3, which is lost. It runs unprotected until node3 is back."),
        Instance("mail", "node2", "node3", mirror: MirrorState.Resynchronising, percent: 42.4),
        Instance("shop", "node2", "node3", InstanceStatus.Recovering, MirrorState.Degraded, text: "node3 was lost; starting on node2."),
        Instance("crm", "node1", "node2", InstanceStatus.Migrating) with { MigrationPercent = 62 },
        Instance("wiki", "node1", "node2", InstanceStatus.AdminDown),
        Instance("build-runner", "node3", null, InstanceStatus.NodeDown, MirrorState.None, text: "node3 does not answer and there is no other copy. It runs again when node3 is back."),
        Instance("reports", "node3", "node1", InstanceStatus.NodeDown, text: "Its node node3 does not answer. Automatic recovery is switched off for this instance. Switch it on (wm instance modify reports --auto-recover on) or bring the node back.") with { HeldBack = "recover.instance-off", AutoRecover = false },
        Instance("ci-cache", "node1", null, InstanceStatus.ErrorDown, MirrorState.None, text: "It ended by itself five times in ten minutes. Look at its console, then start it."),
        Instance("sandbox", "node2", "node1", InstanceStatus.Creating),
        Instance("metrics", "node1", "node2", InstanceStatus.Starting),
        Instance("files", "node2", "node1", InstanceStatus.Paused, text: "It waits for its other copy to answer."),
        Instance("legacy-app", "node1", null, InstanceStatus.Failed, MirrorState.None, text: "Its disk could not be read. Remove it or restore it from a copy."),
        Instance("old-lab", "node2", "node1", InstanceStatus.Removing),
    ];

    public static readonly RecoveryTimeline Recovery = new(911, "node1", "node2", 7, Now.AddHours(-3))
    {
        Detected = TimeSpan.FromSeconds(2.06), Promoted = TimeSpan.FromSeconds(3.02), Fenced = TimeSpan.FromSeconds(3.61), FencedBy = "No guest can run on node1 any more.",
        Started = TimeSpan.FromSeconds(3.84), FirstSign = TimeSpan.FromSeconds(5.21), Required = TimeSpan.FromSeconds(3.5), Waited = TimeSpan.FromSeconds(3.58),
    };

    private static Refusal? Rules(OperationRequest request) => request switch
    {
        StartInstance { Instance: "web1" } => new Refusal("instance.running", "web1 runs already."),
        ResyncInstance { Instance: "web1" } => new Refusal("instance.in-sync", "Both copies are current; there is nothing to copy."),
        CreateInstance { Instance: "web1" } => new Refusal("instance.exists", "There is an instance web1 already.", "Choose another name.") { Field = "instance" },
        CreateInstance { MemoryMiB: > 8192 } => new Refusal("placement.no-room", "No node has so much memory free.", "Take less, or add a node.") { Field = "memoryMiB" },
        _ => null,
    };

    private static void Jobs(ClusterFeeds feeds)
    {
        void Job(long id, string summary, JobStatus status, string by, string why, double age, double? took, string? error = null, string? remedy = null)
        {
            var at = Now.AddSeconds(-age);
            feeds.Jobs.Set(id, new JobRow(id, summary.Split(' ')[0], summary, status, by, why, at, took is { } t ? at.AddSeconds(t) : null, took is null ? "copying disks" : null, error, remedy, 3));
            string[] lines = ["Checked again with the locks held.", "Placed on node1, copy on node2.", "Disk 0: 10 GiB on node1 and node2, empty and equal.", "Generation 1: node1/node2, in sync.", "Guest started."];
            foreach (var (text, n) in lines.Select((l, n) => (l, n + 1))) { feeds.JobLog.Set((id, n), new JobLogLine(id, n, at.AddSeconds(n * 0.3), text)); }
        }
        Job(911, "instance.recover web2", JobStatus.Success, "watcher", "its node is silent", 10800, 1.9);
        feeds.Jobs.Set(911, feeds.Jobs.Find(911)! with { Recovery = Recovery });
        Job(912, "instance.create web1", JobStatus.Success, "admin", "Created on the portal", 86400, 2.4);
        Job(913, "instance.failover web2", JobStatus.Success, "admin", "Failover on the portal", 7200, 6.8);
        Job(914, "instance.create legacy-app", JobStatus.Error, "anna", "Created on the portal", 3600, 1.2, "The disk on node1 could not be made: no space left.", "Free space on node1 or choose another node.");
        Job(915, "instance.recover shop", JobStatus.Running, "watcher", "node3 was lost", 4, null);
        Job(916, "instance.resync mail", JobStatus.Running, "watcher", "the copy on node3 was lost", 44, null);
        Job(917, "instance.create sandbox", JobStatus.Queued, "admin", "Created on the portal", 1, null);
    }

    private static void Events(ClusterFeeds feeds)
    {
        (double Age, string Kind, Severity Severity, string Subject, string Text, long? Job)[] all =
        [
            (86398, "instance.status", Severity.Info, "instance:web1", "Created on node1 with a copy on node2.", 912),
            (7193, "instance.status", Severity.Info, "instance:web2", "Runs on node2 after a failover from node1.", 913),
            (3599, "job.ended", Severity.Error, "instance:legacy-app", "Creation failed: the disk on node1 could not be made.", 914),
            (98, "node.health", Severity.Warning, "node:node3", "Missed its beats for 2 s: suspect.", null),
            (96, "node.health", Severity.Error, "node:node3", "Lost. Its mirrored instances are started on their secondaries.", null),
            (95, "mirror.state", Severity.Warning, "instance:db-primary", "Runs alone: its copy on node3 is out of reach.", null),
            (4, "instance.status", Severity.Info, "instance:shop", "Being recovered on node2.", 915),
            (44, "mirror.state", Severity.Info, "instance:mail", "Resynchronising to node3.", 916),
        ];
        foreach (var (e, n) in all.OrderByDescending(e => e.Age).Select((e, n) => (e, n + 1)))
        {
            feeds.Events.Set(n, new ClusterEvent(n, Now.AddSeconds(-e.Age), e.Kind, e.Severity, e.Subject, null, null, e.Text) { Job = e.Job });
        }
    }
}
