// What the door refuses, by field, and what a refused or failed request leaves behind: nothing.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class DoorTests
{
    private static readonly CreateInstance Good = new("web1", "alpine", 1, 256, DiskTemplate.Mirror, [1024]);

    public static TheoryData<string, CreateInstance> Wrong() => new()
    {
        { "instance", Good with { Instance = "" } },
        { "instance", Good with { Instance = "-a" } },
        { "instance", Good with { Instance = "Web1" } },
        { "instance", Good with { Instance = "a..b" } },
        { "instance", Good with { Instance = "a_b" } },
        { "instance", Good with { Instance = "web1\n" } },
        { "instance", Good with { Instance = "../../etc/passwd" } },
        { "instance", Good with { Instance = new string('a', 64) } },
        { "instance", Good with { Instance = string.Join('.', Enumerable.Repeat("abcdefgh", 29)) } },
        { "instance", Good with { Instance = "6f1c1b1e-0000-4000-8000-000000000001" } },
        { "image", Good with { Image = "nope" } },
        { "vcpus", Good with { Vcpus = 0 } },
        { "vcpus", Good with { Vcpus = 65 } },
        { "memoryMiB", Good with { MemoryMiB = 0 } },
        { "memoryMiB", Good with { MemoryMiB = 63 } },
        { "memoryMiB", Good with { MemoryMiB = 8193 } },
        { "memoryMiB", Good with { MemoryMiB = int.MaxValue } },
        { "disksMiB", Good with { DisksMiB = [] } },
        { "disksMiB", Good with { DisksMiB = [0] } },
        { "disksMiB", Good with { DisksMiB = [-1] } },
        { "disksMiB", Good with { DisksMiB = [long.MaxValue] } },
        { "disksMiB", Good with { DisksMiB = [long.MaxValue, long.MaxValue] } },
        { "disksMiB", Good with { DisksMiB = [.. Enumerable.Repeat(1L, 17)] } },
        { "disksMiB", Good with { Template = DiskTemplate.Diskless } },
        { "template", Good with { Template = (DiskTemplate)9 } },
        { "primary", Good with { Primary = "n9" } },
        { "secondary", Good with { Primary = "n1", Secondary = "n1" } },
        { "secondary", Good with { Template = DiskTemplate.File, Secondary = "n2" } },
        { "sshKeys", Good with { SshKeys = ["-----BEGIN OPENSSH PRIVATE KEY-----"] } },
        { "osParams", Good with { OsParams = new Dictionary<string, string> { ["nope"] = "1" } } },
        { "osParams", Good with { OsParams = new Dictionary<string, string> { ["beat"] = "a\nb" } } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void Wrong_field_is_refused_by_name_and_changes_nothing(string field, CreateInstance request) => InCluster(async world =>
    {
        var before = world.Database.Commits;
        var refused = await world.Portal!.Engine.SubmitAsync(request, SimPortal.Admin, "test", CancellationToken.None);
        Assert.False(refused.Ok, $"Accepted as job {refused.Value}.");
        Assert.Equal(field, refused.Refusal.Field);
        Assert.NotNull(refused.Refusal.Remedy);
        Assert.Equal(refused.Refusal, world.Portal.Engine.WouldRefuse(request, SimPortal.Admin));
        Assert.Empty(world.Database.Instances);
        Assert.Equal(before, world.Database.Commits);
    });

    [Fact]
    public void Longest_possible_name_is_accepted() => InCluster(async world =>
        Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(Good with { Instance = new string('a', 63), Template = DiskTemplate.Diskless, DisksMiB = [] })).Status));

    [Fact]
    public void Only_one_of_many_creations_gets_the_last_room() => InCluster(async world =>
    {
        var jobs = await Task.WhenAll(Enumerable.Range(1, 10).Select(async i =>
        {
            var accepted = await world.Portal!.Engine.SubmitAsync(new CreateInstance($"big{i}", "alpine", 1, 5000, DiskTemplate.Diskless, []) { Primary = "n1" }, SimPortal.Admin, "test", CancellationToken.None);
            return accepted.Ok ? await world.Portal.Engine.WaitAsync(accepted.Value, CancellationToken.None) : null;
        }));
        Assert.Single(jobs, j => j?.Status == JobStatus.Success);
        Assert.Single(world.Database.Instances);
    });

    [Fact]
    public void Two_creations_of_one_name_make_one_instance() => InCluster(async world =>
    {
        var outcomes = await Task.WhenAll(world.Portal!.Engine.SubmitAsync(Good, SimPortal.Admin, "a", CancellationToken.None), world.Portal.Engine.SubmitAsync(Good, SimPortal.Admin, "b", CancellationToken.None));
        Assert.Single(outcomes, o => o.Ok);
        Assert.Equal("instance.exists", outcomes.Single(o => !o.Ok).Refusal!.Code);
    });

    [Fact]
    public void Stranger_may_not_stop_what_is_not_his() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Good);
        var mallory = new Caller("7", "mallory", false, "test");
        var refused = await world.Portal.Engine.SubmitAsync(new StopInstance("web1"), mallory, "test", CancellationToken.None);
        Assert.Equal("instance.unknown", refused.Refusal?.Code);   // whether there is one is nothing that a stranger is told
        Assert.Contains(world.Database.Audit, a => a.User == "mallory" && a.Result == "refused: instance.unknown");
        foreach (var request in new OperationRequest[] { new RecoverInstance("web1", 1), new DegradeInstance("web1", 1), new RestartInstance("web1") })
        {
            Assert.Equal("right.missing", (await world.Portal.Engine.SubmitAsync(request, SimPortal.Admin, "test", CancellationToken.None)).Refusal?.Code);
        }
    });

    [Fact]
    public void Every_ended_job_has_an_audit_line_with_its_reason() => InCluster(async world =>
    {
        var job = await world.Portal!.DoAsync(Good);
        var line = Assert.Single(world.Database.Audit, a => a.Job == job.Id);
        Assert.Equal(("admin", "instance.create", "instance:web1", "success", "the scenario"), (line.User, line.Operation, line.Subject, line.Result, line.Reason));
    });

    [Fact]
    public void Commit_on_an_old_revision_stores_nothing() => InCluster(async world =>
    {
        await world.Portal!.DoAsync(Good);
        var i = world.Database.Find("web1")!;
        var changes = new Changes();
        changes.Nodes.Add(new Node("n7", "n7:1", ManualNow(world), 1));
        changes.Instances.Add(i with { Vcpus = 9 });
        await Assert.ThrowsAsync<RevisionConflictException>(() => new SimStore(world, new Life()).CommitAsync(changes, CancellationToken.None));
        Assert.Equal(i, world.Database.Find("web1"));
        Assert.DoesNotContain(world.Database.Nodes, n => n.Name == "n7");
    });

    private static DateTimeOffset ManualNow(SimWorld world) => world.Scheduler.Clock.GetUtcNow();
}
