using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Data;

public sealed class StoreTests : IDisposable
{
    private static readonly DateTimeOffset s_at = new(2026, 3, 4, 5, 6, 7, 123, TimeSpan.Zero);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_committed_is_there_after_reopening()
    {
        var (instance, job, gone) = (NewInstance("web1") with { Tags = ["shop"] }, NewJob(7, JobStatus.Running), Guid.NewGuid());
        var group = new NodeGroup(Guid.NewGuid(), "west", s_at, 1) { RecoveryOff = true };
        var node = new Node("n1", "10.0.0.1:7443", s_at, 1) { Cpus = 2, MemoryMiB = 4096, DiskMiB = 1 << 20, Drained = true, DrainedWhy = "flaps", Group = group.Id, Tags = ["rack:a"] };
        await using (var store = await OpenAsync())
        {
            var changes = new Changes { Cluster = new Cluster(Guid.NewGuid(), "c", 3, s_at, 1) { Subnet = "10.77.1.0/24", Gateway = "10.77.1.1", RecoveryOff = true, FrozenAt = s_at, FrozenText = "n1, n2", MaxRunningJobs = 7, MaxOpenJobs = 70, QueueDrained = true, Tags = ["htools:nlocation:rack"] } };
            changes.Groups.Add(group);
            changes.Nodes.Add(node);
            changes.Instances.Add(instance);
            changes.Removed.Add(new RemovedInstance(gone, "gone", s_at));
            changes.Jobs.Add(job);
            changes.JobLog.Add(new JobLogLine(7, 1, s_at, "began"));
            changes.Events.Add(new ClusterEvent(1, s_at, "node.health", Severity.Warning, "node:n1", "online", "suspect", "silent") { Job = 7 });
            changes.Audit.Add(new AuditEntry(s_at, "ada", "portal", "::1", "instance.create", "instance:web1", "success", 7, "because"));
            await store.Store.CommitAsync(changes, default);
        }
        await using var again = await OpenAsync();
        var state = await again.Store.LoadAsync(default);
        Assert.Equal(("10.77.1.0/24", true, s_at, "n1, n2"), (state.Cluster!.Subnet, state.Cluster.RecoveryOff, state.Cluster.FrozenAt, state.Cluster.FrozenText));
        Assert.Equal((7, 70, true), (state.Cluster.MaxRunningJobs, state.Cluster.MaxOpenJobs, state.Cluster.QueueDrained));
        Assert.Equivalent(node, Assert.Single(state.Nodes), strict: true);
        Assert.Equal(group, Assert.Single(state.Groups));
        Assert.Equal(["htools:nlocation:rack"], state.Cluster.Tags);
        Assert.Equivalent(instance, Assert.Single(state.Instances), strict: true);
        Assert.Equal([gone], state.Removed);
        var found = Assert.Single(state.Jobs);
        Assert.Equal(job with { Request = found.Request, Reason = found.Reason, Subjects = found.Subjects, Depends = found.Depends }, found);
        Assert.Equivalent(job.Request, Assert.IsType<CreateInstance>(found.Request), strict: true);
        Assert.Equal(job.Reason, found.Reason);
        Assert.Equivalent(job.Depends, found.Depends, strict: true);
        Assert.Equal((7, 1), (state.LastJobId, state.LastEventId));
        Assert.Equal("began", Assert.Single(await again.Store.JobLogAsync(7, default)).Text);
        Assert.Equal(7, Assert.Single(state.Events).Job);
    }

