// The ledger: what is charged when, that nothing gets past a limit, and that it is right after whatever happened.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Quota;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class QuotaTests
{
    private static readonly Caller s_ada = new("ada", "ada", false, "test");

    [Fact]
    public void Limit_names_resource_used_limit_and_requested() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated(memory: 300));
        await DoneAsync(engine, Small("a1") with { MemoryMiB = 200 });
        var refused = engine.WouldRefuse(Small("a2") with { MemoryMiB = 200 }, s_ada)!;
        Assert.Equal(("quota.exceeded", "memoryMiB"), (refused.Code, refused.Field));
        Assert.Equal("The quota for allocated memory is 300 MiB; 200 MiB are in use or reserved, 200 MiB more are asked for.", refused.Message);
        Assert.Equal("quota.exceeded", (await engine.SubmitAsync(Small("a2") with { MemoryMiB = 200 }, s_ada, "", CancellationToken.None)).Refusal?.Code);
        Assert.Null(engine.WouldRefuse(Small("a2") with { MemoryMiB = 100 }, s_ada));
    });

    [Theory]
    [InlineData("instances", "instance")]
    [InlineData("vcpus", "vcpus")]
    [InlineData("memory", "memoryMiB")]
    [InlineData("disk", "disksMiB")]
    public void Each_resource_has_its_limit_and_none_is_none(string what, string field) => InCluster(async world =>
    {
        var engine = await AdaAsync(world, what switch { "instances" => Allocated(instances: 0), "vcpus" => Allocated(vcpus: 0), "memory" => Allocated(memory: 0), _ => Allocated(disk: 0) });
        Assert.Equal(field, engine.WouldRefuse(Small("a1") with { Template = DiskTemplate.File, DisksMiB = [64] }, s_ada)?.Field);
    });

    [Fact]
    public void Of_many_that_want_the_last_place_exactly_one_gets_it() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated(instances: 1));
        var asked = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => engine.SubmitAsync(Small($"a{n}"), s_ada, "", CancellationToken.None)));
        Assert.Single(asked, o => o.Ok);
        Assert.All(asked.Where(o => !o.Ok), o => Assert.Equal("quota.exceeded", o.Refusal!.Code));
        Assert.Equal(JobStatus.Success, (await engine.WaitAsync(asked.Single(o => o.Ok).Value, CancellationToken.None)).Status);
    });

    [Fact]
    public void What_is_reserved_counts_until_the_job_ends_and_a_failed_one_leaves_nothing() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated(instances: 1));
        var job = await engine.SubmitAsync(Small("a1") with { Template = DiskTemplate.Mirror, DisksMiB = [64], Primary = "n1", Secondary = "n2" }, s_ada, "", CancellationToken.None);
        Assert.Equal("quota.exceeded", engine.WouldRefuse(Small("a2"), s_ada)?.Code);
        Assert.Equal(1, engine.OwnerRow(Keys.User("ada"))!.PendingAllocated.Instances);
        world.Node("n2").PowerOff();
        Assert.Equal(JobStatus.Error, (await engine.WaitAsync(job.Value, CancellationToken.None)).Status);
        Assert.Equal(default, engine.OwnerRow(Keys.User("ada"))!.PendingAllocated);
    });

    [Fact]
    public void Running_has_a_limit_of_its_own_and_stopping_gives_it_back() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, new QuotaLimits(Limits.None, new Limits(1, null, null, null)));
        await DoneAsync(engine, Small("a1"));
        await DoneAsync(engine, Small("a2") with { Start = false });
        var refused = engine.WouldRefuse(new StartInstance("a2"), s_ada);
        Assert.Equal("The quota for running instances is 1; 1 are in use or reserved, 1 more are asked for.", refused?.Message);
        Assert.Null(engine.WouldRefuse(new RebootInstance("a1"), s_ada));
        Assert.Equal("quota.exceeded", engine.WouldRefuse(new RebootInstance("a2"), s_ada)?.Code);
        await DoneAsync(engine, new StopInstance("a1"));
        await DoneAsync(engine, new StartInstance("a2"));
        Assert.Equal(new Usage(2, 2, 256, 0), engine.OwnerRow(Keys.User("ada"))!.Allocated);
        Assert.Equal(new Usage(1, 1, 128, 0), engine.OwnerRow(Keys.User("ada"))!.Running);
    });

    [Fact]
    public void Over_a_lowered_limit_one_may_shrink_but_not_grow() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated());
        await DoneAsync(engine, Small("a1"));
        await DoneAsync(engine, Small("a2"));
        await world.Portal!.DoAsync(new SetQuota(Keys.User("ada"), Allocated(instances: 1)));
        Assert.Equal("quota.exceeded", engine.WouldRefuse(Small("a3"), s_ada)?.Code);
        await DoneAsync(engine, new StopInstance("a1"));
        await DoneAsync(engine, new StartInstance("a1"));
        await DoneAsync(engine, new RemoveInstance("a1"));
        Assert.Equal(1, engine.OwnerRow(Keys.User("ada"))!.Allocated.Instances);
    });

    [Fact]
    public void Only_an_administrator_may_exceed_and_says_so() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated(instances: 0));
        Assert.Equal("force", engine.WouldRefuse(Small("a1") with { Force = true }, s_ada)?.Field);
        var forced = Small("a1") with { Owner = Keys.User("ada") };
        Assert.Equal("quota.exceeded", engine.WouldRefuse(forced, SimPortal.Admin)?.Code);
        await world.Portal!.DoAsync(forced with { Force = true });
        Assert.Equal(1, engine.OwnerRow(Keys.User("ada"))!.Allocated.Instances);
    });

    [Fact]
    public void Change_of_owner_moves_the_charge_and_is_measured_at_the_new_one() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated());
        world.People.Add("bob", "bob");
        await DoneAsync(engine, Small("a1"));
        await world.Portal!.DoAsync(new SetQuota(Keys.User("bob"), Allocated(instances: 0)));
        Assert.Equal("quota.exceeded", engine.WouldRefuse(new ChangeOwner("a1", Keys.User("bob")), SimPortal.Admin)?.Code);
        await world.Portal.DoAsync(new ChangeOwner("a1", Keys.User("bob")) { Force = true });
        Assert.Equal((0, 1), (engine.OwnerRow(Keys.User("ada"))!.Allocated.Instances, engine.OwnerRow(Keys.User("bob"))!.Allocated.Instances));
        Assert.Equal("instance.unknown", engine.WouldRefuse(new StopInstance("a1"), s_ada)?.Code);
        Assert.Contains(world.Database.Charges, c => c is { Owner: "user:bob", Instance: "a1", Why: "instance.change-owner", Allocated.Instances: 1, AllocatedAfter.Instances: 1 });
    });

    [Fact]
    public void Member_of_a_project_has_a_limit_beside_the_projects() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated());
        world.People.Add("bob", "bob");
        await world.Portal!.DoAsync(new AddUserGroup("lab") { Project = true });
        var lab = Keys.Group(engine.Now.FindUserGroup("lab")!.Id);
        await world.Portal.DoAsync(new SetGrant(lab, Keys.Cluster, ["create_vm"]));
        await world.Portal.DoAsync(new SetQuota(lab, Allocated(instances: 2)));
        await world.Portal.DoAsync(new SetMember("lab", "ada") { Limits = Allocated(instances: 1) });
        await world.Portal.DoAsync(new SetMember("lab", "bob"));
        await DoneAsync(engine, Small("a1") with { Owner = lab });
        Assert.Contains("of a member", engine.WouldRefuse(Small("a2") with { Owner = lab }, s_ada)?.Message);
        var bob = new Caller("bob", "bob", false, "test");
        await DoneAsync(engine, Small("b1") with { Owner = lab }, bob);
        Assert.DoesNotContain("of a member", engine.WouldRefuse(Small("b2") with { Owner = lab }, bob)?.Message ?? "of a member");
        Assert.Equal("right.missing", engine.WouldRefuse(Small("b2"), bob)?.Code);   // for himself he may not
    });

    [Fact]
    public void Recount_finds_what_is_wrong_and_sets_it_right() => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated());
        await DoneAsync(engine, Small("a1"));
        var right = engine.Now.Holdings["user:ada"];
        world.Database.Spoil(right with { Allocated = right.Allocated with { Instances = 7 } });
        await RestartAsync(world);
        engine = world.Portal!.Engine;
        var found = await world.Portal.DoAsync(new RecountQuota());
        Assert.Contains("1 owner(s) differ", Assert.Single(world.Database.LogOf(found.Id)).Text);
        Assert.Equal(7, engine.Now.Holdings["user:ada"].Allocated.Instances);
        await world.Portal.DoAsync(new RecountQuota { Repair = true });
        Assert.Equal(1, engine.Now.Holdings["user:ada"].Allocated.Instances);
        Assert.Empty(Ledger.Differences(engine.Now));
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Ledger_is_right_after_whatever_happened(int seed) => InCluster(async world =>
    {
        var engine = await AdaAsync(world, Allocated(instances: 3, memory: 400));
        world.People.Add("bob", "bob");
        await world.Portal!.DoAsync(new SetGrant(Keys.User("bob"), Keys.Cluster, ["create_vm"]));
        var random = new Random(seed);
        for (var step = 0; step < 60; step++)
        {
            var (who, name) = (random.Next(2) == 0 ? "ada" : "bob", $"i{random.Next(5)}");
            OperationRequest request = random.Next(7) switch
            {
                0 or 1 => Small(name) with { Start = random.Next(2) == 0, Template = random.Next(2) == 0 ? DiskTemplate.Mirror : DiskTemplate.Diskless, DisksMiB = [], MemoryMiB = 64 * random.Next(1, 4) },
                2 => new StartInstance(name),
                3 => new StopInstance(name) { TimeoutSeconds = 1 },
                4 => new RemoveInstance(name),
                5 => new RebootInstance(name) { TimeoutSeconds = 1 },
                _ => new ChangeOwner(name, Keys.User(random.Next(2) == 0 ? "ada" : "bob")),
            };
            if (request is CreateInstance { Template: DiskTemplate.Mirror } c) { request = c with { DisksMiB = [64] }; }
            await world.Portal.Engine.SubmitAsync(request, request is ChangeOwner ? SimPortal.Admin : new Caller(who, who, false, "test"), "", CancellationToken.None);
            await world.DelayAsync(TimeSpan.FromMilliseconds(random.Next(3000)));
            if (random.Next(12) == 0) { await RestartAsync(world); }
            Assert.Empty(Ledger.Differences(world.Portal.Engine.Now));
            Within(world.Portal.Engine.Now, "user:ada", 3, 400);
        }
    });

    private static Task RestartAsync(SimWorld world)
    {
        world.CrashPortal();
        return world.StartPortalAsync();
    }

    private static void Within(Picture now, string owner, int instances, long memory)
    {
        // A change of owner is measured, too; nothing here is forced.
        var held = Charges.HeldBy(now, owner) + Charges.Pending(now, owner);
        Assert.True(held.Allocated.Instances <= instances && held.Allocated.MemoryMiB <= memory, $"{owner} holds {held}.");
    }

    private static CreateInstance Small(string name) => new(name, "alpine", 1, 128, DiskTemplate.Diskless, []);

    private static QuotaLimits Allocated(int? instances = null, int? vcpus = null, long? memory = null, long? disk = null) => new(new Limits(instances, vcpus, memory, disk), Limits.None);

    /// <summary>ada may create, within the limits.</summary>
    private static async Task<ClusterEngine> AdaAsync(SimWorld world, QuotaLimits limits)
    {
        world.People.Add("ada", "ada");
        await world.Portal!.DoAsync(new SetGrant(Keys.User("ada"), Keys.Cluster, ["create_vm"]));
        await world.Portal.DoAsync(new SetQuota(Keys.User("ada"), limits));
        return world.Portal.Engine;
    }

    private static async Task DoneAsync(ClusterEngine engine, OperationRequest request, Caller? caller = null)
    {
        var job = await engine.SubmitAsync(request, caller ?? s_ada, "", CancellationToken.None);
        Assert.True(job.Ok, job.Refusal?.Message);
        var ended = await engine.WaitAsync(job.Value, CancellationToken.None);
        Assert.True(ended.Status == JobStatus.Success, ended.Error?.Message);
    }
}
