using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using WebManager.Contracts.Audit;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Audit;
using WebManager.Web.Tests.Cli;

namespace WebManager.Web.Tests.Audit;

public sealed class AuditChainTests
{
    [Fact]
    public async Task Entries_follow_each_other_also_when_commits_of_the_same_group_fail()
    {
        await using var store = await AuditStore.OpenAsync();
        async Task<bool> OneAsync(int i)
        {
            var changes = new Changes();
            changes.Audit.Add(AuditStore.Entry($"instance:web{i}"));
            if (i % 3 == 0) { changes.Nodes.Add(new Node("n1", "a:1", AuditStore.At, 5)); }   // a revision that no stored row has: this one fails
            try { await store.Store.CommitAsync(changes, default); }
            catch (RevisionConflictException) { return false; }
            return true;
        }
        var stored = (await Task.WhenAll(Enumerable.Range(0, 600).Select(OneAsync))).Count(s => s);
        var report = await store.VerifyAsync();
        Assert.Equal((true, 400L, 400L), (report.Ok, report.Count, report.Newest));
        Assert.Equal(400, stored);
    }

    [Theory]
    [InlineData("UPDATE audit SET User = 'bob' WHERE Id = 4", 4, "changed")]
    [InlineData("UPDATE audit SET Reason = NULL WHERE Id = 4", 4, "changed")]
    [InlineData("UPDATE audit SET At = At + 1 WHERE Id = 1", 1, "changed")]
    [InlineData("UPDATE audit SET Operation = 'instance.startinstance:web9', Subject = '' WHERE Id = 9", 9, "changed")]
    [InlineData("DELETE FROM audit WHERE Id = 4", 4, "Entry 4 was removed")]
    [InlineData("DELETE FROM audit WHERE Id IN (4, 5)", 4, "Entries 4 to 5 were removed")]
    [InlineData("DELETE FROM audit WHERE Id <= 3", 1, "Entries 1 to 3 were removed")]
    [InlineData("DELETE FROM audit WHERE Id > 8", 9, "The newest entries, 9 to 10, were removed")]
    [InlineData("DELETE FROM audit", 1, "The newest entries, 1 to 10, were removed")]
    [InlineData("UPDATE audit SET Id = -4 WHERE Id = 4; UPDATE audit SET Id = 4 WHERE Id = 5; UPDATE audit SET Id = 5 WHERE Id = -4", 4, "changed")]
    [InlineData("DELETE FROM audit WHERE Id = 4; UPDATE audit SET Id = Id - 1 WHERE Id > 4", 4, "changed")]
    [InlineData("DELETE FROM audit WHERE Id > 8; DELETE FROM settings WHERE Name = 'audit.head'", 9, "may have been removed")]
    [InlineData("DELETE FROM audit WHERE Id <= 3; INSERT INTO settings (Name, Value) SELECT 'audit.anchor', '3:' || Previous FROM audit WHERE Id = 4", 1, "no entry says that retention removed them")]
    [InlineData("INSERT INTO audit (Id, At, User, Face, Operation, Subject, Result, Previous, Hash) SELECT 11, 0, 'x', 'x', 'x', 'x', 'x', Hash, 'f00' FROM audit WHERE Id = 10", 11, "changed")]
    public async Task What_was_changed_or_removed_is_found(string sql, long at, string what)
    {
        await using var store = await AuditStore.OpenAsync(10);
        Assert.True((await store.VerifyAsync()).Ok);
        store.Tamper(sql);
        var report = await store.VerifyAsync();
        Assert.Equal((false, at), (report.Ok, report.BrokenAt));
        Assert.Contains(what, report.Problem, StringComparison.Ordinal);
        // The portal writes on, and what was done stays to be seen.
        await store.AddAsync(AuditStore.Entry("instance:later"));
        Assert.False((await store.VerifyAsync()).Ok);
        using var wm = new WmRun();
        var (code, _, error) = await wm.RunAsync("audit", "verify", "--data", store.Folder);
        Assert.Equal(1, code);
        Assert.Contains("The audit is broken at entry", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_was_changed_and_hashed_anew_is_found_by_the_next()
    {
        await using var store = await AuditStore.OpenAsync(10);
        var before = (await store.Log.SearchAsync(new AuditFilter(), null, 100, default)).Single(a => a.Serial == 4);
        var forged = AuditChain.Hash(before.Previous, new AuditFields(4, before.At.UtcTicks, "bob", before.Face, before.Address, before.Operation, before.Subject, before.Result, before.Job, before.Reason));
        store.Tamper($"UPDATE audit SET User = 'bob', Hash = '{forged}' WHERE Id = 4");
        var report = await store.VerifyAsync();
        Assert.Equal((4, "Entry 4 was changed: the next one knows it by another hash."), (report.BrokenAt, report.Problem));
    }

    [Fact]
    public async Task A_mark_noted_elsewhere_unmasks_an_audit_that_was_written_anew()
    {
        await using var store = await AuditStore.OpenAsync(3);
        var sound = await store.VerifyAsync();
        var noted = new AuditMark(sound.Newest, sound.Hash);
        await store.AddAsync(AuditStore.Entry("instance:later"));
        Assert.True((await store.VerifyAsync(noted)).Ok);
        store.Tamper("DELETE FROM audit; DELETE FROM settings WHERE Name = 'audit.head'");
        for (var i = 0; i < 5; i++) { await store.AddAsync(AuditStore.Entry("instance:other")); }
        Assert.True((await store.VerifyAsync()).Ok);
        Assert.Equal(3, (await store.VerifyAsync(noted)).BrokenAt);
        using var wm = new WmRun();
        Assert.Equal(1, (await wm.RunAsync("audit", "verify", "--data", store.Folder, "--noted", noted.ToString())).Code);
        Assert.Equal(2, (await wm.RunAsync("audit", "verify", "--data", store.Folder, "--noted", "3:abc")).Code);
        Assert.Equal(2, (await wm.RunAsync("audit", "verify", "--data", store.Folder + "/none")).Code);
    }

    [Fact]
    public async Task The_database_itself_refuses_to_change_or_remove_entries()
    {
        await using var store = await AuditStore.OpenAsync(3);
        foreach (var sql in new[] { "UPDATE audit SET User = 'bob'", "UPDATE audit SET Hash = ''", "DELETE FROM audit WHERE Id = 1", "DELETE FROM audit" })
        {
            var refused = Assert.Throws<SqliteException>(() => store.Tamper(sql, triggers: true));
            Assert.Contains("audit entries are never", refused.Message, StringComparison.Ordinal);
        }
        Assert.Equal((true, 3), ((await store.VerifyAsync()).Ok, (await store.VerifyAsync()).Count));
    }

    [Fact]
    public async Task Retention_removes_the_oldest_and_the_rest_stays_verifiable()
    {
        await using var store = await AuditStore.OpenAsync(10);   // one a day
        store.Clock.Advance(TimeSpan.FromDays(12));
        Assert.Equal(5, await store.Log.RemoveOlderAsync(TimeSpan.FromDays(7), default));
        var report = await store.VerifyAsync();
        Assert.Equal((true, 6L, 5L, 11L), (report.Ok, report.Count, report.RemovedUpTo, report.Newest));
        Assert.Equal(0, await store.Log.RemoveOlderAsync(TimeSpan.FromDays(7), default));
        store.Clock.Advance(TimeSpan.FromDays(3));
        Assert.Equal(3, await store.Log.RemoveOlderAsync(TimeSpan.FromDays(7), default));
        report = await store.VerifyAsync();
        Assert.Equal((true, 4L, 8L), (report.Ok, report.Count, report.RemovedUpTo));
        store.Clock.Advance(TimeSpan.FromDays(365));
        await store.Log.RemoveOlderAsync(TimeSpan.FromDays(7), default);
        report = await store.VerifyAsync();
        Assert.Equal((true, 1L, 12L), (report.Ok, report.Count, report.RemovedUpTo));
        store.Tamper("DELETE FROM audit");
        Assert.Equal(13, (await store.VerifyAsync()).BrokenAt);
    }

    [Fact]
    public async Task Entries_of_an_older_portal_come_into_the_chain()
    {
        await using var store = await AuditStore.OpenAsync();
        await using (var db = await store.Dbs.CreateDbContextAsync())
        {
            await db.GetService<IMigrator>().MigrateAsync("Candidate");
            store.Tamper("""INSERT INTO audit (Id, At, User, Face, Operation, Subject, Result) VALUES (2, 10, 'ada', 'cli', 'a', 'b', 'c'), (5, 20, 'bob', 'cli', 'a', 'b', 'c')""", triggers: true);
            await db.Database.MigrateAsync();
        }
        await store.AddAsync(AuditStore.Entry("instance:web1"));
        var report = await store.VerifyAsync();
        Assert.Equal((true, 3L), (report.Ok, report.Count));
        Assert.Equal(["ada", "bob", "ada"], (await store.Log.SearchAsync(new AuditFilter(), null, 9, default)).OrderBy(a => a.Serial).Select(a => a.User));
    }

    [Fact]
    public async Task Any_text_is_kept_so_that_it_can_be_verified()
    {
        await using var store = await AuditStore.OpenAsync();
        var odd = new[] { "a\0b", "\ud800", new string('x', 100_000), "\u202Eevil", "<script>", "'; DROP TABLE audit; --", "💥", "" };
        foreach (var text in odd) { await store.AddAsync(AuditStore.Entry("instance:" + text) with { Reason = text, User = text, Result = text, Address = text }); }
        Assert.Equal((true, odd.Length), ((await store.VerifyAsync()).Ok, (await store.VerifyAsync()).Count));
        using var wm = new WmRun();
        var (code, text2, _) = await wm.RunAsync("audit", "verify", "--data", store.Folder);
        Assert.Equal(0, code);
        Assert.StartsWith($"OK: {odd.Length} entries", text2, StringComparison.Ordinal);
    }
}
