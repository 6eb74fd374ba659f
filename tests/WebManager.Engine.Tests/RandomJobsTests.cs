// Many jobs of many kinds, with priorities, dependencies and cancels, while the portal is killed: at rest nothing hangs, nothing is held, nothing is charged wrongly.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Plan;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class RandomJobsTests
{
    private const int Turns = 250;
    private static readonly string[] Instances = ["a", "b", "c", "d", "e"];
    private static readonly string[] Locks = ["cluster", "group:default", "node:n1", "node:n2", "instance:a", "instance:b"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void At_rest_no_job_hangs_no_lock_is_held_and_the_ledger_is_right(int seed)
    {
        var world = new SimWorld(new SimOptions { Seed = seed });
        world.Network.SlowPart = 0;
        world.Scheduler.Run(() => PlayAsync(world, new Random(seed)), TimeSpan.FromHours(6));
    }

    private static async Task PlayAsync(SimWorld world, Random random)
    {
        world.People.Add("olga", "olga");
        await world.BeginAsync("n1", "n2", "n3");
        await world.DelayAsync(TimeSpan.FromSeconds(1));
        var filed = 0;
        for (var turn = 0; turn < Turns; turn++)
        {
            if (random.Next(60) == 0)
            {
                world.CrashPortal();
                await world.DelayAsync(TimeSpan.FromSeconds(random.NextDouble() * 3));
                await world.StartPortalAsync();
            }
            var outcome = await world.Portal!.Engine.SubmitAsync(Some(world, random), SimPortal.Admin, "random", Terms(world, random), CancellationToken.None);
            filed += outcome.Ok ? 1 : 0;
            await world.DelayAsync(TimeSpan.FromMilliseconds(random.Next(400)));
        }
        await world.Portal!.Engine.SubmitAsync(new ModifyQueue { Drained = false, Running = 5 }, SimPortal.Admin, "random", CancellationToken.None);
        for (var second = 0; second < 3600 && world.Database.Jobs.Any(j => !j.Ended); second++) { await world.DelayAsync(TimeSpan.FromSeconds(1)); }
        await world.DelayAsync(TimeSpan.FromSeconds(20));
        Check(world, filed);
        await world.Portal.StopAsync();
    }

    private static void Check(SimWorld world, int filed)
    {
        var engine = world.Portal!.Engine;
        var faults = AtRest.Faults(world).ToList();
        faults.AddRange(engine.Locks.Select(l => $"{l.Name} is held by {string.Join(", ", l.Holders)} and waited for by {string.Join(", ", l.Waiters)}."));
        if (engine.Now.OpenJobs != 0) { faults.Add($"{engine.Now.OpenJobs} jobs are counted as open."); }
        // Nothing was done by what was cancelled before it began, and each dependency was kept.
        foreach (var job in world.Database.Jobs)
        {
            if (job is { Status: JobStatus.Canceled, StartedAt: null, Step: { } step }) { faults.Add($"Job {job.Id} was cancelled before it began and is at {step}."); }
            foreach (var d in job.Depends.Where(_ => job.StartedAt is not null))
            {
                var on = world.Database.Job(d.Job)!;
                if (!d.MetBy(on.Status) || on.EndedAt > job.StartedAt) { faults.Add($"Job {job.Id} began although {d} was {on.Status}."); }
            }
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults) + "\n" + world.History);
        Assert.True(filed > Turns / 3, $"Only {filed} of {Turns} were accepted.");
        var ends = world.Database.Jobs.CountBy(j => j.Status).ToDictionary();
        Assert.True(ends.GetValueOrDefault(JobStatus.Canceled) > 5 && ends.GetValueOrDefault(JobStatus.Success) > 50, string.Join(", ", ends));
    }

    private static JobTerms Terms(SimWorld world, Random random) => new()
    {
        Priority = random.GetItems([JobPriority.High, JobPriority.Normal, JobPriority.Low], 1)[0],
        Depends = random.Next(4) > 0 || world.Database.Jobs.Count == 0 ? []
            : [.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => new JobDependency(Job(world, random), random.GetItems([JobStatus.Success, JobStatus.Error, JobStatus.Canceled], random.Next(3)).Distinct().ToList()))],
    };

    private static long Job(SimWorld world, Random random) => world.Database.Jobs.TakeLast(15).ElementAt(random.Next(Math.Min(15, world.Database.Jobs.Count))).Id;

    private static OperationRequest Some(SimWorld world, Random random)
    {
        var instance = Instances[random.Next(Instances.Length)];
        return random.Next(14) switch
        {
            0 or 1 => new CreateInstance(instance, "alpine", 1, 128, DiskTemplate.Mirror, [64]) { Owner = Keys.User("olga"), Start = random.Next(3) > 0 },
            2 => new StartInstance(instance),
            3 => new StopInstance(instance) { TimeoutSeconds = 2 },
            4 => new RemoveInstance(instance),
            5 => new MigrateInstance(instance) { AllowFailover = true },
            6 or 7 or 8 => new DebugDelay(random.NextDouble() * 3) { Exclusive = random.GetItems(Locks, random.Next(3)), Shared = random.GetItems(Locks, random.Next(3)) },
            9 or 10 when world.Database.Jobs.Count > 0 => new CancelJob(Open(world, random)),
            11 when world.Database.Jobs.Count > 0 => new SetJobPriority(Open(world, random), random.GetItems([JobPriority.High, JobPriority.Low], 1)[0]),
            12 => new ModifyQueue { Running = random.Next(1, 6), Drained = random.Next(20) == 0 },
            _ => new ArchiveJobs(random.Next(5)),
        };
    }

    private static long Open(SimWorld world, Random random) => world.Database.Jobs.Where(j => !j.Ended).Select(j => j.Id).DefaultIfEmpty(1).ToArray() is var open ? open[random.Next(open.Length)] : 1;
}