    [Fact]
    public async Task A_stale_revision_stores_nothing_of_the_commit()
    {
        await using var store = await OpenAsync();
        var node = new Node("n1", "a:1", s_at, 1);
        await store.Store.CommitAsync(With(node), default);
        await store.Store.CommitAsync(With(node with { Revision = 2, Offline = true }), default);
        var stale = With(node with { Revision = 2 });
        stale.Jobs.Add(NewJob(1, JobStatus.Queued));
        await Assert.ThrowsAsync<RevisionConflictException>(() => store.Store.CommitAsync(stale, default));
        await Assert.ThrowsAsync<RevisionConflictException>(() => store.Store.CommitAsync(With(node), default));
        await Assert.ThrowsAsync<RevisionConflictException>(() => store.Store.CommitAsync(With(new Node("n9", "a:9", s_at, 5)), default));
        var state = await store.Store.LoadAsync(default);
        Assert.Empty(state.Jobs);
        Assert.True(Assert.Single(state.Nodes).Offline);
    }

    [Fact]
    public async Task One_conflict_among_many_at_once_fails_alone()
    {
        await using var store = await OpenAsync();
        var commits = Enumerable.Range(0, 100).Select(i => store.Store.CommitAsync(With(new Node($"n{i}", "a:1", s_at, i == 50 ? 2 : 1)), default)).ToList();
        await Assert.ThrowsAsync<RevisionConflictException>(() => Task.WhenAll(commits));
        Assert.Equal([50], commits.Select((t, i) => (t, i)).Where(c => !c.t.IsCompletedSuccessfully).Select(c => c.i));
        Assert.Equal(99, (await store.Store.LoadAsync(default)).Nodes.Count);
    }

    [Fact]
    public async Task Removals_make_room_for_a_new_row_of_the_same_name()
    {
        await using var store = await OpenAsync();
        var old = NewInstance("web1");
        var first = new Changes();
        first.Instances.Add(old);
        await store.Store.CommitAsync(first, default);
        var second = new Changes();
        second.InstancesRemoved.Add(old.Id);
        second.Instances.Add(NewInstance("web1"));
        await store.Store.CommitAsync(second, default);
        Assert.NotEqual(old.Id, Assert.Single((await store.Store.LoadAsync(default)).Instances).Id);
    }

    [Fact]
    public async Task Jobs_and_events_are_read_newest_first_in_pages()
    {
        await using var store = await OpenAsync();
        var changes = new Changes();
        for (var i = 1; i <= 300; i++) { changes.Jobs.Add(NewJob(i, i == 3 ? JobStatus.Running : JobStatus.Success)); }
        await store.Store.CommitAsync(changes, default);
        Assert.Equal([300L, 299], (await store.Store.JobsAsync(null, 2, default)).Select(j => j.Id));
        Assert.Equal([298L, 297], (await store.Store.JobsAsync(299, 2, default)).Select(j => j.Id));
        var state = await store.Store.LoadAsync(default);
        Assert.Equal(201, state.Jobs.Count);   // the open one and the last 200 ended ones
        Assert.Equal((3, 300), (state.Jobs[0].Id, state.LastJobId));
    }

