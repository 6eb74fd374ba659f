using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Testing.Rights;
using WebManager.Web.Data;
using WebManager.Web.Tests.Fuzz;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Rights;

/// <summary>
/// A whole portal with its real engine and one of everything, own, shared and foreign: web-own is olga's, web-shared the group ops's, web-foreign
/// otto's; the instance template tpl-own is cora's (ivan has admin on it, pia the use), tpl-foreign the cluster's. Both nodes are offline, so that what is allowed to instances is refused by the state of things and changes nothing.
/// </summary>
public sealed class RightsScene : IAsyncLifetime
{
    public static readonly Guid Ops = new("0b5f1f0e-0000-4000-8000-000000000011"), Others = new("0b5f1f0e-0000-4000-8000-000000000012");
    private static readonly Guid s_askOps = new("0b5f1f0e-0000-4000-8000-000000000021"), s_askOthers = new("0b5f1f0e-0000-4000-8000-000000000022");
    public static readonly Guid TemplateOwn = new("0b5f1f0e-0000-4000-8000-000000000041"), TemplateForeign = new("0b5f1f0e-0000-4000-8000-000000000042");
    public static readonly Guid UnasKey = new("0b5f1f0e-0000-4000-8000-000000000031");
    private readonly TempFolder _folder = new();
    private const int Spare = 40;
    private readonly Dictionary<string, string> _tokens = [];
    private int _jobs;

    internal RightsTable Table { get; } = RightsTable.Load();
    internal TestPortal Portal { get; private set; } = null!;
    internal IClusterEngine Engine => Portal.Services.GetRequiredService<IClusterEngine>();

    internal Guid OttosSession { get; private set; }
    internal Guid OttosToken { get; private set; }

    /// <summary>null: nobody.</summary>
    internal string? TokenOf(string role) => _tokens.GetValueOrDefault(role);

    internal static Guid RequestOf(string on) => on == "foreign" ? s_askOthers : s_askOps;
    internal static string GroupOf(string on) => on == "foreign" ? "others" : "ops";
    internal static string InstanceOf(string on) => on == "*" ? "web-own" : $"web-{on}";
    /// <summary>One that has ended, like the first, which nobody was given before.</summary>
    internal string NextJob(string on)
    {
        var n = Interlocked.Increment(ref _jobs) - 1;
        Assert.True(n < Spare, "More jobs are needed in the scene.");
        return $"{(on switch { "foreign" => 200, "shared" => 300, _ => 100 }) + n}";
    }

    internal static string TemplateOf(string on) => on == "foreign" ? "tpl-foreign" : "tpl-own";
    internal static string OwnerOf(string on) => on switch { "shared" => "usergroup:ops", "foreign" => "user:otto", _ => "user:olga" };

    public async ValueTask InitializeAsync()
    {
        await using (var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddPortalData(new DataFolder(_folder.Path)).BuildServiceProvider())
        {
            await using (var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync())
            {
                await db.Database.MigrateAsync();
                db.Users.AddRange(RightsPeople.Roles.Concat(["otto", "extra"]).Select(RightsPeople.Account));
                await db.SaveChangesAsync();
            }
            await services.GetRequiredService<IClusterStore>().CommitAsync(Things(), default);
        }
        Portal = new TestPortal(("Portal:Data", _folder.Path), ("Limits:SignInsPerAddress", "0"), ("Limits:SignInsPerName", "0"), ("Limits:CallsPerAccount", "0"), ("Limits:CallsPerAddress", "0"), ("Portal:Registration", "true"),
            ("Logging:LogLevel:Microsoft.AspNetCore.Antiforgery", "None"));
        foreach (var role in Table.Roles.Where(r => r != "anon")) { _tokens[role] = (await Portal.TokenAsync(role)).Token; }
        (OttosSession, OttosToken) = (await Portal.SessionAsync("otto"), (await Portal.TokenAsync("otto", session: false)).Id);
        foreach (var person in RightsPeople.Roles.Append("otto")) { await Portal.PasskeyAsync(person); }
    }

