// When the engine gives its leave to restart a node's agent, when it refuses or waits, and what that node's silence means.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.RecoveryPolicyTests;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class AgentRestartTests
{
    private static readonly RestartAgent N1 = new("n1");

    [Fact]
    public void Restart_leaves_guest_and_copy_alone_and_says_how_long_the_node_was_silent() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        var (run, pid) = (world.Node("n1").Agent!.Run, world.Node("n1").Guests.Values.Single().Pid);
        var job = await world.Portal!.DoAsync(N1);
        Assert.Equal(JobStatus.Success, job.Status);
        Assert.NotEqual(run, world.Node("n1").Agent!.Run);
        Assert.Equal(pid, world.Node("n1").Guests.Values.Single().Pid);
        Assert.Contains(Log(world, job), l => l.StartsWith("n1: its agent was restarted, version sim, silent for 0.", StringComparison.Ordinal));
        Assert.Null(world.Portal.Engine.Feeds.Nodes.Find("n1")!.AgentRestart);
        Assert.DoesNotContain(world.Events, e => e.Kind is "node.health" && e.To == "suspect");
        Assert.DoesNotContain(world.Database.Jobs, j => j.Request is RecoverInstance or DegradeInstance);
    });

    [Fact]
    public void Refused_for_strangers_unknown_and_silent_nodes_and_times_that_make_no_sense() => InCluster(async world =>
    {
        Refusal? Would(RestartAgent request, bool admin = true) => world.Portal!.Engine.WouldRefuse(request, SimPortal.Admin with { Admin = admin });
        Assert.Equal("right.missing", Would(N1, admin: false)?.Code);
        Assert.Equal(("node.unknown", "node"), (Would(new RestartAgent("n9"))!.Code, Would(new RestartAgent("n9"))!.Field));
        foreach (var seconds in new[] { -1, 0, 4, 121 }) { Assert.Equal(("timeout.invalid", "timeoutSeconds"), (Would(N1 with { TimeoutSeconds = seconds })!.Code, Would(N1 with { TimeoutSeconds = seconds })!.Field)); }
        Assert.Null(Would(N1 with { TimeoutSeconds = 120 }));
        world.Node("n1").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        Assert.Equal("node.not-online", Would(N1)?.Code);
    });

    [Fact]
    public void Agent_that_stays_leaves_no_trace_and_its_node_is_recovered_as_quickly_as_ever() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        world.Node("n1").Successor = new SimSuccessor(null, Refused: new Refusal("agent.candidate-bad", "The installed program cannot take over."));
        var job = await world.Portal!.DoAsync(N1);
        Assert.Equal((JobStatus.Error, "agent.candidate-bad"), (job.Status, job.Error?.Code));
        world.Node("n1").PowerOff();
        await world.DelayAsync(TimeSpan.FromSeconds(8));
        var recovered = world.Database.Find("i1")!.LastRecovery!;
        Assert.InRange(recovered.Fenced!.Value.TotalSeconds, 3.5, 3.8);
    });

    [Fact]
    public void Former_agent_that_came_back_fails_the_job_with_its_word() => InCluster(async world =>
    {
        world.Node("n1").Successor = new SimSuccessor(TimeSpan.FromSeconds(0.5), Failed: "The new program ended before it answered, with code 3.");
        var job = await world.Portal!.DoAsync(N1);
        Assert.Equal("agent.hand-over-failed", job.Error?.Code);
        Assert.Contains("ended before it answered, with code 3", job.Error!.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Silence_beyond_the_limit_counts_as_death_and_not_before() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        await MakeAsync(world, "i2", "n2", "n1");
        world.Node("n1").Successor = new SimSuccessor(null);
        var id = await world.Portal!.SubmitAsync(N1 with { TimeoutSeconds = 10 });
        await world.DelayAsync(TimeSpan.FromSeconds(8));
        var row = world.Portal.Engine.Feeds.Nodes.Find("n1")!;
        Assert.Equal((NodeHealth.Lost, SimPortal.Admin.Name, TimeSpan.FromSeconds(10), id), (row.Health, row.AgentRestart!.By, row.AgentRestart.Limit, row.AgentRestart.Job));
        Assert.DoesNotContain(world.Database.Jobs, j => j.Request is RecoverInstance or DegradeInstance);
        Assert.Equal("recover.agent-restarts", world.Portal.Engine.Feeds.Instances.Find(world.Database.Find("i1")!.Id)!.HeldBack);
        Assert.Contains(world.Portal.Engine.Feeds.Events.Current().Values, e => e is { Kind: "node.health", Severity: Severity.Info, To: "suspect" } && e.Text.Contains("being restarted", StringComparison.Ordinal));

        await world.DelayAsync(TimeSpan.FromSeconds(8));
        Assert.Equal("agent.not-returned", world.Database.Job(id)!.Error?.Code);
        await world.DelayAsync(TimeSpan.FromSeconds(8));
        Assert.Equal(("n2", SyncState.Alone), (world.Database.Find("i1")!.Primary, world.Database.Find("i2")!.Generation!.Sync));
        Assert.Null(world.Portal.Engine.Feeds.Nodes.Find("n1")!.AgentRestart);
    });

    [Fact]
    public void Waits_for_a_migration_and_other_jobs_wait_for_it() => InCluster(async world =>
    {
        await MakeAsync(world, "i1", "n1", "n2");
        await MakeAsync(world, "i2", "n1", "n3");
        var moving = await world.Portal!.SubmitAsync(new MigrateInstance("i1"));
        await UntilAsync(world, () => world.Database.Job(moving)?.Status == JobStatus.Running);
        var restart = await world.Portal.SubmitAsync(N1);
        var moved = (await world.Portal.Engine.WaitAsync(moving, CancellationToken.None))!;
        world.Node("n1").Successor = new SimSuccessor(TimeSpan.FromSeconds(1.5));
        await UntilAsync(world, () => world.Database.Job(restart)?.Step == "leave");
        // The node answers until its successor is ready, and yet nothing is begun there.
        var stop = await world.Portal.SubmitAsync(new RebootInstance("i2"));
        var restarted = (await world.Portal.Engine.WaitAsync(restart, CancellationToken.None))!;
        var stopped = (await world.Portal.Engine.WaitAsync(stop, CancellationToken.None))!;
        Assert.Equal((JobStatus.Success, JobStatus.Success, JobStatus.Success), (moved.Status, restarted.Status, stopped.Status));
        Assert.Contains(Log(world, restarted), l => l.StartsWith($"Waits: job {moving}, instance.migrate of i1,", StringComparison.Ordinal));
        Assert.True(moved.EndedAt <= restarted.EndedAt && restarted.EndedAt <= stopped.EndedAt);
    });

    [Fact]
    public void Agent_that_dies_meanwhile_and_is_started_by_somebody_else_ends_the_wait() => InCluster(async world =>
    {
        world.Node("n1").Successor = new SimSuccessor(null);
        var began = world.Scheduler.Clock.GetUtcNow();
        var id = await world.Portal!.SubmitAsync(N1);
        await UntilAsync(world, () => world.Node("n1").Agent is null);
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        world.Node("n1").StartAgent();
        Assert.Equal("agent.not-restarted", (await world.Portal.Engine.WaitAsync(id, CancellationToken.None))!.Error?.Code);
        Assert.InRange((world.Scheduler.Clock.GetUtcNow() - began).TotalSeconds, 3, 8);
    });

    [Fact]
    public void Order_that_was_lost_is_given_again() => InCluster(async world =>
    {
        var id = await world.Portal!.SubmitAsync(N1);
        await UntilAsync(world, () => world.Database.Job(id)?.Step == "leave");
        world.Node("n1").CrashAgent();       // before it could do anything of it
        await world.DelayAsync(TimeSpan.FromSeconds(1));
        world.Node("n1").StartAgent();
        Assert.Equal(JobStatus.Success, (await world.Portal.Engine.WaitAsync(id, CancellationToken.None))!.Status);
    });

    [Fact]
    public void Two_agents_are_never_restarted_at_once() => InCluster(async world =>
    {
        world.Node("n1").Successor = world.Node("n2").Successor = new SimSuccessor(TimeSpan.FromSeconds(3));
        var jobs = new List<Job>();
        foreach (var id in new[] { await world.Portal!.SubmitAsync(N1), await world.Portal.SubmitAsync(new RestartAgent("n2")) }) { jobs.Add((await world.Portal.Engine.WaitAsync(id, CancellationToken.None))!); }
        Assert.All(jobs, j => Assert.Equal(JobStatus.Success, j.Status));
        Assert.True(jobs[0].EndedAt <= jobs[1].StartedAt);
    });

    private static async Task UntilAsync(SimWorld world, Func<bool> condition)
    {
        while (!condition()) { await world.DelayAsync(TimeSpan.FromMilliseconds(5)); }
    }

    private static IReadOnlyList<string> Log(SimWorld world, Job job) => [.. world.Portal!.Engine.Feeds.JobLog.Current().Values.Where(l => l.Job == job.Id).OrderBy(l => l.Serial).Select(l => l.Text)];
}
