using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Fuzz;

/// <summary>A portal with something in it: two nodes that are away, instances, an administrator, and a user without any right.</summary>
internal sealed class FuzzPortal : IDisposable
{
    // What a refused request may change: the audit of it, when a token was used, how often a name was tried.
    private static readonly string[] s_notCompared = ["audit", "settings", "engine_leases", "__EFMigrationsHistory", "__EFMigrationsLock", "sqlite_sequence"];
    private static readonly string[] s_columnsNotCompared = ["LastUsedAt", "AccessFailedCount", "LockoutEnd", "ConcurrencyStamp", "LastSignInAt"];

    private readonly TempFolder _folder;

    private FuzzPortal(TempFolder folder)
    {
        _folder = folder;
        Portal = new TestPortal(("Portal:Data", folder.Path), ("Limits:SignInsPerAddress", "0"), ("Limits:SignInsPerName", "0"), ("Limits:CallsPerAccount", "0"), ("Limits:CallsPerAddress", "0"),
            ("Logging:LogLevel:Default", "None"), ("Logging:LogLevel:Microsoft.AspNetCore", "None"),
            ("Logging:LogLevel:WebManager.Web.Api.ProblemHandler", "Error"), ("Logging:LogLevel:Microsoft.AspNetCore.Diagnostics", "Error"));
    }

    public TestPortal Portal { get; }
    public string AdminToken => File.ReadAllText(Path.Combine(_folder.Path, "local-token")).Trim();

    public static async Task<FuzzPortal> StartAsync()
    {
        var folder = new TempFolder();
        await using (var services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddPortalData(new DataFolder(folder.Path)).BuildServiceProvider())
        {
            await using (var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync()) { await db.Database.MigrateAsync(); }
            await services.GetRequiredService<IClusterStore>().CommitAsync(Scene(), default);
        }
        var portal = new FuzzPortal(folder);
        await portal.NewUserTokenAsync();
        return portal;
    }

    private static Changes Scene()
    {
        var at = DateTimeOffset.UtcNow.AddDays(-1);
        var changes = new Changes();
        foreach (var name in new[] { "n1", "n2" }) { changes.Nodes.Add(new Node(name, "127.0.0.1:9", at, 1) { Offline = true, Cpus = 4, MemoryMiB = 4096, DiskMiB = 1 << 20, Tags = ["rack:a"] }); }
        foreach (var name in new[] { "web1", "web2" })
        {
            changes.Instances.Add(new Instance(Guid.NewGuid(), name, "ada", "tiny-linux", 1, 128, DiskTemplate.File, [new DiskSpec(0, Guid.NewGuid(), 64)], [], "n1", null, at, 1) { Wanted = AdminState.Down, Stage = LifeStage.Ready });
        }
        return changes;
    }

    /// <summary>User eve, who may do nothing; made when she is not there (any more).</summary>
    public async Task<string> NewUserTokenAsync()
    {
        await using var scope = Portal.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var eve = await users.FindByNameAsync("eve");
        if (eve is null) { await users.CreateAsync(eve = new PortalUser { UserName = "eve", CreatedAt = DateTimeOffset.UtcNow }, "correct horse"); }
        return await scope.ServiceProvider.GetRequiredService<ApiTokens>().CreateSessionAsync(eve.Id, "fuzz", TimeSpan.FromHours(5), default);
    }

    /// <summary>Everything that is stored and everything that is shown, as text; with people: accounts and their tokens, too.</summary>
    public Task<string> PictureAsync(bool people) => PictureAsync(Portal, people);

    public static async Task<string> PictureAsync(TestPortal portal, bool people)
    {
        var text = new StringBuilder();
        var engine = portal.Services.GetRequiredService<IClusterEngine>();
        text.AppendLine(JsonSerializer.Serialize(engine.Cluster, WireJson.Options));
        text.AppendLine(JsonSerializer.Serialize(engine.Feeds.Nodes.Current().Values.OrderBy(n => n.Name), WireJson.Options));
        text.AppendLine(JsonSerializer.Serialize(engine.Feeds.Instances.Current().Values.OrderBy(n => n.Name), WireJson.Options));
        text.AppendLine(JsonSerializer.Serialize(engine.Feeds.Groups.Current().Values.OrderBy(n => n.Name), WireJson.Options));
        text.AppendLine(JsonSerializer.Serialize(engine.Feeds.Jobs.Current().Values.OrderBy(n => n.Id), WireJson.Options));
        await using var db = await portal.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        await db.Database.OpenConnectionAsync();
        foreach (var table in await ColumnAsync(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"))
        {
            var personal = table.StartsWith("AspNet", StringComparison.Ordinal) || table.Contains("token", StringComparison.Ordinal) || table.Contains("user", StringComparison.OrdinalIgnoreCase) || table.Contains("key", StringComparison.Ordinal)
                || table.Contains("session", StringComparison.Ordinal) || table.Contains("request", StringComparison.Ordinal);
            if (s_notCompared.Contains(table) || (personal && !people)) { continue; }
            await TableAsync(db, table, text);
        }
        return text.ToString();
    }

    private static async Task TableAsync(PortalDb db, string table, StringBuilder to)
    {
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = $"SELECT * FROM \"{table}\" ORDER BY rowid";
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            to.Append(table);
            for (var i = 0; i < reader.FieldCount; i++)
            {
                if (!s_columnsNotCompared.Contains(reader.GetName(i))) { to.Append(' ').Append(reader.GetName(i)).Append('=').Append(reader.GetValue(i)); }
            }
            to.AppendLine();
        }
    }

    private static async Task<List<string>> ColumnAsync(PortalDb db, string sql)
    {
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        List<string> all = [];
        while (await reader.ReadAsync()) { all.Add(reader.GetString(0)); }
        return all;
    }

    public void Dispose()
    {
        Portal.Dispose();
        _folder.Dispose();
    }
}
