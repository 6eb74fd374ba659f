// Registers the database and brings it up to date before anything else starts.
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

public static class DataServices
{
    public static IServiceCollection AddPortalData(this IServiceCollection services, DataFolder folder)
    {
        services.AddSingleton(folder);
        var people = new People();
        services.AddSingleton(people);
        services.AddSingleton<IPeople>(people);
        var watch = new PeopleWatch(people);
        services.AddDbContextFactory<PortalDb>(options => options
            .UseSqlite(SqliteSettings.ConnectionString(folder.Database))
            .AddInterceptors(new SqliteSettings(), watch));
        services.AddSingleton<IClusterStore, EfClusterStore>();
        services.AddSingleton<BackupMaker>();
        services.AddDataProtection().SetApplicationName("WebManager").PersistKeysToFileSystem(new DirectoryInfo(folder.Folder("keys")));
        services.AddHostedService<DatabaseStart>();
        return services;
    }
}

/// <summary>Registered first: hosted services start in order, the web server last.</summary>
internal sealed class DatabaseStart(DataFolder folder, IDbContextFactory<PortalDb> dbs, People people, TimeProvider time) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        folder.Lock();
        await using var db = await dbs.CreateDbContextAsync(cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
        await people.LoadAsync(db, cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);
        using var audit = new AuditWriter(db, db.Database.GetDbConnection());
        await using var transaction = await db.Database.GetDbConnection().BeginTransactionAsync(cancellationToken);
        audit.Begin(time.GetUtcNow(), transaction);
        await transaction.CommitAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
