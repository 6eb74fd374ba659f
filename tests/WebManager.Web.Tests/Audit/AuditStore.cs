using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Testing;
using WebManager.Web.Audit;
using WebManager.Web.Data;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Audit;

/// <summary>A store with its audit in a folder of its own, and hands that get at the file past the portal.</summary>
internal sealed class AuditStore : IAsyncDisposable
{
    public static readonly DateTimeOffset At = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private readonly TempFolder _folder = new();
    private readonly ServiceProvider _services;

    private AuditStore()
    {
        _services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(Clock).AddPortalData(new DataFolder(_folder.Path)).AddSingleton<AuditLog>().BuildServiceProvider();
    }

    public ManualClock Clock { get; } = new(At);
    public string Folder => _folder.Path;
    public IClusterStore Store => _services.GetRequiredService<IClusterStore>();
    public AuditLog Log => _services.GetRequiredService<AuditLog>();
    public IDbContextFactory<PortalDb> Dbs => _services.GetRequiredService<IDbContextFactory<PortalDb>>();

    public static async Task<AuditStore> OpenAsync(int entries = 0)
    {
        var store = new AuditStore();
        await using var db = await store.Dbs.CreateDbContextAsync();
        await db.Database.MigrateAsync();
        for (var i = 1; i <= entries; i++) { await store.AddAsync(Entry($"instance:web{i}", At.AddDays(i - 1))); }
        return store;
    }

    public static AuditEntry Entry(string subject, DateTimeOffset? at = null) => new(at ?? At, "ada", "portal", "::1", "instance.start", subject, "success", 7, "because");

    public Task AddAsync(params AuditEntry[] entries)
    {
        var changes = new Changes();
        changes.Audit.AddRange(entries);
        return Store.CommitAsync(changes, default);
    }

    public Task<AuditReport> VerifyAsync(AuditMark? noted = null) => Log.VerifyAsync(noted, default);

    /// <summary>As somebody would who has the file: without the portal, and without its triggers when asked.</summary>
    public void Tamper(string sql, bool triggers = false)
    {
        using var connection = new SqliteConnection(SqliteSettings.ConnectionString(Path.Combine(Folder, "webmanager.db")));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = triggers ? sql : "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete; " + sql;
        command.ExecuteNonQuery();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }
}
