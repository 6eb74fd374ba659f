using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;
using WebManager.Web.Data;

namespace WebManager.Web.Tests.Pages;

/// <summary>The people of the scene: who is in which group, who has which rights, who holds how much.</summary>
public static class AccessScene
{
    public static readonly Guid Ops = new("0b5f1f0e-0000-4000-8000-000000000001"), Research = new("0b5f1f0e-0000-4000-8000-000000000002");
    public static readonly Caller Admin = new("u1", "admin", true, "portal"), Anna = new("u2", "anna", false, "portal"), Bob = new("u3", "bob", false, "portal"), Carla = new("u4", "carla", false, "portal");

    public static People People { get; } = Everybody();

    private static People Everybody()
    {
        var people = new People();
        people.Apply([.. new[] { Admin, Anna, Bob, Carla, new Caller("u5", "dora", false, "portal") }.Select(c => (new PortalUser { Id = c.UserId, UserName = c.Name, Administrator = c.Admin }, false))]);
        return people;
    }

    private static readonly QuotaLimits s_project = new(new Limits(4, 8, 4096, 40960), new Limits(2, null, null, null));

    public static void Fill(FakeEngine engine)
    {
        var annas = new QuotaLimits(new Limits(2, 4, 2048, 20480), Limits.None);
        var changes = new Changes();
        changes.UserGroups.Add(new UserGroup(Ops, "ops", false, DateTimeOffset.UnixEpoch, 1) { Members = [new("u2", null), new("u3", null)] });
        changes.UserGroups.Add(new UserGroup(Research, "research", true, DateTimeOffset.UnixEpoch, 1) { Members = [new("u2", annas), new("u4", null)] });
        var web1 = engine.Feeds.Instances.Current().Values.First(i => i.Name == "web1");
        changes.Grants.Add(new Grant(Keys.Group(Research), Keys.Cluster, ["create_vm"], DateTimeOffset.UnixEpoch, 1));
        changes.Grants.Add(new Grant(Keys.Group(Ops), Keys.Instance(web1.Id), ["power", "console"], DateTimeOffset.UnixEpoch, 1));
        changes.Grants.Add(new Grant(Keys.User("u4"), Keys.Group(Research), ["admin"], DateTimeOffset.UnixEpoch, 1));
        changes.Grants.Add(new Grant(Keys.User("u3"), Keys.Cluster, ["migrate", "replace_disks"], DateTimeOffset.UnixEpoch, 1));
        foreach (var name in new[] { "db-primary", "mail", "wiki" })
        {
            var row = engine.Feeds.Instances.Current().Values.First(i => i.Name == name);
            engine.Feeds.Instances.Set(row.Id, row with { Owner = "research", OwnerKey = Keys.Group(Research) });
        }
        changes.Instances.AddRange(engine.Feeds.Instances.Current().Values.Select(r => new Instance(r.Id, r.Name, r.OwnerKey, r.Image, r.Vcpus, r.MemoryMiB, r.Template,
            [new DiskSpec(0, Guid.NewGuid(), r.DiskMiB)], [], r.Primary, r.Secondary, r.CreatedAt, 1) { MadeBy = r.Name == "wiki" ? "u2" : "u1", Wanted = r.Wanted }));
        Templates(changes);
        Set(engine, changes);
        Hold(engine, "default", "everybody", default, default, default, new QuotaLimits(new Limits(5, 10, 8192, 102400), Limits.None), own: true);
        Hold(engine, Keys.User("u1"), "admin", new Usage(12, 12, 6144, 122880), new Usage(9, 9, 4608, 0), new Usage(1, 1, 512, 10240), new QuotaLimits(new Limits(20, 16, 8192, null), Limits.None), own: true);
        Hold(engine, Keys.Group(Research), "research", new Usage(3, 3, 1536, 30720), new Usage(3, 3, 1536, 0), default, s_project, own: true);
        engine.Charges =
        [
            new(DateTimeOffset.UtcNow.AddMinutes(-4), Keys.Group(Research), "wiki", "instance.stop", 921, default, new Usage(-1, -1, -512, 0), new Usage(3, 3, 1536, 30720), new Usage(2, 2, 1024, 0)),
            new(DateTimeOffset.UtcNow.AddHours(-3), Keys.Group(Research), "wiki", "instance.create", 918, new Usage(1, 1, 512, 10240), new Usage(1, 1, 512, 0), new Usage(3, 3, 1536, 30720), new Usage(3, 3, 1536, 0)),
        ];
    }

