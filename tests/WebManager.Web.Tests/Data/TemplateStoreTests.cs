using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Data;

public sealed class TemplateStoreTests
{
    [Fact]
    public async Task Templates_are_there_after_reopening_and_gone_after_their_removal()
    {
        using var folder = new TempFolder();
        var at = new DateTimeOffset(2026, 3, 4, 5, 6, 7, 123, TimeSpan.Zero);
        var kept = new InstanceTemplate(Guid.NewGuid(), "small", "user:u1", "u1", new TemplateParameters("tiny", 2, 512, DiskTemplate.Mirror, [64, 128]) { Nics = 3, OsParams = new Dictionary<string, string> { ["beat"] = "on" }, Start = false, SizesFree = true }, at, 1) { Description = "\"quoted\"\nlines" };
        await using (var store = await OpenAsync(folder.Path))
        {
            var changes = new Changes();
            changes.Templates.Add(kept);
            changes.Templates.Add(kept with { Id = Guid.NewGuid(), Name = "other" });
            await Store(store).CommitAsync(changes, default);
        }
        await using var again = await OpenAsync(folder.Path);
        var found = (await Store(again).LoadAsync(default)).Templates;
        Assert.Equal(["other", "small"], found.Select(t => t.Name));
        Assert.Equivalent(kept, found[1], strict: true);
        var more = new Changes();
        more.TemplatesRemoved.Add(found[0].Id);
        more.Templates.Add(kept with { Name = "renamed", Revision = 2 });
        await Store(again).CommitAsync(more, default);
        Assert.Equal("renamed", Assert.Single((await Store(again).LoadAsync(default)).Templates).Name);
        var stale = new Changes();
        stale.Templates.Add(kept with { Revision = 2 });
        await Assert.ThrowsAsync<RevisionConflictException>(() => Store(again).CommitAsync(stale, default));
    }

    private static IClusterStore Store(ServiceProvider services) => services.GetRequiredService<IClusterStore>();

    private static async Task<ServiceProvider> OpenAsync(string folder)
    {
        var services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(folder)).BuildServiceProvider();
        await using var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        await db.Database.MigrateAsync();
        return services;
    }
}
