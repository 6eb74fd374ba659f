using WebManager.Engine.Model;

namespace WebManager.Web.Tests.Audit;

/// <summary>An audit as a small cloud has it, for the pages: one for the whole run, nobody writes to it.</summary>
internal static class AuditScene
{
    private static readonly Lazy<Task<AuditStore>> s_store = new(FillAsync);

    public static Task<AuditStore> StoreAsync() => s_store.Value;

    private static readonly (string User, string Face, string? Address, string Operation, string Subject, string Result, string? Reason)[] s_kinds =
    [
        ("ada", "portal", "192.0.2.17", "instance.create", "instance:web1", "success", "Shop front for the spring sale"),
        ("ada", "cli", "192.0.2.17", "instance.start", "instance:web1", "success", null),
        ("watcher", "watcher", null, "instance.recover", "instance:web2 node:node1", "success", "node1 was lost"),
        ("bob", "api", "2001:db8::7", "instance.remove", "instance:db-primary", "refused: right.missing", "cleaning up"),
        ("grace.hopper@example.org", "portal", "198.51.100.4", "instance.migrate", "instance:crm", "error: migrate.not-converged", "kernel update of node1"),
        ("ada", "portal", "192.0.2.17", "node.modify", "node:node3", "success", "drain before the disk is replaced"),
        ("local", "cli", "127.0.0.1", "portal.backup", "cluster", "success", null),
        ("bob", "api", "2001:db8::7", "portal.backup", "cluster", "backup.forbidden", null),
        ("ada", "lab", "127.0.0.1", "lab.kill", "n3", "success", null),
        ("grace.hopper@example.org", "portal", "198.51.100.4", "cluster.add-tags", "cluster", "success", "racks are failure domains from now on"),
    ];

    private static async Task<AuditStore> FillAsync()
    {
        var store = await AuditStore.OpenAsync();
        foreach (var text in new[] { "<script>window.ran=1;alert(1)</script>", "\"><img src=x onerror=\"window.ran=1;alert(2)\">", "\u202Eexe.gpj", new string('a', 10_000), "javascript:alert(3)" })
        {
            await store.AddAsync(new AuditEntry(DateTimeOffset.UtcNow.AddDays(-3), "mallory", text, text, text, "instance:" + text, text, 1, text));
        }
        for (var i = 0; i < 120; i++)
        {
            var (user, face, address, operation, subject, result, reason) = s_kinds[i % s_kinds.Length];
            await store.AddAsync(new AuditEntry(DateTimeOffset.UtcNow.AddMinutes(i * 11 - 1400), user, face, address, operation, subject, result, operation.Contains('.') && face is "portal" or "watcher" ? 800 + i : null, reason));
        }
        return store;
    }
}