    [Fact]
    public async Task A_thousand_commits_at_once_are_all_stored()
    {
        await using var store = await OpenAsync();
        var job = 0L;
        async Task OneAsync()
        {
            var changes = new Changes();
            var id = Interlocked.Increment(ref job);
            changes.Jobs.Add(NewJob(id, JobStatus.Running));
            changes.JobLog.Add(new JobLogLine(id, 1, s_at, "step"));
            changes.Instances.Add(NewInstance($"i{id}"));
            await store.Store.CommitAsync(changes, default);
        }
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => OneAsync()));
        var stored = await store.Store.LoadAsync(default);
        Assert.Equal((1000, 1000), (stored.Jobs.Count, stored.Instances.Count));
    }

    [Fact]
    public async Task Whoever_lost_the_lease_stores_nothing_more()
    {
        await using var first = await OpenAsync();
        await using var second = await OpenAsync();   // another portal on the same file
        var (old, now) = (Guid.NewGuid(), Guid.NewGuid());
        var lease = new EngineLease(EngineLease.Row, old, 1, false, first.Store.Place);
        await first.Store.CommitAsync(new Changes { Lease = lease }, default);
        Assert.Equal(lease, await second.Store.LeaseAsync(default));
        await first.Store.CommitAsync(With(new Node("n1", "a:1", s_at, 1), old), default);
        await second.Store.CommitAsync(new Changes { Lease = lease with { Holder = now, Revision = 2 } }, default);
        await Assert.ThrowsAsync<LeaseLostException>(() => first.Store.CommitAsync(With(new Node("n2", "a:2", s_at, 1), old), default));
        await Assert.ThrowsAsync<RevisionConflictException>(() => first.Store.CommitAsync(new Changes { Lease = lease with { Revision = 2 } }, default));
        await second.Store.CommitAsync(With(new Node("n3", "a:3", s_at, 1), now), default);
        Assert.Equal(["n1", "n3"], (await second.Store.LoadAsync(default)).Nodes.Select(n => n.Name));
    }

    [Fact]
    public async Task A_folders_place_is_its_own_and_its_lock_proves_that_the_one_before_is_gone()
    {
        using var copy = new TempFolder();
        using (var folder = new DataFolder(_folder.Path))
        {
            folder.Lock();
            using var moved = new DataFolder(copy.Path);
            moved.Lock();
            Assert.NotEqual(folder.Place, moved.Place);
            await using var store = await OpenAsync();   // this one has not locked anything
            Assert.Equal(folder.Place, store.Store.Place);
            Assert.False(store.Store.IsGone(new EngineLease(EngineLease.Row, Guid.NewGuid(), 1, false, folder.Place)));
        }
        await using var next = await OpenAsync();
        var locked = next.Services.GetRequiredService<DataFolder>();
        locked.Lock();
        Assert.True(next.Store.IsGone(new EngineLease(EngineLease.Row, Guid.NewGuid(), 1, false, locked.Place)));
        Assert.False(next.Store.IsGone(new EngineLease(EngineLease.Row, Guid.NewGuid(), 1, false, "elsewhere")));
    }

    [Fact]
    public async Task A_backup_taken_while_the_store_works_says_that_it_is_one_and_comes_back_whole()
    {
        using var elsewhere = new TempFolder();
        var file = Path.Combine(elsewhere.Path, "b.wmbackup");
        await using (var store = await OpenAsync())
        {
            await store.Store.CommitAsync(new Changes { Lease = new EngineLease(EngineLease.Row, Guid.NewGuid(), 1, false, store.Store.Place) }, default);
            var changes = new Changes();
            changes.Instances.Add(NewInstance("web1"));
            await store.Store.CommitAsync(changes, default);
            await using var made = await new BackupMaker(store.Services.GetRequiredService<DataFolder>(), TimeProvider.System).MakeAsync("c1", "1.0", default);
            await using var to = File.Create(file);
            await made.CopyToAsync(to);
        }
        using var wm = new Cli.WmRun();
        var target = Path.Combine(elsewhere.Path, "data");
        var (code, text, error) = await wm.RunAsync("restore", file, "--data", target, "--yes");
        Assert.True(code == 0, error);
        Assert.Contains("cluster c1", text, StringComparison.Ordinal);
        var services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(target)).BuildServiceProvider();
        await using var again = new Opened(services);
        await using (var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync()) { await db.Database.MigrateAsync(); }   // as a portal that starts does
        Assert.Equal("web1", Assert.Single((await again.Store.LoadAsync(default)).Instances).Name);
        var lease = await again.Store.LeaseAsync(default);
        Assert.Equal((EngineLease.InBackup, true), (lease!.Place, lease.Released));

        File.WriteAllText(file, "no backup");
        (code, _, error) = await wm.RunAsync("restore", file, "--data", target, "--yes");
        Assert.Equal(1, code);
        Assert.Contains("is no backup of a portal", error, StringComparison.Ordinal);
        Assert.Equal("web1", Assert.Single((await again.Store.LoadAsync(default)).Instances).Name);
        using (var running = new DataFolder(target))
        {
            running.Lock();
            Assert.Contains("A portal uses", (await wm.RunAsync("restore", file, "--data", target, "--yes")).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Nodes_of_an_older_database_come_into_the_first_group_without_tags()
    {
        var services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(_folder.Path)).BuildServiceProvider();
        await using var store = new Opened(services);
        await using (var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync())
        {
            await db.GetService<IMigrator>().MigrateAsync("ReplaceSecondary");
            await db.Database.ExecuteSqlAsync($"""INSERT INTO nodes ("Name", "Address", "JoinedAt", "Revision", "Offline", "Drained", "Cpus", "MemoryMiB", "DiskMiB") VALUES ('n1', 'a:1', 0, 1, 0, 0, 2, 1024, 4096)""");
            await db.Database.MigrateAsync();
        }
        var state = await store.Store.LoadAsync(default);
        var node = Assert.Single(state.Nodes);
        Assert.Equal(NodeGroup.FirstId, node.Group);
        Assert.Empty(node.Tags);
        Assert.Empty(state.Groups);   // the engine makes it when it starts
    }

    [Fact]
    public async Task The_migrations_match_the_model()
    {
        await using var store = await OpenAsync();
        await using var db = await store.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        Assert.False(db.Database.HasPendingModelChanges(), "Add a migration: docs/portal-backend.md says how.");
    }

    private static Changes With(Node node, Guid? holder = null)
    {
        var changes = new Changes { Holder = holder };
        changes.Nodes.Add(node);
        return changes;
    }

    private static Instance NewInstance(string name)
    {
        var id = Guid.NewGuid();
        return new Instance(id, name, "ada", "tiny-linux", 1, 128, DiskTemplate.Mirror, [new DiskSpec(0, Guid.NewGuid(), 64)],
            [new NicSpec(0, "aa:00:00:01:02:03", "10.77.1.100/24", "10.77.1.1")], "n1", "n2", s_at, 1)
        {
            Wanted = AdminState.Up, Generation = new GenerationRecord(id, 4, "0123456789abcdef", "n1", "n2", SyncState.InSync), Mirror = MirrorState.InSync,
            OsParams = new Dictionary<string, string> { ["beat"] = "on" }, SshKeys = ["ssh-ed25519 AAAA me"], SshHostKey = "key", StartOrdered = 4, CleanEnd = 3,
            RecoveryOff = true, Priority = RecoveryPriority.Low, GaveUpAt = s_at, LastRecovery = Timeline(7),
        };
    }

    private static Job NewJob(long id, JobStatus status) =>
        new(id, new CreateInstance($"web{id}", "tiny-linux", 1, 128, DiskTemplate.Mirror, [64]) { SshKeys = ["k"] }, new Caller("u1", "ada", true, "cli") { Address = "::1" },
            [new ReasonEntry("cli:ada", "test", s_at)], status, s_at)
        {
            Recovery = Timeline(id), Step = "disks", Priority = JobPriority.Low, Depends = [new JobDependency(3, [JobStatus.Error])], CanceledBy = "eve", Error = new Refusal("a.b", "text", "remedy") { Field = "name" }, Subjects = [$"instance:web{id}"],
        };

    private static RecoveryTimeline Timeline(long job) => new(job, "n1", "n2", 5, s_at)
    {
        Detected = TimeSpan.FromSeconds(2.04), Promoted = TimeSpan.FromSeconds(3), Fenced = TimeSpan.FromSeconds(3.6), FencedBy = "lease over", Started = TimeSpan.FromSeconds(3.7),
        Required = TimeSpan.FromSeconds(3.5), Waited = TimeSpan.FromSeconds(3.62),
    };

    private async Task<Opened> OpenAsync()
    {
        var services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(_folder.Path)).BuildServiceProvider();
        await using var db = await services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        await db.Database.MigrateAsync();
        return new Opened(services);
    }

    private sealed record Opened(ServiceProvider Services) : IAsyncDisposable
    {
        public IClusterStore Store => Services.GetRequiredService<IClusterStore>();
        public ValueTask DisposeAsync() => Services.DisposeAsync();
    }
}
