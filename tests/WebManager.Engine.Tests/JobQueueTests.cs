// What people may do with jobs: cancel, order, chain, limit and put them away; and that it holds when the portal dies at that moment.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class JobQueueTests
{
    private static readonly CreateInstance Web = new("web1", "alpine", 1, 256, DiskTemplate.Mirror, [1024]) { Owner = Keys.User("olga") };

    internal static async Task<long> FileAsync(SimWorld world, OperationRequest request, JobPriority priority = JobPriority.Normal, Caller? by = null, params JobDependency[] depends)
    {
        var filed = await world.Portal!.Engine.SubmitAsync(request, by ?? SimPortal.Admin, "test", new JobTerms { Priority = priority, Depends = depends }, CancellationToken.None);
        Assert.True(filed.Ok, filed.Refusal?.Message);
        return filed.Value;
    }

    private static async Task<string?> RefusedAsync(SimWorld world, OperationRequest request, JobTerms? terms = null, Caller? by = null) =>
        (await world.Portal!.Engine.SubmitAsync(request, by ?? SimPortal.Admin, "test", terms ?? JobTerms.Usual, CancellationToken.None)).Refusal?.Code;

    private static Job Stored(SimWorld world, long id) => world.Database.Job(id)!;

    private static async Task UntilAsync(SimWorld world, Func<bool> met)
    {
        for (var turn = 0; turn < 3000 && !met(); turn++) { await world.DelayAsync(TimeSpan.FromMilliseconds(10)); }
        Assert.True(met(), world.History);
    }

    private static DebugDelay Delay(double seconds, params string[] locks) => new(seconds) { Exclusive = locks };

    [Fact]
    public void Cancelled_while_it_waits_it_does_nothing_and_gives_its_reservation_back() => InCluster(async world =>
    {
        world.People.Add("olga", "olga");
        var before = await FileAsync(world, Delay(100));
        var create = await FileAsync(world, Web, depends: new JobDependency(before, []));
        await UntilAsync(world, () => Stored(world, create).Status == JobStatus.Waiting);
        Assert.Equal(1, world.Portal!.Engine.OwnerRow(Keys.User("olga"))!.PendingAllocated.Instances);
        await FileAsync(world, new CancelJob(create));
        var job = Stored(world, create);
        Assert.Equal((JobStatus.Canceled, "admin"), (job.Status, job.CanceledBy));
        Assert.Equal(0, world.Portal.Engine.OwnerRow(Keys.User("olga"))!.PendingAllocated.Instances);
        Assert.Equal([$"Waits for job {before} to end.", "Cancelled by admin."], world.Database.LogOf(create).Select(l => l.Text));
        Assert.Equal("canceled by admin", world.Database.Audit.Single(a => a.Job == create).Result);
        await FileAsync(world, new CancelJob(before));
        await UntilAsync(world, () => Stored(world, before).Ended);
        await world.DelayAsync(TimeSpan.FromSeconds(1));
        Assert.Empty(world.Database.Instances);
        Assert.Empty(world.Portal.Engine.Locks);
        Assert.Equal("job.ended", await RefusedAsync(world, new CancelJob(create)));
        Assert.Equal("job.not-found", await RefusedAsync(world, new CancelJob(99)));
    });

    [Fact]
    public void Cancelled_while_it_runs_it_stops_before_its_next_step_and_what_it_did_is_undone() => InCluster(async world =>
    {
        var cancelled = false;
        world.Portal!.AtStep = (name, step) =>
        {
            if (cancelled || name != "instance.create" || step != "disks") return;
            cancelled = true;
            world.Spawn(async () => await FileAsync(world, new CancelJob(world.Database.Jobs.Single(j => j.Request is CreateInstance).Id)));
        };
        var job = await world.Portal.DoAsync(Web with { Owner = "" });
        Assert.Equal((JobStatus.Canceled, null), (job.Status, job.Error));
        Assert.Empty(world.Database.Instances);
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        Assert.Empty(AtRest.Faults(world));
        Assert.All(world.Nodes, n => Assert.Empty(n.Guests));
        Assert.DoesNotContain(world.Database.ClusterEvents, e => e.Kind == "job.failed");
    });

    [Fact]
    public void What_is_not_broken_off_says_so_and_the_watchers_jobs_are_nobodys_to_cancel() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Web with { Owner = "" });
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        var stop = await FileAsync(world, new StopInstance("web1") { TimeoutSeconds = 30 });
        await UntilAsync(world, () => Stored(world, stop).Status == JobStatus.Running || Stored(world, stop).Ended);
        if (!Stored(world, stop).Ended) { Assert.Equal("job.runs", await RefusedAsync(world, new CancelJob(stop))); }
        await world.Portal.Engine.WaitAsync(stop, CancellationToken.None);
        await world.Portal.DoAsync(new StartInstance("web1"));
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        world.Node(world.Database.Find("web1")!.Primary).PowerOff();
        await UntilAsync(world, () => world.Database.Jobs.Any(j => j is { Ended: false, Request: RecoverInstance }));
        Assert.Equal("job.watchers", await RefusedAsync(world, new CancelJob(world.Database.Jobs.Last(j => j.Request is RecoverInstance).Id)));
    });

    [Fact]
    public void A_migration_is_cancelled_while_the_memory_is_sent_and_the_guest_goes_on_where_it_was() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Web with { Owner = "", Primary = "n1", Secondary = "n2" });
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        var migrate = await FileAsync(world, new MigrateInstance("web1"));
        await UntilAsync(world, () => world.Portal.Engine.Feeds.Jobs.Find(migrate)!.Progress is { Percent: > 0, Text: "of the memory is sent" });
        Assert.Equal("send", Stored(world, migrate).Step);
        await FileAsync(world, new CancelJob(migrate));
        Assert.Equal(JobStatus.Canceling, Stored(world, migrate).Status);
        var ended = await world.Portal.Engine.WaitAsync(migrate, CancellationToken.None);
        Assert.Equal((JobStatus.Canceled, null), (ended.Status, world.Portal.Engine.Feeds.Jobs.Find(migrate)!.Progress));
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        var i = world.Database.Find("web1")!;
        Assert.Equal(("n1", "n1"), (i.Primary, world.Truth.Executing(i.Id)!.Node.Name));
        Assert.Empty(AtRest.Faults(world));
    });

    [Theory]
    [InlineData("queued")]
    [InlineData("depends")]
    [InlineData("lock")]
    [InlineData("running")]
    [InlineData("create")]
    public void A_cancel_that_was_accepted_holds_when_the_portal_dies_after_it(string state) => InCluster(async world =>
    {
        var first = await FileAsync(world, Delay(20, "node:n1"));
        if (state == "queued") { await FileAsync(world, new ModifyQueue { Running = 1 }); }
        var job = state switch
        {
            "depends" => await FileAsync(world, Delay(1), depends: new JobDependency(first, [])),
            "lock" => await FileAsync(world, Delay(1, "node:n1")),
            "running" => await FileAsync(world, Delay(500)),
            "create" => await FileAsync(world, Web with { Owner = "" }),
            _ => await FileAsync(world, Delay(1)),
        };
        var wanted = state switch { "queued" => JobStatus.Queued, "depends" or "lock" => JobStatus.Waiting, _ => JobStatus.Running };
        await UntilAsync(world, () => Stored(world, job).Status == wanted && (state != "create" || Stored(world, job).Step == "disks"));
        await FileAsync(world, new CancelJob(job));
        world.CrashPortal();
        await world.DelayAsync(TimeSpan.FromSeconds(1));
        await world.StartPortalAsync();
        await UntilAsync(world, () => world.Database.Jobs.All(j => j.Ended));
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(JobStatus.Canceled, Stored(world, job).Status);
        Assert.Equal(JobStatus.Success, Stored(world, first).Status);
        Assert.Empty(world.Database.Instances);
        Assert.Empty(world.Portal!.Engine.Locks);
        Assert.Empty(AtRest.Faults(world));
    });

    [Fact]
    public void The_higher_priority_goes_first_and_a_change_of_it_moves_what_waits() => InCluster(async world =>
    {
        await FileAsync(world, new ModifyQueue { Running = 1 });
        await FileAsync(world, Delay(5));
        await world.DelayAsync(TimeSpan.FromSeconds(0.5));
        var low = await FileAsync(world, Delay(0.1), JobPriority.Low);
        var normal = await FileAsync(world, Delay(0.1));
        var high = await FileAsync(world, Delay(0.1), JobPriority.High);
        var lifted = await FileAsync(world, Delay(0.1), JobPriority.Low);
        await FileAsync(world, new SetJobPriority(lifted, JobPriority.High));
        await UntilAsync(world, () => world.Database.Jobs.All(j => j.Ended));
        Assert.Equal([high, lifted, normal, low], world.Database.Jobs.Where(j => j.Request is DebugDelay { Seconds: < 1 }).OrderBy(j => j.StartedAt).Select(j => j.Id));
        Assert.Equal("job.ended", await RefusedAsync(world, new SetJobPriority(low, JobPriority.Normal)));
    });

    [Fact]
    public void High_priority_is_for_administrators() => InCluster(async world =>
    {
        world.People.Add("olga", "olga");
        await world.Portal!.DoAsync(Web);
        var (olga, high) = (new Caller("olga", "olga", false, "test"), new JobTerms { Priority = JobPriority.High });
        Assert.Equal("priority.high", await RefusedAsync(world, new StopInstance("web1"), high, olga));
        var before = await FileAsync(world, Delay(50, "instance:web1"));
        Assert.Equal("depends.unknown", await RefusedAsync(world, new StopInstance("web1"), new JobTerms { Depends = [new JobDependency(before, [])] }, olga));   // she may not see it
        var mine = await FileAsync(world, new StopInstance("web1"), by: olga);
        Assert.Equal("priority.high", await RefusedAsync(world, new SetJobPriority(mine, JobPriority.High), by: olga));
        await FileAsync(world, new SetJobPriority(mine, JobPriority.Low), by: olga);
        Assert.Equal("job.not-found", await RefusedAsync(world, new CancelJob(before), by: olga));
        await FileAsync(world, new CancelJob(mine), by: olga);
        Assert.Equal(JobStatus.Canceled, Stored(world, mine).Status);
    });

    [Theory]
    [InlineData("", JobStatus.Success, JobStatus.Success, null)]
    [InlineData("", JobStatus.Error, JobStatus.Success, null)]
    [InlineData("", JobStatus.Canceled, JobStatus.Canceled, null)]
    [InlineData("success", JobStatus.Success, JobStatus.Success, null)]
    [InlineData("success", JobStatus.Error, JobStatus.Error, "finished with status 'error', not one of 'success' as required")]
    [InlineData("error", JobStatus.Success, JobStatus.Error, "finished with status 'success', not one of 'error' as required")]
    [InlineData("error", JobStatus.Canceled, JobStatus.Canceled, null)]
    [InlineData("canceled", JobStatus.Canceled, JobStatus.Success, null)]
    [InlineData("error canceled", JobStatus.Error, JobStatus.Success, null)]
    public void A_job_that_depends_on_another_ends_by_how_that_ends(string wanted, JobStatus first, JobStatus expected, string? text) => InCluster(async world =>
    {
        // Still possible when it is filed, and not any more when its turn comes.
        var hold = await FileAsync(world, Delay(2, "group:g9"));
        var one = first == JobStatus.Error ? await FileAsync(world, new AddGroup("g9"), depends: new JobDependency(hold, [])) : await FileAsync(world, Delay(2));
        if (first == JobStatus.Error) { await world.Portal!.DoAsync(new AddGroup("g8")); await world.Portal.DoAsync(new RenameGroup("g8", "g9")); }
        var two = await FileAsync(world, Delay(0), depends: new JobDependency(one, [.. wanted.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => Enum.Parse<JobStatus>(w, true))]));
        if (first == JobStatus.Canceled) { await FileAsync(world, new CancelJob(one)); }
        await UntilAsync(world, () => Stored(world, two).Ended);
        Assert.Equal((first, expected), (Stored(world, one).Status, Stored(world, two).Status));
        if (text is not null) { Assert.Equal($"Dependency job {one} {text}.", Stored(world, two).Error!.Message); }
        // What has ended counts as well, also when it is known to the database only.
        await FileAsync(world, new ArchiveJobs(0));
        var three = await FileAsync(world, Delay(0), depends: new JobDependency(one, [first]));
        await UntilAsync(world, () => Stored(world, three).Ended);
        Assert.Equal(JobStatus.Success, Stored(world, three).Status);
    });

    [Fact]
    public void Dependencies_that_cannot_be_are_refused() => InCluster(async world =>
    {
        Assert.Equal("depends.unknown", await RefusedAsync(world, Delay(1), new JobTerms { Depends = [new JobDependency(77, [])] }));
        var one = await FileAsync(world, Delay(1));
        Assert.Equal("depends.status-invalid", await RefusedAsync(world, Delay(1), new JobTerms { Depends = [new JobDependency(one, [JobStatus.Running])] }));
        Assert.Equal("depends.at-once", await RefusedAsync(world, new RecountQuota(), new JobTerms { Depends = [new JobDependency(one, [])] }));
    });

    [Fact]
    public void What_waits_for_another_job_holds_up_no_recovery() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Web with { Owner = "", Primary = "n1", Secondary = "n2" });
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        await FileAsync(world, new ModifyQueue { Running = 1 });
        var hold = await FileAsync(world, Delay(60));
        var late = await FileAsync(world, new StopInstance("web1"), depends: new JobDependency(hold, []));
        var queued = await FileAsync(world, new RebootInstance("web1"));
        world.Node("n1").PowerOff();
        await UntilAsync(world, () => world.Database.Jobs.Any(j => j is { Request: RecoverInstance, Status: JobStatus.Success }));
        Assert.Equal("n2", world.Truth.Executing(world.Database.Find("web1")!.Id)!.Node.Name);
        Assert.Equal((JobStatus.Waiting, JobStatus.Queued), (Stored(world, late).Status, Stored(world, queued).Status));
    });

    [Fact]
    public void A_drained_or_full_queue_takes_no_jobs_but_the_watchers_and_what_is_done_at_once() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Web with { Owner = "", Primary = "n1", Secondary = "n2" });
        await world.DelayAsync(TimeSpan.FromSeconds(5));
        await FileAsync(world, new ModifyQueue { Drained = true });
        Assert.Equal("queue.drained", await RefusedAsync(world, Delay(1)));
        Assert.True(world.Portal.Engine.Feeds.Cluster.Current().Values.Single().QueueDrained);
        await FileAsync(world, new RecountQuota());
        world.Node("n1").PowerOff();
        await UntilAsync(world, () => world.Database.Jobs.Any(j => j is { Request: RecoverInstance, Status: JobStatus.Success }));
        await FileAsync(world, new ModifyQueue { Drained = false, Open = 2 });
        await FileAsync(world, Delay(100));
        await FileAsync(world, Delay(100));
        Assert.Equal("queue.full", await RefusedAsync(world, Delay(1)));
        await FileAsync(world, new CancelJob(world.Database.Jobs.First(j => j.Request is DebugDelay).Id));
        await UntilAsync(world, () => world.Portal.Engine.Now.OpenJobs < 2);
        await FileAsync(world, Delay(1));
        Assert.Equal("running", (await world.Portal.Engine.SubmitAsync(new ModifyQueue { Running = 0 }, SimPortal.Admin, "test", CancellationToken.None)).Refusal?.Field);
    });

    [Fact]
    public void The_limit_of_jobs_at_once_is_changed_while_they_run_and_kept_by_the_next_engine() => InCluster(async world =>
    {
        await FileAsync(world, new ModifyQueue { Running = 2 });
        for (var n = 0; n < 5; n++) { await FileAsync(world, Delay(300)); }
        int Running() => world.Database.Jobs.Count(j => j.Status == JobStatus.Running);
        await world.DelayAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(2, Running());
        await FileAsync(world, new ModifyQueue { Running = 4 });
        await UntilAsync(world, () => Running() == 4);
        await FileAsync(world, new ModifyQueue { Running = 3 });
        world.CrashPortal();
        await world.StartPortalAsync();
        await world.DelayAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(4, Running());   // what was under way goes on
        await FileAsync(world, new CancelJob(world.Database.Jobs.First(j => j.Status == JobStatus.Running).Id));
        await FileAsync(world, new CancelJob(world.Database.Jobs.First(j => j.Status == JobStatus.Running).Id));
        await UntilAsync(world, () => Running() == 3);
    });

    [Fact]
    public void Ended_jobs_leave_the_recent_ones_by_order_and_after_six_hours_and_stay_stored() => InCluster(new SimOptions { KeepHistory = false }, async world =>
    {
        var engine = world.Portal!.Engine;
        var one = await world.Portal.DoAsync(Delay(0));
        var two = await world.Portal.DoAsync(Delay(0));
        var open = await FileAsync(world, Delay(8 * 3600));
        Assert.Equal("job.open", await RefusedAsync(world, new ArchiveJob(open)));
        await FileAsync(world, new ArchiveJob(one.Id));
        Assert.Null(engine.Feeds.Jobs.Find(one.Id));
        Assert.DoesNotContain(engine.Feeds.JobLog.Current().Keys, k => k.Job == one.Id);
        Assert.NotNull(engine.Feeds.Jobs.Find(two.Id));
        Assert.Equal(JobStatus.Success, (await engine.WaitAsync(one.Id, CancellationToken.None)).Status);
        await world.DelayAsync(TimeSpan.FromHours(6.2));
        Assert.Null(engine.Feeds.Jobs.Find(two.Id));
        Assert.NotNull(Stored(world, two.Id).ArchivedAt);
        Assert.Equal([open], engine.Now.Jobs.Keys);
        var found = await world.Portal.Store.FindJobsAsync(new JobQuery(), null, CancellationToken.None);
        Assert.Equal([open], found.Select(j => j.Id));
        world.CrashPortal();
        await world.StartPortalAsync();
        Assert.Equal([open], world.Portal!.Engine.Now.Jobs.Keys);
    }, TimeSpan.FromHours(9));

    [Fact]
    public void Who_waits_for_a_change_hears_of_the_next_one_and_not_of_others() => InCluster(async world =>
    {
        var engine = world.Portal!.Engine;
        var other = await FileAsync(world, Delay(1));
        var hold = await FileAsync(world, Delay(3, "node:n1"));
        var job = await FileAsync(world, Delay(1, "node:n1"));
        await UntilAsync(world, () => Stored(world, job).Status == JobStatus.Waiting);
        await world.DelayAsync(TimeSpan.FromMilliseconds(100));
        bool Still() => engine.Now.Jobs[job].Status == JobStatus.Waiting;
        Assert.False(await engine.ChangedAsync(job, Still, TimeSpan.FromSeconds(1.5), CancellationToken.None));   // the other one ended meanwhile
        Assert.True(Stored(world, other).Ended);
        Assert.True(await engine.ChangedAsync(job, Still, TimeSpan.FromSeconds(10), CancellationToken.None));
        Assert.Equal(JobStatus.Running, engine.Now.Jobs[job].Status);
        Assert.True(await engine.ChangedAsync(job, Still, TimeSpan.FromSeconds(10), CancellationToken.None));    // it does not hold any more: at once
        Assert.True(Stored(world, hold).Ended);
    });

    [Fact]
    public void Shared_locks_go_together_and_the_list_shows_who_has_and_who_waits() => InCluster(async world =>
    {
        var (a, b) = (await FileAsync(world, new DebugDelay(5) { Shared = ["node:n1"] }), await FileAsync(world, new DebugDelay(5) { Shared = ["node:n1"] }));
        await UntilAsync(world, () => Stored(world, b).Status == JobStatus.Running);
        var c = await FileAsync(world, Delay(1, "node:n1"));
        await UntilAsync(world, () => Stored(world, c).Status == JobStatus.Waiting);
        var row = Assert.Single(world.Portal!.Engine.Locks);
        Assert.Equal(("2:node:n1", 2, new LockParty(c, false)), (row.Name, row.Holders.Count, Assert.Single(row.Waiters)));
        Assert.Equal([a, b], row.Holders.Where(h => h.Shared).Select(h => h.Job));
        Assert.Equal($"Waits for job {a}, which has or gets node:n1 first.", world.Database.LogOf(c)[0].Text);
        Assert.Equal("exclusive", (await world.Portal.Engine.SubmitAsync(Delay(1, "web1"), SimPortal.Admin, "test", CancellationToken.None)).Refusal?.Field);
        await UntilAsync(world, () => Stored(world, c).Ended);
    });
}
