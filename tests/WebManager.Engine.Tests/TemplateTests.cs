// Instance templates: who may make instances from them, for whom, with which values, and what becomes of it when they change or go.
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class TemplateTests
{
    private static readonly TemplateParameters s_small = new("alpine", 2, 256, DiskTemplate.Mirror, [64, 128]) { Nics = 2, OsParams = new Dictionary<string, string> { ["beat"] = "on" } };
    private static readonly Caller s_ada = Someone("ada"), s_eve = Someone("eve"), s_cora = Someone("cora"), s_pia = Someone("pia");

    [Fact]
    public void Member_of_a_group_that_has_the_use_makes_instances_of_the_group_and_nothing_else() => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        Assert.Equal(["course"], Seen(engine, s_ada));
        await DoneAsync(engine, new AddSshKey("", SshKeyTests.Ed25519(1)), s_ada);
        await DoneAsync(engine, new CreateFromTemplate("a1", "course") { Owner = course }, s_ada);
        var made = engine.FindInstance("a1")!;
        Assert.Equal((course, "ada", 2, 256, "alpine", AdminState.Up), (made.Owner, made.MadeBy, made.Vcpus, made.MemoryMiB, made.Image, made.Wanted));
        Assert.Equal([64, 128], made.Disks.Select(d => d.SizeMiB));
        Assert.Equal(2, made.Nics.Select(n => n.Mac).Distinct().Count());
        Assert.Equal("on", made.OsParams["beat"]);
        Assert.Equal([SshKeyTests.Ed25519(1)], made.SshKeys);
        Assert.Equal(new Usage(1, 2, 256, 192), engine.OwnerRow(course)!.Allocated);

        var own = engine.WouldRefuse(new CreateFromTemplate("a2", "course"), s_ada);
        Assert.Equal(("right.missing", "owner", "Name students as the owner."), (own?.Code, own?.Field, own?.Remedy));
        Assert.Equal("right.missing", engine.WouldRefuse(new CreateInstance("a2", "alpine", 1, 128, DiskTemplate.Diskless, []) { Owner = course }, s_ada)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new ModifyTemplate("course") { Description = "mine" }, s_ada)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new AddTemplate("own", s_small), s_ada)?.Code);
        Assert.Equal(("template.unknown", "fromTemplate"), (engine.WouldRefuse(new CreateFromTemplate("e1", "course") { Owner = course }, s_eve) is { } r ? (r.Code, r.Field) : default));
        Assert.Empty(Seen(engine, s_eve));
    });

    [Fact]
    public void Right_that_is_taken_or_a_place_that_is_lost_ends_it_at_once_also_in_open_lists() => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        using var open = engine.Feeds.Templates.Subscribe(engine.SightOf(s_ada).For<TemplateRow>());
        Assert.Single(open.Snapshot);
        await world.Portal!.DoAsync(new RemoveMember("students", "ada"));
        Assert.Equal("template.unknown", engine.WouldRefuse(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada)?.Code);
        await foreach (var batch in open.BatchesAsync(TimeSpan.FromMilliseconds(100), world.Scheduler.Clock))
        {
            Assert.Null(Assert.Single(batch).Value);
            break;
        }
        await world.Portal.DoAsync(new SetMember("students", "ada"));
        Assert.Null(engine.WouldRefuse(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada));
        await world.Portal.DoAsync(new SetGrant(course, Target(engine, "course"), []));
        Assert.Equal("template.unknown", engine.WouldRefuse(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada)?.Code);
    });

    public static TheoryData<string, CreateFromTemplate> Fixed()
    {
        var plain = new CreateFromTemplate("a1", "course");
        return new()
        {
            { "image", plain with { Image = "other" } },
            { "vcpus", plain with { Vcpus = 3 } },
            { "memoryMiB", plain with { MemoryMiB = 64 } },
            { "template", plain with { DiskTemplate = DiskTemplate.File } },
            { "disksMiB", plain with { DisksMiB = [64, 129] } },
            { "disksMiB", plain with { DisksMiB = [64] } },
            { "nics", plain with { Nics = 1 } },
            { "osParams", plain with { OsParams = new Dictionary<string, string>() } },
            { "start", plain with { Start = false } },
        };
    }

    [Theory]
    [MemberData(nameof(Fixed), DisableDiscoveryEnumeration = true)]
    public void What_the_template_does_not_leave_free_is_refused_by_field(string field, CreateFromTemplate request) => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        var refused = engine.WouldRefuse(request with { Owner = course }, s_ada);
        Assert.Equal(("template.fixed", field), (refused?.Code, refused?.Field));
        Assert.Equal("template.fixed", engine.WouldRefuse(request, SimPortal.Admin)?.Code);   // a template is what it says, whoever uses it
        await world.Portal!.DoAsync(new ModifyTemplate("course") { Parameters = s_small with { SizesFree = true } });
        var free = engine.WouldRefuse(request with { Owner = course }, s_ada);
        Assert.Equal(request is { Vcpus: null, MemoryMiB: null } && request.DisksMiB is not { Count: 2 } ? "template.fixed" : null, free?.Code);
    });

    [Fact]
    public void Sizes_that_are_free_are_made_as_asked_and_the_same_values_are_no_choice() => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        Assert.Null(engine.WouldRefuse(new CreateFromTemplate("a1", "course") { Owner = course, Image = "alpine", Vcpus = 2, MemoryMiB = 256, DiskTemplate = DiskTemplate.Mirror, DisksMiB = [64, 128], Nics = 2, OsParams = s_small.OsParams, Start = true }, s_ada));
        await world.Portal!.DoAsync(new ModifyTemplate("course") { Parameters = s_small with { SizesFree = true } });
        await DoneAsync(engine, new CreateFromTemplate("a1", "course") { Owner = course, Vcpus = 1, MemoryMiB = 128, DisksMiB = [32, 32] }, s_ada);
        Assert.Equal(new Usage(1, 1, 128, 64), engine.OwnerRow(course)!.Allocated);
        Assert.Equal("memory.too-small", engine.WouldRefuse(new CreateFromTemplate("a2", "course") { Owner = course, MemoryMiB = 32 }, s_ada)?.Code);
    });

    [Fact]
    public void Quota_holds_with_reservation_and_member_limits_as_in_every_creation() => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world, project: true);
        var portal = world.Portal!;
        await portal.DoAsync(new SetQuota(course, new QuotaLimits(new Limits(2, null, null, null), Limits.None)));
        await portal.DoAsync(new SetMember("students", "ada") { Limits = new QuotaLimits(new Limits(1, null, null, null), Limits.None) });
        await portal.DoAsync(new SetMember("students", "eve"));
        var first = await engine.SubmitAsync(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada, "", CancellationToken.None);
        Assert.Equal(1, engine.OwnerRow(course)!.PendingAllocated.Instances);
        Assert.Contains("of a member", engine.WouldRefuse(new CreateFromTemplate("a2", "course") { Owner = course }, s_ada)?.Message);
        var many = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => engine.SubmitAsync(new CreateFromTemplate($"e{n}", "course") { Owner = course }, s_eve, "", CancellationToken.None)));
        Assert.Single(many, m => m.Ok);
        Assert.All(many.Where(m => !m.Ok), m => Assert.Equal(("quota.exceeded", "instance"), (m.Refusal!.Code, m.Refusal.Field)));
        Assert.Equal("force", engine.WouldRefuse(new CreateFromTemplate("a2", "course") { Owner = course, Force = true }, s_ada)?.Field);
        Assert.Equal(JobStatus.Success, (await engine.WaitAsync(first.Value, CancellationToken.None)).Status);
        Assert.Empty(Engine.Quota.Ledger.Differences(engine.Now));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_accepted_is_made_as_it_was_accepted_even_if_template_and_right_go_meanwhile(bool crash) => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        var job = await engine.SubmitAsync(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada, "", CancellationToken.None);
        var (changed, taken) = (engine.SubmitAsync(new ModifyTemplate("course") { Parameters = s_small with { Vcpus = 1, DisksMiB = [1, 1] } }, SimPortal.Admin, "", CancellationToken.None),
            engine.SubmitAsync(new RemoveTemplate("course"), SimPortal.Admin, "", CancellationToken.None));
        Assert.True((await changed).Ok && (await taken).Ok);
        Assert.False(engine.Now.Jobs[job.Value].Ended);
        if (crash)
        {
            world.CrashPortal();
            await world.StartPortalAsync();
            engine = world.Portal!.Engine;
        }
        var ended = await engine.WaitAsync(job.Value, CancellationToken.None);
        Assert.True(ended.Status == JobStatus.Success, ended.Error?.Message);
        var made = engine.FindInstance("a1")!;
        Assert.Equal((2, 192L), (made.Vcpus, made.DiskMiB));
        Assert.Empty(engine.Now.Templates);
        Assert.DoesNotContain(engine.Now.Grants.Values, g => Keys.TemplateOf(g.Target) is not null);
        Assert.Equal("template.unknown", engine.WouldRefuse(new CreateFromTemplate("a2", "course") { Owner = course }, s_ada)?.Code);
        Assert.DoesNotContain(engine.Feeds.Templates.Current().Values, t => t.Name == "course");
    });

    [Fact]
    public void Ones_own_template_is_worth_what_its_owner_may() => InCluster(async world =>
    {
        var engine = await CoraAsync(world);
        await DoneAsync(engine, new AddTemplate("own", s_small), s_cora);
        await DoneAsync(engine, new SetGrant(Keys.User("pia"), Target(engine, "own"), ["use"]), s_cora);
        await DoneAsync(engine, new SetGrant(Keys.User("cora"), Target(engine, "own"), ["use"]), s_cora);
        await DoneAsync(engine, new CreateFromTemplate("p1", "own"), s_pia);
        Assert.Equal(Keys.User("pia"), engine.FindInstance("p1")!.Owner);
        await world.Portal!.DoAsync(new SetGrant(Keys.User("cora"), Keys.Cluster, []));
        Assert.Contains("may not create instances any more", engine.WouldRefuse(new CreateFromTemplate("p2", "own"), s_pia)?.Message);
        Assert.Equal("right.missing", engine.WouldRefuse(new CreateFromTemplate("c1", "own"), s_cora)?.Code);   // what she gave herself is worth nothing either
        Assert.False(engine.Feeds.Templates.Current().Values.Single().Stands);
        Assert.Null(engine.WouldRefuse(new CopyTemplate("own", "kept"), SimPortal.Admin));
        await world.Portal.DoAsync(new SetGrant(Keys.User("cora"), Keys.Cluster, ["create_vm"]));
        Assert.Null(engine.WouldRefuse(new CreateFromTemplate("p2", "own"), s_pia));
        world.People.Add("cora", "cora", active: false);
        Assert.Equal("right.missing", engine.WouldRefuse(new CreateFromTemplate("p2", "own"), s_pia)?.Code);
    });

    [Fact]
    public void Who_may_create_uses_only_templates_with_a_right_on_them() => InCluster(async world =>
    {
        var engine = await CoraAsync(world);
        await world.Portal!.DoAsync(new AddTemplate("hidden", s_small));
        Assert.Equal("template.unknown", engine.WouldRefuse(new CreateFromTemplate("c1", "hidden"), s_cora)?.Code);
        Assert.Equal(("template.exists", "name"), (engine.WouldRefuse(new AddTemplate("hidden", s_small), s_cora) is { } r ? (r.Code, r.Field) : default));
        await world.Portal.DoAsync(new SetGrant(Keys.User("cora"), Target(engine, "hidden"), ["use"]));
        await DoneAsync(engine, new CreateFromTemplate("c1", "hidden"), s_cora);
        Assert.Equal("right.missing", engine.WouldRefuse(new RemoveTemplate("hidden"), s_cora)?.Code);
    });

    [Fact]
    public void Changed_copied_renamed_and_removed_by_who_administers_it() => InCluster(async world =>
    {
        var engine = await CoraAsync(world);
        await DoneAsync(engine, new AddTemplate("own", s_small) { Description = " for all " }, s_cora);
        await DoneAsync(engine, new SetGrant(Keys.User("pia"), Target(engine, "own"), ["admin"]), s_cora);
        Assert.Equal("for all", engine.Now.FindTemplate("own")!.Description);
        await DoneAsync(engine, new ModifyTemplate("own") { NewName = "better", Parameters = s_small with { Vcpus = 1 }, Seen = 1 }, s_pia);
        Assert.Equal("template.changed", engine.WouldRefuse(new ModifyTemplate("better") { Description = "x", Seen = 1 }, s_cora)?.Code);
        await DoneAsync(engine, new CopyTemplate("better", "copy"), s_pia);
        var copy = engine.Now.FindTemplate("copy")!;
        Assert.Equal((Keys.User("cora"), 1), (copy.Owner, copy.Parameters.Vcpus));   // pia may make none of her own: it is cora's, and she administers it
        await DoneAsync(engine, new RemoveTemplate("copy"), s_pia);
        Assert.DoesNotContain(engine.Now.Grants.Values, g => g.Target == Keys.Template(copy.Id));
        await DoneAsync(engine, new CopyTemplate("better", "mine"), s_cora);
        await world.Portal!.DoAsync(new CopyTemplate("better", "clusters"));
        Assert.Equal((Keys.User("cora"), ""), (engine.Now.FindTemplate("mine")!.Owner, engine.Now.FindTemplate("clusters")!.Owner));
        Assert.Equal(["better", "mine"], Seen(engine, s_cora));
        Assert.Equal("newName", engine.WouldRefuse(new CopyTemplate("better", "mine"), s_cora)?.Field);
        Assert.Equal("newName", engine.WouldRefuse(new ModifyTemplate("better") { NewName = "Not a name" }, s_cora)?.Field);
    });

    [Fact]
    public void Wrong_values_are_refused_by_field_when_it_is_made() => InCluster(async world =>
    {
        var engine = world.Portal!.Engine;
        foreach (var (field, wrong) in new[]
        {
            ("image", s_small with { Image = "nope" }), ("vcpus", s_small with { Vcpus = 0 }), ("memoryMiB", s_small with { MemoryMiB = 1 }), ("disksMiB", s_small with { DisksMiB = [] }), ("disksMiB", s_small with { Template = DiskTemplate.Diskless }),
            ("template", s_small with { Template = (DiskTemplate)9 }), ("nics", s_small with { Nics = 9 }), ("nics", s_small with { Nics = -1 }), ("osParams", s_small with { OsParams = new Dictionary<string, string> { ["nope"] = "1" } }),
        })
        {
            Assert.Equal(field, engine.WouldRefuse(new AddTemplate("t", wrong), SimPortal.Admin)?.Field);
        }
        Assert.Equal("description", engine.WouldRefuse(new AddTemplate("t", s_small) { Description = "\0" }, SimPortal.Admin)?.Field);
        Assert.Equal("name", engine.WouldRefuse(new AddTemplate("../t", s_small), SimPortal.Admin)?.Field);
        Assert.Equal("nics", engine.WouldRefuse(new CreateInstance("a", "alpine", 1, 128, DiskTemplate.Diskless, []) { Nics = 9 }, SimPortal.Admin)?.Field);
        await world.Portal.DoAsync(new CreateInstance("a", "alpine", 1, 128, DiskTemplate.Diskless, []) { Nics = 0 });
        Assert.Empty(engine.FindInstance("a")!.Nics);
    });

    [Fact]
    public void Template_from_an_instance_has_what_it_has() => InCluster(async world =>
    {
        var engine = await CoraAsync(world);
        await DoneAsync(engine, new CreateInstance("web1", "alpine", 3, 192, DiskTemplate.File, [32, 16]) { Nics = 3, OsParams = s_small.OsParams, Start = false }, s_cora);
        await DoneAsync(engine, new TemplateFromInstance("web1", "web") { SizesFree = true, Description = "as web1" }, s_cora);
        var made = engine.Now.FindTemplate("web")!;
        Assert.Equivalent(new TemplateParameters("alpine", 3, 192, DiskTemplate.File, [32, 16]) { Nics = 3, OsParams = s_small.OsParams, Start = false, SizesFree = true }, made.Parameters, strict: true);
        Assert.Equal((Keys.User("cora"), "as web1"), (made.Owner, made.Description));
        await DoneAsync(engine, new CreateFromTemplate("web2", "web"), s_cora);
        Assert.Equal(AdminState.Down, engine.FindInstance("web2")!.Wanted);
        await world.Portal!.DoAsync(new SetGrant(Keys.User("pia"), Keys.Cluster, ["create_vm"]));
        Assert.Equal("instance.unknown", engine.WouldRefuse(new TemplateFromInstance("web1", "stolen"), s_pia)?.Code);
        await world.Portal.DoAsync(new SetGrant(Keys.User("pia"), Keys.Instance(engine.FindInstance("web1")!.Id), ["power"]));
        Assert.Equal("right.missing", engine.WouldRefuse(new TemplateFromInstance("web1", "stolen"), s_pia)?.Code);   // its settings are not hers to read
        var only = s_cora with { Only = [engine.FindInstance("web1")!.Id] };   // a token for that instance is for no template
        Assert.Equal("right.missing", engine.WouldRefuse(new TemplateFromInstance("web1", "more"), only)?.Code);
        Assert.Equal("right.missing", engine.WouldRefuse(new CreateFromTemplate("web3", "web"), only)?.Code);
        Assert.Empty(Seen(engine, only));
    });

    [Fact]
    public void Templates_outlive_a_crash() => InCluster(async world =>
    {
        var (engine, course) = await CourseAsync(world);
        var before = engine.Now.FindTemplate("course");
        world.CrashPortal();
        await world.StartPortalAsync();
        await world.DelayAsync(TimeSpan.FromSeconds(2));   // its nodes have answered
        Assert.Equal(before, world.Portal!.Engine.Now.FindTemplate("course"));
        Assert.Equal(["course"], Seen(world.Portal.Engine, s_ada));
        Assert.Null(world.Portal.Engine.WouldRefuse(new CreateFromTemplate("a1", "course") { Owner = course }, s_ada));
    });

    private static Caller Someone(string name) => new(name, name, false, "test");

    private static IEnumerable<string> Seen(ClusterEngine engine, Caller who) => engine.Feeds.Templates.Current(engine.SightOf(who).For<TemplateRow>()).Select(t => t.Name).Order();

    private static string Target(ClusterEngine engine, string template) => Keys.Template(engine.Now.FindTemplate(template)!.Id);

    /// <summary>ada is in the group students, which has the use of the cluster's template course, and no other right.</summary>
    private static async Task<(ClusterEngine Engine, string Group)> CourseAsync(SimWorld world, bool project = false)
    {
        var portal = world.Portal!;
        foreach (var name in new[] { "ada", "eve" }) { world.People.Add(name, name); }
        await portal.DoAsync(new AddUserGroup("students") { Project = project });
        await portal.DoAsync(new SetMember("students", "ada"));
        await portal.DoAsync(new AddTemplate("course", s_small));
        var group = Keys.Group(portal.Engine.Now.FindUserGroup("students")!.Id);
        await portal.DoAsync(new SetGrant(group, Target(portal.Engine, "course"), ["use"]));
        return (portal.Engine, group);
    }

    /// <summary>cora may create; pia may nothing.</summary>
    private static async Task<ClusterEngine> CoraAsync(SimWorld world)
    {
        foreach (var name in new[] { "cora", "pia" }) { world.People.Add(name, name); }
        await world.Portal!.DoAsync(new SetGrant(Keys.User("cora"), Keys.Cluster, ["create_vm"]));
        return world.Portal.Engine;
    }

    private static async Task DoneAsync(ClusterEngine engine, OperationRequest request, Caller who)
    {
        var job = await engine.SubmitAsync(request, who, "", CancellationToken.None);
        Assert.True(job.Ok, job.Refusal?.Message);
        var ended = await engine.WaitAsync(job.Value, CancellationToken.None);
        Assert.True(ended.Status == JobStatus.Success, ended.Error?.Message);
    }
}