    public static readonly Guid Course = new("0b5f1f0e-0000-4000-8000-000000000003"), Small = new("0b5f1f0e-0000-4000-8000-000000000004");

    /// <summary>The cluster's template, which group ops may use; and anna's own, who may not create any more.</summary>
    private static void Templates(Changes changes)
    {
        changes.Templates.Add(new InstanceTemplate(Course, "course", "", "u1", new TemplateParameters("tiny", 1, 256, DiskTemplate.Mirror, [2048, 10240]) { OsParams = new Dictionary<string, string> { ["beat"] = "on" }, SizesFree = true }, DateTimeOffset.UtcNow.AddDays(-30), 1)
        {
            Description = "For the course on distributed systems.\nRemove it when the term is over.",
        });
        changes.Templates.Add(new InstanceTemplate(Small, "small", Keys.User("u2"), "u2", new TemplateParameters("debian12", 2, 512, DiskTemplate.Diskless, []) { Nics = 2, Start = false }, DateTimeOffset.UtcNow.AddHours(-2), 1));
        changes.Grants.Add(new Grant(Keys.Group(Ops), Keys.Template(Course), ["use"], DateTimeOffset.UnixEpoch, 1));
    }

    /// <summary>Into the picture and into the feeds, as the engine does.</summary>
    public static void Set(FakeEngine engine, Changes changes)
    {
        engine.Now = engine.Now.With(changes);
        foreach (var g in changes.UserGroups) { engine.Feeds.UserGroups.Set(g.Id, new UserGroupRow(g.Id, g.Name, g.Project, [.. g.Members.Select(m => new MemberRow(m.User, People.Find(m.User)!.Name, m.Limits))])); }
        foreach (var g in changes.Grants) { engine.Feeds.Grants.Set(g.Key, new GrantRow(g.Subject, Name(engine, g.Subject), g.Target, Name(engine, g.Target), g.Rights)); }
        foreach (var t in changes.Templates) { engine.Feeds.Templates.Set(t.Id, new TemplateRow(t, t.Owner.Length == 0 ? "" : Name(engine, t.Owner), TemplateRules.Stands(t, engine.Now, People))); }
        foreach (var gone in changes.TemplatesRemoved) { engine.Feeds.Templates.Set(gone, null); }
        foreach (var gone in changes.GrantsRemoved) { engine.Feeds.Grants.Set(gone, null); }
        foreach (var gone in changes.UserGroupsRemoved) { engine.Feeds.UserGroups.Set(gone, null); }
        engine.Feeds.Recheck();
    }

    public static void Hold(FakeEngine engine, string owner, string name, Usage allocated, Usage running, Usage pending, QuotaLimits limits, bool own) =>
        engine.Feeds.Owners.Set(owner, new OwnerRow(owner, name, allocated, running, pending, pending with { DiskMiB = 0 }, limits, own));

    private static string Name(FakeEngine engine, string key) =>
        Keys.InstanceOf(key) is { } i ? engine.Feeds.Instances.Find(i)!.Name : Subjects.Name(key, engine.Now, People);

    /// <summary>What the real door says for somebody with these rights; enough for pages.</summary>
    public static Func<OperationRequest, Refusal?> DoorOf(FakeEngine engine, Caller who) => request => request switch
    {
        CreateInstance c when who.Admin || engine.Now.Access.ClusterOf(c.OwnerFor(who)).HasFlag(WebManager.Engine.Model.ClusterRights.CreateVm) => null,
        CreateFromTemplate c when who.Admin || engine.Now.Access.TemplateOf(c.OwnerFor(who), engine.Now.FindTemplate(c.Template)!.Id).HasFlag(TemplateRights.Use) => null,
        TemplateRequest t and not AddTemplate when who.Admin || (engine.Now.FindTemplate(t.Template) is { } own && engine.Now.Access.Template(who.UserId, own.Id, own.Owner).HasFlag(TemplateRights.Admin)) => null,
        SetMember or RemoveMember when who.Admin || engine.Now.Access.Group(who.UserId, Research).HasFlag(UserGroupRights.Admin) => null,
        _ when who.Admin => null,
        _ => new Refusal("right.missing", $"{who.Name} may not do that ({request.Name}).", "Ask an administrator."),
    };
}
