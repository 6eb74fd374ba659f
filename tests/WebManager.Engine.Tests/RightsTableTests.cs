// Who may ask for what at the door: every operation, every role, one's own, a group's and a foreign object, as [operations] of tests/rights.txt says.
// An operation without a row fails.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Testing.Rights;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class RightsTableTests
{
    private static readonly string[] People = ["olga", "mia", "ivan", "pia", "greta", "cora", "mig", "dis", "tag", "carl", "una"];
    private static readonly string s_key = SshKeyTests.Ed25519(1), s_other = SshKeyTests.Ed25519(2);
    private static readonly string[] Forbidden = ["right.missing", "right.read-only", "instance.unknown", "template.unknown", "job.not-found"];

    [Fact]
    public void Each_role_may_what_the_table_says_and_nothing_else() => InCluster(async world =>
    {
        await SceneAsync(world);
        await GroupInstanceAsync(world);
        var (engine, table, wrong) = (world.Portal!.Engine, RightsTable.Load(), new List<string>());
        foreach (var type in Catalog.Operations.Keys)
        {
            foreach (var (on, instance, group) in Objects(type))
            {
                var request = Sample(type, instance, group, engine.Now);
                var measured = Callers(engine.FindInstance("own")!.Id).ToDictionary(c => c.Name, c => Mark(c.Name, engine.WouldRefuse(request, c.Caller)));
                if (Verdict(table, request.Name, on, measured) is { } verdict) { wrong.Add(verdict); }
            }
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        var names = Catalog.Operations.Keys.Select(type => Sample(type, "own", "ops", engine.Now).Name).ToList();
        Assert.Empty(table.Of("operations").Select(r => r.What).Except(names));
    });

    private static string? Verdict(RightsTable table, string operation, string on, Dictionary<string, char> measured) => table.Find("operations", operation, on) is { } row ? table.Differs(row, measured)
        : $"{operation} on {on} has no row. Under [operations] of tests/rights.txt belongs, when this is what it should be:\n{table.Line(operation, on, role => measured[role])}";

    private static IEnumerable<(string On, string Instance, string Group)> Objects(Type type) => typeof(InstanceRequest).IsAssignableFrom(type)
        ? [("own", "own", "ops"), ("shared", "shared", "ops"), ("foreign", "foreign", "others")]
        : [("own", "own", "ops"), ("foreign", "foreign", "others")];

    private static char Mark(string role, Refusal? refusal) => refusal is null || !Forbidden.Contains(refusal.Code) ? RightsTable.Allowed
        : role == "anon" ? RightsTable.Nobody : refusal.Code is "instance.unknown" or "template.unknown" or "job.not-found" ? RightsTable.Hidden : RightsTable.Refused;

    /// <summary>"shared" is the group's: mia is a member, greta administers the group and is none.</summary>
    private static async Task GroupInstanceAsync(SimWorld world) =>
        Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(new CreateInstance("shared", "alpine", 1, 128, DiskTemplate.Mirror, [64]) { Owner = Keys.Group(world.Portal.Engine.Now.FindUserGroup("ops")!.Id) })).Status);

    [Fact]
    public void Jobs_of_a_namesake_that_is_gone_are_not_seen() => InCluster(async world =>
    {
        var portal = world.Portal!;
        foreach (var who in new[] { "olga", "mia" })
        {
            world.People.Add(who, who);
            Assert.Equal(JobStatus.Success, (await portal.DoAsync(new CreateInstance("web", "alpine", 1, 128, DiskTemplate.Diskless, []) { Owner = Keys.User(who) })).Status);
            if (who == "olga") { Assert.Equal(JobStatus.Success, (await portal.DoAsync(new RemoveInstance("web"))).Status); }
        }
        var jobs = portal.Engine.Now.Jobs.Values.Where(j => j.Subjects.Contains("instance:web")).ToList();
        Assert.Equal(3, jobs.Count);
        Assert.Equal([jobs[^1].Id], jobs.Where(portal.Engine.SightOf(Someone("mia")).Job).Select(j => j.Id));
        Assert.DoesNotContain(jobs, portal.Engine.SightOf(Someone("olga")).Job);
        Assert.All(jobs, j => Assert.True(portal.Engine.SightOf(SimPortal.Admin).Job(j)));
    });

    [Fact]
    public void An_id_stands_for_the_name_also_in_locks() => InCluster(async world =>
    {
        var portal = world.Portal!;
        Assert.Equal(JobStatus.Success, (await portal.DoAsync(new CreateInstance("web", "alpine", 1, 128, DiskTemplate.Diskless, []))).Status);
        var job = await portal.DoAsync(new StopInstance(portal.Engine.FindInstance("web")!.Id.ToString()));
        Assert.Equal(("web", "instance:web"), (((StopInstance)job.Request).Instance, Assert.Single(job.Subjects)));
    });

    [Fact]
    public void What_a_group_owns_is_its_members_and_ends_with_membership() => InCluster(async world =>
    {
        await SceneAsync(world);
        var engine = world.Portal!.Engine;
        await world.Portal.DoAsync(new ChangeOwner("own", Keys.Group(engine.Now.FindUserGroup("ops")!.Id)));
        Assert.Null(engine.WouldRefuse(new StopInstance("own"), Someone("mia")));
        Assert.Equal("instance.unknown", engine.WouldRefuse(new StopInstance("own"), Someone("olga"))?.Code);
        var row = engine.Feeds.Instances.Current().Values.Single(i => i.Name == "own");
        using var seen = engine.Feeds.Instances.Subscribe(engine.SightOf(Someone("mia")).Instance);
        Assert.Contains(row.Id, seen.Snapshot.Keys);
        await world.Portal.DoAsync(new RemoveMember("ops", "mia"));
        Assert.Equal("instance.unknown", engine.WouldRefuse(new StopInstance("own"), Someone("mia"))?.Code);
        await foreach (var batch in seen.BatchesAsync(TimeSpan.FromMilliseconds(100), world.Scheduler.Clock))
        {
            Assert.Null(batch[row.Id]);   // it vanishes from what she has open
            break;
        }
    });

    [Fact]
    public void What_one_may_not_see_is_in_no_feed() => InCluster(async world =>
    {
        await SceneAsync(world);
        var engine = world.Portal!.Engine;
        Assert.Empty(engine.Feeds.Instances.Current(engine.SightOf(Someone("una")).Instance));
        Assert.Empty(engine.Feeds.Nodes.Current(engine.SightOf(Someone("olga")).Node));
        Assert.Equal(["own"], engine.Feeds.Instances.Current(engine.SightOf(Someone("pia")).Instance).Select(i => i.Name));
        Assert.Empty(engine.Feeds.Events.Current(engine.SightOf(Someone("una")).Event));
        Assert.All(engine.Feeds.Jobs.Current(engine.SightOf(Someone("una")).Job), j => Assert.Equal("una", j.ById));
        Assert.Contains(engine.Feeds.Jobs.Current(engine.SightOf(Someone("olga")).Job), j => j.Summary == "instance.create own");
        Assert.Equal(2, engine.Feeds.Instances.Current(engine.SightOf(Someone("carl")).Instance).Count);
        var only = Someone("carl") with { Only = [engine.FindInstance("own")!.Id] };
        Assert.Equal(["own"], engine.Feeds.Instances.Current(engine.SightOf(only).Instance).Select(i => i.Name));
        Assert.Empty(engine.Feeds.Nodes.Current(engine.SightOf(only).Node));
        Assert.Equal("right.missing", engine.WouldRefuse(new StopInstance("foreign"), only)?.Code);
        Assert.Null(engine.WouldRefuse(new StopInstance("own"), only));
    });

    [Fact]
    public void Who_is_no_superuser_any_more_may_nothing_that_a_sign_in_once_allowed() => InCluster(async world =>
    {
        await SceneAsync(world);
        world.People.Add("sue", "sue", superuser: false);
        Assert.Equal("right.missing", world.Portal!.Engine.WouldRefuse(new AddUserGroup("more"), new Caller("sue", "sue", true, "portal"))?.Code);
        Assert.Equal("instance.unknown", world.Portal.Engine.WouldRefuse(new StopInstance("own"), new Caller("sue", "sue", true, "portal"))?.Code);
    });

    [Fact]
    public void Grants_go_with_their_object_and_an_inactive_account_may_nothing() => InCluster(async world =>
    {
        await SceneAsync(world);
        var engine = world.Portal!.Engine;
        world.People.Add("olga", "olga", active: false);
        Assert.Equal("right.missing", engine.WouldRefuse(new StopInstance("own"), Someone("olga"))?.Code);
        var on = Keys.Instance(engine.FindInstance("own")!.Id);
        Assert.Contains(engine.Now.Grants.Values, g => g.Target == on);
        await world.Portal.DoAsync(new RemoveInstance("own"));
        Assert.DoesNotContain(engine.Now.Grants.Values, g => g.Target == on);
    });

    private static async Task SceneAsync(SimWorld world)
    {
        var portal = world.Portal!;
        foreach (var name in People.Append("otto")) { world.People.Add(name, name); }
        world.People.Add("sue", "sue", superuser: true);
        foreach (var (name, owner) in new[] { ("own", "olga"), ("foreign", "otto") })
        {
            Assert.Equal(JobStatus.Success, (await portal.DoAsync(new CreateInstance(name, "alpine", 1, 128, DiskTemplate.Mirror, [64]) { Owner = Keys.User(owner) })).Status);
        }
        await portal.DoAsync(new AddUserGroup("ops"));
        var wait = await portal.SubmitAsync(new DebugDelay(1000));
        foreach (var name in new[] { "own", "foreign" })
        {
            Assert.True((await portal.Engine.SubmitAsync(new StopInstance(name), SimPortal.Admin, "later", new JobTerms { Depends = [new JobDependency(wait, [])] }, CancellationToken.None)).Ok);
        }
        await portal.DoAsync(new AddUserGroup("others"));
        foreach (var group in new[] { "ops", "others" }) { await portal.DoAsync(new SetMember(group, group == "ops" ? "mia" : "otto")); }
        var (own, ops) = (Keys.Instance(portal.Engine.FindInstance("own")!.Id), Keys.Group(portal.Engine.Now.FindUserGroup("ops")!.Id));
        foreach (var (who, on, right) in new[] { ("ivan", own, "admin"), ("pia", own, "power tags"), ("greta", ops, "admin"), ("cora", Keys.Cluster, "create_vm"), ("mig", Keys.Cluster, "migrate"), ("dis", Keys.Cluster, "replace_disks"), ("tag", Keys.Cluster, "tags"), ("carl", Keys.Cluster, "admin") })
        {
            Assert.Equal(JobStatus.Success, (await portal.DoAsync(new SetGrant(Keys.User(who), on, right.Split(' ')))).Status);
        }
        await TemplatesAsync(portal);
        foreach (var asked in new OperationRequest[] { new AskMembership("ops", "please"), new AskMembership("others", "please"), new AddSshKey("una's", s_other) })
        {
            Assert.True((await portal.Engine.SubmitAsync(asked, Someone("una"), "", CancellationToken.None)).Ok);
        }
    }

    /// <summary>Of the templates "small" is cora's: ivan has admin on it, pia the use; "other" is the cluster's.</summary>
    private static async Task TemplatesAsync(SimPortal portal)
    {
        var parameters = new TemplateParameters("alpine", 1, 128, DiskTemplate.Diskless, []);
        Assert.True((await portal.Engine.SubmitAsync(new AddTemplate("small", parameters), Someone("cora"), "", CancellationToken.None)).Ok);
        await portal.DoAsync(new AddTemplate("other", parameters));
        foreach (var (who, right) in new[] { ("ivan", "admin"), ("pia", "use") }) { await portal.DoAsync(new SetGrant(Keys.User(who), Keys.Template(portal.Engine.Now.FindTemplate("small")!.Id), [right])); }
    }

    private static Caller Someone(string name) => new(name, name, false, "test");

    private static IEnumerable<(string Name, Caller Caller)> Callers(Guid own)
    {
        var sue = new Caller("sue", "sue", true, "test");
        return [.. People.Select(p => (p, Someone(p))), ("sue", sue), ("look", sue with { ReadOnly = true }), ("write", Someone("olga") with { Face = "api" }), ("only", sue with { Only = [own] }), ("anon", new Caller("", "", false, "test"))];
    }

    /// <summary>An administrator's, of something that who may switch it on and off may ask for, too.</summary>
    private static long StopOf(string instance, Picture now) => now.Jobs.Values.Single(j => j.Request is StopInstance s && s.Instance == instance).Id;

    private static OperationRequest Sample(Type type, string i, string group, Picture now) => type.Name switch
    {
        nameof(CreateInstance) => new CreateInstance("new1", "alpine", 1, 128, DiskTemplate.Diskless, []),
        nameof(StartInstance) => new StartInstance(i),
        nameof(StopInstance) => new StopInstance(i),
        nameof(RebootInstance) => new RebootInstance(i),
        nameof(RemoveInstance) => new RemoveInstance(i),
        nameof(ModifyInstance) => new ModifyInstance(i) { AutoRecover = false },
        nameof(ResyncInstance) => new ResyncInstance(i),
        nameof(FailoverInstance) => new FailoverInstance(i),
        nameof(MigrateInstance) => new MigrateInstance(i),
        nameof(ReplaceSecondary) => new ReplaceSecondary(i),
        nameof(ChangeOwner) => new ChangeOwner(i, Keys.User("una")),
        nameof(AddInstanceTags) => new AddInstanceTags(i, ["a"]),
        nameof(RemoveInstanceTags) => new RemoveInstanceTags(i, ["a"]),
        nameof(AdoptInstance) => new AdoptInstance(i, Guid.Empty),
        nameof(ConfirmInstance) => new ConfirmInstance(i, "n1"),
        nameof(CleanUpMigration) => new CleanUpMigration(i),
        nameof(RecoverInstance) => new RecoverInstance(i, 1),
        nameof(DegradeInstance) => new DegradeInstance(i, 1),
        nameof(RestartInstance) => new RestartInstance(i),
        nameof(CleanInstance) => new CleanInstance(i, "n1"),
        nameof(AddNode) => new AddNode("n9", "127.0.0.1:1"),
        nameof(RemoveNode) => new RemoveNode("n1"),
        nameof(ModifyNode) => new ModifyNode("n1") { Drained = true },
        nameof(MaintainNode) => new MaintainNode("n1", true),
        nameof(RestartAgent) => new RestartAgent("n1"),
        nameof(PowerOffNode) => new PowerOffNode("n1", "n1"),
        nameof(AddNodeTags) => new AddNodeTags("n1", ["a"]),
        nameof(RemoveNodeTags) => new RemoveNodeTags("n1", ["a"]),
        nameof(AddGroup) => new AddGroup("g9"),
        nameof(RemoveGroup) => new RemoveGroup("default"),
        nameof(RenameGroup) => new RenameGroup("default", "other"),
        nameof(ModifyGroup) => new ModifyGroup("default") { AutoRecover = false },
        nameof(AssignNodes) => new AssignNodes("default", ["n1"]),
        nameof(AddClusterTags) => new AddClusterTags(["a"]),
        nameof(RemoveClusterTags) => new RemoveClusterTags(["a"]),
        nameof(ModifyCluster) => new ModifyCluster { AutoRecover = false },
        nameof(UnfreezeCluster) => new UnfreezeCluster(),
        nameof(AddUserGroup) => new AddUserGroup("more"),
        nameof(RenameUserGroup) => new RenameUserGroup(group, "renamed"),
        nameof(RemoveUserGroup) => new RemoveUserGroup(group),
        nameof(SetMember) => new SetMember(group, "una"),
        nameof(RemoveMember) => new RemoveMember(group, group == "ops" ? "mia" : "otto"),
        nameof(ForgetUser) => new ForgetUser("una"),
        nameof(AskQuota) => new AskQuota(Keys.User(i == "own" ? "olga" : "otto"), QuotaLimits.None, "more"),
        nameof(AskMembership) => new AskMembership(group, "me too"),
        nameof(DecideRequest) => new DecideRequest(now.UserRequests.Values.Single(r => r.Owner == Keys.Group(now.FindUserGroup(group)!.Id)).Id, true, ""),
        nameof(WithdrawRequest) => new WithdrawRequest(now.UserRequests.Values.First().Id),
        nameof(AddSshKey) => i == "own" ? new AddSshKey("k", s_key) : new AddSshKey("k", s_key) { User = "una" },
        nameof(RemoveSshKey) => new RemoveSshKey(now.SshKeys.Values.Single().Id),
        nameof(SetGrant) => new SetGrant(Keys.User("una"), Keys.Instance(now.Find(i)!.Id), ["power"]),
        nameof(SetQuota) => new SetQuota(Keys.User("una"), QuotaLimits.None),
        nameof(RecountQuota) => new RecountQuota(),
        nameof(AddTemplate) => new AddTemplate("new1", new TemplateParameters("alpine", 1, 128, DiskTemplate.Diskless, [])),
        nameof(ModifyTemplate) => new ModifyTemplate(TemplateOf(i)) { Description = "changed" },
        nameof(CopyTemplate) => new CopyTemplate(TemplateOf(i), "copy"),
        nameof(RemoveTemplate) => new RemoveTemplate(TemplateOf(i)),
        nameof(TemplateFromInstance) => new TemplateFromInstance(i, "new1"),
        nameof(CreateFromTemplate) => new CreateFromTemplate("new1", TemplateOf(i)),
        nameof(CancelJob) => new CancelJob(StopOf(i, now)),
        nameof(SetJobPriority) => new SetJobPriority(StopOf(i, now), JobPriority.Low),
        nameof(ArchiveJob) => new ArchiveJob(StopOf(i, now)),
        nameof(ArchiveJobs) => new ArchiveJobs(0),
        nameof(ModifyQueue) => new ModifyQueue { Drained = true },
        nameof(DebugDelay) => new DebugDelay(1),
        _ => throw new InvalidOperationException($"{type.Name} has no sample in the test of rights."),
    };

    private static string TemplateOf(string instance) => instance == "own" ? "small" : "other";
}