    private static Changes Things()
    {
        var (at, all, local) = (DateTimeOffset.UtcNow.AddDays(-1), new Changes(), new Caller("local", "local", true, "cli"));
        foreach (var name in new[] { "n1", "n2" }) { all.Nodes.Add(new Node(name, $"127.0.0.1:{name[1]}", at, 1) { Offline = true, Cpus = 4, MemoryMiB = 4096, DiskMiB = 1 << 20, Tags = ["rack:a"] }); }
        all.UserGroups.Add(new UserGroup(Ops, "ops", true, at, 1) { Members = [new("mia", null)] });
        all.UserGroups.Add(new UserGroup(Others, "others", false, at, 1) { Members = [new("otto", null)] });
        foreach (var (on, owner, job) in new[] { ("own", Keys.User("olga"), 1L), ("foreign", Keys.User("otto"), 2), ("shared", Keys.Group(Ops), 3) })
        {
            var instance = new Instance(Guid.NewGuid(), $"web-{on}", owner, "tiny", 1, 128, DiskTemplate.Mirror, [new DiskSpec(0, Guid.NewGuid(), 64)], [], "n1", "n2", at, 1)
            {
                Wanted = AdminState.Down, Stage = LifeStage.Ready, Mirror = MirrorState.InSync, Tags = ["a"],
            };
            all.Instances.Add(instance);
            all.Jobs.Add(new Job(job, new StopInstance(instance.Name), local, [new ReasonEntry("cli:local", "a test", at)], JobStatus.Success, at) { StartedAt = at, EndedAt = at, Subjects = [$"instance:{instance.Name}"] });
            all.Jobs.AddRange(Enumerable.Range(0, Spare).Select(n => all.Jobs[^1] with { Id = (100 * job) + n }));
            all.JobLog.Add(new JobLogLine(job, 1, at, $"{instance.Name} is stopped."));
            all.Events.Add(new ClusterEvent(job, at, "instance.status", Severity.Info, $"instance:{instance.Name}", null, null, $"{instance.Name} was looked at."));
            if (on == "own") { Grants(all, Keys.Instance(instance.Id), at); }
        }
        foreach (var (id, group) in new[] { (s_askOps, Ops), (s_askOthers, Others) }) { all.UserRequests.Add(new UserRequest(id, UserRequestKind.Membership, "una", Keys.Group(group), "please", at, 1)); }
        foreach (var (id, name, owner) in new[] { (TemplateOwn, "tpl-own", Keys.User("cora")), (TemplateForeign, "tpl-foreign", "") })
        {
            all.Templates.Add(new InstanceTemplate(id, name, owner, owner.Length > 0 ? "cora" : "local", new TemplateParameters("tiny", 1, 64, DiskTemplate.Diskless, []), at, 1));
        }
        foreach (var (who, right) in new[] { ("ivan", "admin"), ("pia", "use") }) { all.Grants.Add(new Grant(Keys.User(who), Keys.Template(TemplateOwn), [right], at, 1)); }
        all.SshKeys.Add(new SshKey(UnasKey, "una", "una's", RightsBodies.Key(200), "SHA256:unas", at, 1));
        return all;
    }

    private static void Grants(Changes all, string own, DateTimeOffset at)
    {
        foreach (var (who, on, right) in new[]
        {
            ("ivan", own, "admin"), ("pia", own, "power tags"), ("greta", Keys.Group(Ops), "admin"), ("cora", Keys.Cluster, "create_vm"), ("mig", Keys.Cluster, "migrate"),
            ("dis", Keys.Cluster, "replace_disks"), ("tag", Keys.Cluster, "tags"), ("carl", Keys.Cluster, "admin"),
        })
        {
            all.Grants.Add(new Grant(Keys.User(who), on, right.Split(' '), at, 1));
        }
    }

    internal Task<string> PictureAsync() => FuzzPortal.PictureAsync(Portal, people: true);

    public ValueTask DisposeAsync()
    {
        Portal.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
