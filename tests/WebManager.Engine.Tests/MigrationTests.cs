// What a migration is refused for, and what people are told of one.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class MigrationTests
{
    [Theory]
    [InlineData("file", "instance.not-mirrored")]
    [InlineData("stopped", "instance.not-running")]
    [InlineData("degraded", "mirror.not-in-sync")]
    [InlineData("secondary-away", "node.not-online")]
    [InlineData("no-memory", "node.no-memory")]
    [InlineData("unknown", "instance.unknown")]
    public void Refused_with_the_reason(string state, string code) => InCluster(state == "file" ? DiskTemplate.File : DiskTemplate.Mirror, async world =>
    {
        if (state == "stopped") await world.Portal!.DoAsync(new StopInstance("i1"));
        if (state is "degraded" or "secondary-away") world.Node("n2").PowerOff();
        if (state == "degraded") await LosesItsCopyAsync(world);
        if (state == "secondary-away") await world.DelayAsync(TimeSpan.FromSeconds(5));
        if (state == "no-memory") await ComesBackSmallAsync(world);
        var request = new MigrateInstance(state == "unknown" ? "nobody" : "i1");
        var refused = world.Portal!.Engine.WouldRefuse(request, SimPortal.Admin);
        Assert.Equal(code, refused?.Code);
        Assert.True(refused!.Remedy is not null || state == "unknown", refused.Message);
        Assert.Equal(refused, (await world.Portal.Engine.SubmitAsync(request, SimPortal.Admin, "test", CancellationToken.None)).Refusal);
    });

    [Fact]
    public void The_job_says_what_moved_and_for_how_long_the_guest_stood_still() => InCluster(DiskTemplate.Mirror, async world =>
    {
        var job = await world.Portal!.DoAsync(new MigrateInstance("i1"));
        Assert.Equal(JobStatus.Success, job.Status);
        var log = (await world.Portal.Store.JobLogAsync(job.Id, CancellationToken.None)).Select(l => l.Text).ToList();
        Assert.Contains(log, l => l.StartsWith("Runs on n2. 50 MiB of memory moved; the guest stood still for ", StringComparison.Ordinal));
        var moved = Assert.Single(world.Portal.Engine.Feeds.Events.Current().Values, e => e.Kind == "instance.migrated");
        Assert.Equal(("instance:i1", "n1", "n2", job.Id), (moved.Subject, moved.From, moved.To, moved.Job));
    });

    [Fact]
    public void Rows_show_how_far_it_is() => InCluster(DiskTemplate.Mirror, async world =>
    {
        var job = await world.Portal!.SubmitAsync(new MigrateInstance("i1"));
        var id = world.Database.Find("i1")!.Id;
        var seen = new HashSet<double>();
        while (!world.Database.Jobs.Single(j => j.Id == job).Ended)
        {
            await world.DelayAsync(TimeSpan.FromSeconds(0.1));
            var row = world.Portal.Engine.Feeds.Instances.Find(id)!;
            if (row.Status == InstanceStatus.Migrating && row.MigrationPercent is { } percent) seen.Add(percent);
        }

        Assert.NotEmpty(seen);
        await world.DelayAsync(TimeSpan.FromSeconds(1));
        var now = world.Portal.Engine.Feeds.Instances.Find(id)!;
        Assert.Equal((InstanceStatus.Running, "n2", "n1", MirrorState.InSync), (now.Status, now.Primary, now.Secondary, now.Mirror));
    });

    private static async Task LosesItsCopyAsync(SimWorld world)
    {
        while (world.Database.Find("i1")!.Mirror != MirrorState.Degraded) await world.DelayAsync(TimeSpan.FromSeconds(0.5));
        world.Node("n2").PowerOn();
        while (world.Portal!.Engine.Feeds.Nodes.Find("n2")!.Health != NodeHealth.Online) await world.DelayAsync(TimeSpan.FromSeconds(0.1));
    }

    /// <summary>n2 is back with less memory than i1 needs.</summary>
    private static async Task ComesBackSmallAsync(SimWorld world)
    {
        world.Node("n2").PowerOff();
        world.Node("n2").MemoryMiB = 128;
        await world.DelayAsync(TimeSpan.FromSeconds(6));
        world.Node("n2").PowerOn();
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        while (world.Database.Find("i1")!.Mirror != MirrorState.InSync) await world.DelayAsync(TimeSpan.FromSeconds(0.5));
    }

    private static void InCluster(DiskTemplate template, Func<SimWorld, Task> act)
    {
        var world = new SimWorld(new SimOptions());
        world.Network.SlowPart = 0;
        world.Scheduler.Run(async () =>
        {
            await world.BeginAsync("n1", "n2");
            await ScenarioInstances.CreateAsync(world, new ScenarioInstance("i1", template, "n1", template == DiskTemplate.Mirror ? "n2" : null, false));
            await world.DelayAsync(TimeSpan.FromSeconds(5));
            await act(world);
            await world.Portal!.StopAsync();
        }, TimeSpan.FromHours(1));
    }
}
