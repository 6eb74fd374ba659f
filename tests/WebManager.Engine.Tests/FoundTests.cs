// Tags of instances, the owner among them, and instances that nodes have and no record names.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;
using WebManager.Testing.Simulator;
using Xunit;
using static WebManager.Engine.Tests.ThreeNodes;

namespace WebManager.Engine.Tests;

public sealed class FoundTests
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("ada"), InlineData("ada.l_b-1@example.org"), InlineData("Ada Lovelace"), InlineData("zoë+1:2*/ü"), InlineData("李")]
    public void A_name_goes_into_the_tag_and_comes_back(string name)
    {
        foreach (var tag in new[] { OwnerTags.OfUser(name), OwnerTags.OfGroup(name) })
        {
            Assert.Null(Operations.TagRules.Adding([tag], []));
            Assert.Equal(name, OwnerTags.NameIn(tag));
        }
    }

    [Fact]
    public void Names_that_are_too_long_make_tags_that_differ_and_fit()
    {
        var (one, other) = (OwnerTags.OfGroup(new string('a', 253)), OwnerTags.OfGroup(new string('a', 252) + "b"));
        Assert.NotEqual(one, other);
        Assert.Null(Operations.TagRules.Adding([one, OwnerTags.OfUser(new string('ü', 64))], []));
        Assert.EndsWith("…", OwnerTags.NameIn(one), StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_and_the_owners_reach_both_nodes_and_follow_owner_and_group() => InCluster(async world =>
    {
        var engine = await PeopleAsync(world);
        var web = await MadeAsync(world, "web", "ada", DiskTemplate.Mirror);
        await KeepAsync(world, web, "webmanager:owner:user:ada");
        await world.Portal!.DoAsync(new AddInstanceTags("web", ["shop", "tier:1"]));
        await KeepAsync(world, web, "webmanager:owner:user:ada", "shop", "tier:1");
        Assert.Equal(["webmanager:owner:user:ada", "shop", "tier:1"], engine.Feeds.Instances.Find(web.Id)!.Tags);
        await world.Portal.DoAsync(new RemoveInstanceTags("web", ["tier:1"]));
        await world.Portal.DoAsync(new ChangeOwner("web", Keys.Group(engine.Now.FindUserGroup("ops")!.Id)));
        await KeepAsync(world, web, "webmanager:owner:group:ops", "shop");
        await world.Portal.DoAsync(new RenameUserGroup("ops", "crew"));
        await KeepAsync(world, web, "webmanager:owner:group:crew", "shop");
        Assert.Equal(("crew", "webmanager:owner:group:crew"), (engine.Feeds.Instances.Find(web.Id)!.Owner, engine.Feeds.Instances.Find(web.Id)!.Tags[0]));
    });

    [Fact]
    public void A_node_that_was_away_and_a_stopped_instance_get_the_note_later() => InCluster(async world =>
    {
        await PeopleAsync(world);
        var web = await MadeAsync(world, "web", "ada", DiskTemplate.Mirror);
        await world.Portal!.DoAsync(new StopInstance("web") { TimeoutSeconds = 0 });
        world.Node(web.Secondary!).PowerOff();
        await UntilAsync(world, () => world.Portal.Engine.Feeds.Nodes.Find(web.Secondary!)!.Health == NodeHealth.Lost);
        await world.Portal.DoAsync(new AddInstanceTags("web", ["late"]));
        Assert.DoesNotContain("late", TagsOn(world, web.Secondary!, web.Id));
        world.Node(web.Secondary!).PowerOn();
        await KeepAsync(world, web, "webmanager:owner:user:ada", "late");
    });

    [Fact]
    public void The_owners_tag_cannot_be_set_or_taken_off_by_hand() => InCluster(async world =>
    {
        var engine = await PeopleAsync(world);
        await MadeAsync(world, "web", "ada", DiskTemplate.Diskless);
        var ada = new Caller("ada", "ada", false, "test");
        Assert.Equal(("tag.reserved", "tags"), Said(engine.WouldRefuse(new AddInstanceTags("web", ["webmanager:owner:user:bob"]), ada)));
        Assert.Equal("tag.reserved", engine.WouldRefuse(new RemoveInstanceTags("web", ["webmanager:owner:user:ada"]), ada)?.Code);
        Assert.Equal("tag.reserved", engine.WouldRefuse(new CreateInstance("x", "alpine", 1, 128, DiskTemplate.Diskless, []) { Tags = ["webmanager:x"] }, SimPortal.Admin)?.Code);
        Assert.Null(engine.WouldRefuse(new AddInstanceTags("web", ["mine"]), ada));
    });

    [Fact]
    public void What_a_lost_history_made_is_found_and_taken_up_while_its_guest_runs_on() => InCluster(async world =>
    {
        await PeopleAsync(world);
        Do(world, "backup");
        var (pair, single) = (await MadeAsync(world, "pair", "ada", DiskTemplate.Mirror), await MadeAsync(world, "single", "ada", DiskTemplate.File));
        await world.Portal!.DoAsync(new AddInstanceTags("pair", ["shop"]));
        await world.Portal.DoAsync(new ModifyInstance("pair") { Priority = RecoveryPriority.High });
        await KeepAsync(world, pair, "webmanager:owner:user:ada", "shop");
        var ran = new[] { pair, single }.ToDictionary(i => i.Id, i => world.Truth.Executing(i.Id)!);

        var engine = await RestoredAsync(world, found: 2);
        Assert.Empty(engine.Now.Instances);
        var rows = engine.Feeds.Found.Current().Values.OrderBy(f => f.Name).ToList();
        Assert.Equal([("pair", "ada", true), ("single", "ada", true)], rows.Select(r => (r.Name, r.OwnerName!, r.Runs)));
        Assert.All(rows, r => Assert.Null(r.Why));
        Assert.Empty(engine.Feeds.Found.Current(engine.SightOf(new Caller("ada", "ada", false, "test")).For<FoundRow>()));

        foreach (var row in rows) { Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(new AdoptInstance(row.Name, row.Id) { OwnerFromTags = true })).Status); }
        Assert.NotNull(engine.FindInstance("pair")!.Doubt);
        await UntilAsync(world, () => engine.FindInstance("pair")!.Doubt is null && engine.Now.Found.IsEmpty);
        Assert.Empty(engine.Feeds.Found.Current());
        var after = engine.FindInstance("pair")!;
        Assert.Equal((pair.Primary, pair.Secondary, SyncState.InSync, AdminState.Up, RecoveryPriority.High), (after.Primary, after.Secondary, after.Generation!.Sync, after.Wanted, after.Priority));
        Assert.Equal(["shop"], after.Tags);
        Assert.Equal(2, engine.OwnerRow(Keys.User("ada"))!.Running.Instances);
        Assert.Empty(Ledger.Differences(engine.Now));
        // Like any other: its node dies, it runs again on the other one, and nothing acknowledged is lost.
        Assert.All(ran, r => Assert.Same(r.Value, world.Truth.Executing(r.Key)));
        world.Node(after.Primary).PowerOff();
        await UntilAsync(world, () => world.Truth.Executing(after.Id)?.Node.Name == after.Secondary, TimeSpan.FromSeconds(15));
    });

    [Fact]
    public void What_stands_in_the_way_is_said_by_field_with_a_way_out() => InCluster(async world =>
    {
        var engine = await PeopleAsync(world);
        Do(world, "backup");
        var web = await MadeAsync(world, "web", "eve", DiskTemplate.Mirror);
        await KeepAsync(world, web, "webmanager:owner:user:eve");
        world.People.Remove("eve");
        engine = await RestoredAsync(world, found: 1);
        Assert.Equal(("owner.unknown", "owner"), Said(engine.WouldRefuse(Adopt("web", web.Id) with { OwnerFromTags = true }, SimPortal.Admin)));
        await MadeAsync(world, "web", "ada", DiskTemplate.Diskless);
        Assert.Equal(("instance.exists", "instance"), Said(engine.WouldRefuse(Adopt("web", web.Id), SimPortal.Admin)));
        Assert.Equal("found.unknown", engine.WouldRefuse(Adopt("old", Guid.NewGuid()), SimPortal.Admin)?.Code);
        await world.Portal!.DoAsync(new SetQuota(Keys.User("ada"), new QuotaLimits(new Limits(1, null, null, null), Limits.None)));
        var over = Adopt("old-web", web.Id) with { Owner = Keys.User("ada") };
        Assert.Equal(("quota.exceeded", "instance"), Said(engine.WouldRefuse(over, SimPortal.Admin)));
        Assert.Null(engine.WouldRefuse(over with { Force = true }, SimPortal.Admin));
        world.Node(web.Secondary!).PowerOff();
        await UntilAsync(world, () => engine.WouldRefuse(Adopt("old-web", web.Id), SimPortal.Admin) is { Code: "node.not-online" } r && r.Message.Contains(web.Secondary!, StringComparison.Ordinal));
        world.Node(web.Secondary!).PowerOn();
        await UntilAsync(world, () => engine.WouldRefuse(Adopt("old-web", web.Id), SimPortal.Admin) is null);
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(over with { Force = true })).Status);
        Assert.Equal(2, engine.OwnerRow(Keys.User("ada"))!.Allocated.Instances);
    });

    [Fact]
    public void An_address_that_is_anothers_by_now_is_refused_and_a_stopped_one_may_get_new_ones() => InCluster(async world =>
    {
        await PeopleAsync(world);
        Do(world, "backup");
        var old = await MadeAsync(world, "old", "ada", DiskTemplate.File);
        await world.Portal!.DoAsync(new StopInstance("old") { TimeoutSeconds = 0 });
        await KeepAsync(world, old, "webmanager:owner:user:ada");
        var engine = await RestoredAsync(world, found: 1);
        var taken = (await MadeAsync(world, "new", "ada", DiskTemplate.Diskless)).Nics[0];
        var there = world.Node(old.Primary).Disk[old.Id];
        there.Kept = new KeptNote("as if both had it", there.Kept!.Note with { Guest = there.Kept.Note.Guest with { Nics = [taken] } });
        world.Node(old.Primary).Agent!.Bump();
        await UntilAsync(world, () => engine.Now.Found[old.Id].Note!.Guest.Nics[0] == taken);
        var refused = engine.WouldRefuse(Adopt("old", old.Id), SimPortal.Admin);
        Assert.Equal(("nics.taken", "nics"), Said(refused));
        Assert.Contains("new's by now", refused!.Message, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(Adopt("old", old.Id) with { NewAddresses = true })).Status);
        Assert.NotEqual(taken.Mac, engine.FindInstance("old")!.Nics[0].Mac);
        Assert.Equal((AdminState.Down, ""), (engine.FindInstance("old")!.Wanted, engine.FindInstance("old")!.Owner));
    });

    [Fact]
    public void New_instances_get_neither_the_room_nor_the_addresses_of_what_was_found() => InCluster(new SimOptions { NodeMemoryMiB = 1024 }, async world =>
    {
        await PeopleAsync(world);
        Do(world, "backup");
        foreach (var n in new[] { "n1", "n2", "n3" }) { await world.Portal!.DoAsync(new CreateInstance("on-" + n, "alpine", 1, 900, DiskTemplate.File, [64]) { Primary = n }); }
        var engine = await RestoredAsync(world, found: 3);
        Assert.Equal("placement.no-room", engine.WouldRefuse(new CreateInstance("new", "alpine", 1, 200, DiskTemplate.Diskless, []), SimPortal.Admin)?.Code);
        Assert.Null(engine.WouldRefuse(new CreateInstance("new", "alpine", 1, 100, DiskTemplate.Diskless, []), SimPortal.Admin));
        var macs = engine.Now.Found.Values.SelectMany(f => f.Note!.Guest.Nics).Select(n => n.Mac).ToHashSet();
        await world.Portal!.DoAsync(new CreateInstance("new", "alpine", 1, 100, DiskTemplate.Diskless, []));
        Assert.DoesNotContain(engine.FindInstance("new")!.Nics[0].Mac, macs);
    });

    [Fact]
    public void What_this_cluster_removed_is_not_found_again() => InCluster(async world =>
    {
        await PeopleAsync(world);
        var gone = await MadeAsync(world, "gone", "ada", DiskTemplate.File);
        Assert.Equal(JobStatus.Success, (await world.Portal!.DoAsync(new RemoveInstance("gone"))).Status);
        world.Node(gone.Primary).Instance(gone.Id).Copy = new SimCopy();   // as on a node that comes back with it
        world.Node(gone.Primary).Instance(gone.Id).Spec = gone.ToGuestSpec();
        world.Node(gone.Primary).Agent!.Bump();
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(world.Portal.Engine.Now.Found);
        world.CrashPortal();
        await world.StartPortalAsync();
        await world.DelayAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(world.Portal!.Engine.Now.Found);
        world.Node(gone.Primary).Disk.Remove(gone.Id);
    });

    [Fact]
    public void What_its_nodes_have_nothing_of_is_missing_and_only_then() => InCluster(async world =>
    {
        await PeopleAsync(world);
        var engine = world.Portal!.Engine;
        var lost = await MadeAsync(world, "lost", "ada", DiskTemplate.File);
        await world.Portal.DoAsync(new StopInstance("lost") { TimeoutSeconds = 0 });
        Do(world, "power-off", lost.Primary);
        await UntilAsync(world, () => engine.Feeds.Nodes.Find(lost.Primary)!.Health == NodeHealth.Lost);
        world.Node(lost.Primary).Disk.Remove(lost.Id);
        Assert.False(engine.Feeds.Instances.Find(lost.Id)!.Missing);   // a silent node proves nothing
        Assert.Equal("node.not-online", engine.WouldRefuse(new RemoveInstance("lost"), SimPortal.Admin)?.Code);
        Do(world, "power-on", lost.Primary);
        await UntilAsync(world, () => engine.Feeds.Instances.Find(lost.Id)!.Missing);
        Assert.Contains("have nothing of it".Replace("have", "has", StringComparison.Ordinal), engine.Feeds.Instances.Find(lost.Id)!.Text, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Success, (await world.Portal.DoAsync(new RemoveInstance("lost"))).Status);
    });

    private static AdoptInstance Adopt(string name, Guid found) => new(name, found);

    private static (string?, string?) Said(Refusal? refusal) => (refusal?.Code, refusal?.Field);

    private static async Task<ClusterEngine> PeopleAsync(SimWorld world)
    {
        foreach (var name in new[] { "ada", "bob", "eve" }) { world.People.Add(name, name); }
        await world.Portal!.DoAsync(new AddUserGroup("ops"));
        return world.Portal.Engine;
    }

    private static async Task<Instance> MadeAsync(SimWorld world, string name, string owner, DiskTemplate template)
    {
        var job = await world.Portal!.DoAsync(new CreateInstance(name, "alpine", 1, 128, template, template == DiskTemplate.Diskless ? [] : [64]) { Owner = Keys.User(owner) });
        Assert.True(job.Status == JobStatus.Success, job.Error?.Message);
        return world.Portal.Engine.FindInstance(name)!;
    }

    private static void Do(SimWorld world, string word, params string[] args) => Assert.True(Faults.Do(world, word, args), word);

    /// <summary>The portal is back on its backup, and has heard what the nodes have.</summary>
    private static async Task<ClusterEngine> RestoredAsync(SimWorld world, int found)
    {
        Do(world, "restore");
        await UntilAsync(world, () => world.Portal is { Dead: false, Listens: true } p && p.Engine.Feeds.Nodes.Current().Values.All(n => n.Health == NodeHealth.Online)
            && p.Engine.Now.Found.Count == found && p.Engine.Now.Found.Values.All(f => f.Note is not null), TimeSpan.FromSeconds(30));
        return world.Portal!.Engine;
    }

    private static IReadOnlyList<string> TagsOn(SimWorld world, string node, Guid id) => world.Node(node).Disk[id].Kept?.Note.Tags ?? [];

    private static Task KeepAsync(SimWorld world, Instance i, params string[] tags) =>
        UntilAsync(world, () => new[] { i.Primary, i.Secondary }.OfType<string>().All(n => TagsOn(world, n, i.Id).SequenceEqual(tags)));

    private static async Task UntilAsync(SimWorld world, Func<bool> met, TimeSpan? within = null)
    {
        for (var until = world.Now + (within ?? s_bound); !met(); await world.DelayAsync(TimeSpan.FromSeconds(0.1)))
        {
            Assert.True(world.Now < until, $"It did not come to that in time.\n{string.Join('\n', world.History.Split('\n').TakeLast(30))}");
        }
    }
}
