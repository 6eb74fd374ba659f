using System.Diagnostics;
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

/// <summary>Finding jobs in the database: by everything they are looked for by, only what may be seen, and among a hundred thousand.</summary>
public sealed class JobSearchTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly DateTimeOffset s_at = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private readonly TempFolder _folder = new();
    private ServiceProvider? _services;

    public async ValueTask DisposeAsync()
    {
        if (_services is not null) { await _services.DisposeAsync(); }
        _folder.Dispose();
    }

    private async Task<IClusterStore> OpenAsync()
    {
        _services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(_folder.Path)).BuildServiceProvider();
        await using var db = await _services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        await db.Database.MigrateAsync();
        return _services.GetRequiredService<IClusterStore>();
    }

    private static Job Of(long id, string instance, string user = "ada", JobStatus status = JobStatus.Success, string why = "test", string? error = null) =>
        new(id, new StartInstance(instance), new Caller(user, user, false, "cli"), [new ReasonEntry("cli", why, s_at)], status, s_at.AddMinutes(id))
        {
            Subjects = [$"instance:{instance}"], EndedAt = status is JobStatus.Running ? null : s_at.AddMinutes(id + 1), Error = error is null ? null : new Refusal("node.unreachable", error),
        };

    private static async Task CommitAsync(IClusterStore store, params Job[] jobs)
    {
        var changes = new Changes();
        changes.Jobs.AddRange(jobs);
        await store.CommitAsync(changes, default);
    }

    private static async Task<IReadOnlyList<long>> FoundAsync(IClusterStore store, JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees = null) =>
        (await store.FindJobsAsync(query, sees, default)).Select(j => j.Id).ToList();

    [Fact]
    public async Task Jobs_are_found_by_words_state_object_person_and_time_page_by_page()
    {
        var store = await OpenAsync();
        await CommitAsync(store, Of(1, "web1", why: "Kernel Update"), Of(2, "web10", "bob"), Of(3, "web1", "bob", JobStatus.Error, error: "Node n1 does not answer. 100% ' %"), Of(4, "db", status: JobStatus.Running));
        Assert.Equal([4, 3, 2, 1], await FoundAsync(store, new JobQuery()));
        Assert.Equal([1], await FoundAsync(store, new JobQuery { Text = "kernel UPDATE" }));
        Assert.Equal([3, 2, 1], await FoundAsync(store, new JobQuery { Text = "web1" }));
        Assert.Equal([3, 1], await FoundAsync(store, new JobQuery { Subject = "instance:web1" }));
        Assert.Equal([3], await FoundAsync(store, new JobQuery { Text = "answer 100% '" }));
        Assert.Empty(await FoundAsync(store, new JobQuery { Text = "100_" }));
        Assert.Equal([3, 2], await FoundAsync(store, new JobQuery { User = "bob" }));
        Assert.Equal([4, 3], await FoundAsync(store, new JobQuery { Statuses = [JobStatus.Error, JobStatus.Running] }));
        Assert.Equal([3, 2], await FoundAsync(store, new JobQuery { From = s_at.AddMinutes(2), To = s_at.AddMinutes(4) }));
        Assert.Equal([4, 3], await FoundAsync(store, new JobQuery { Limit = 2 }));
        Assert.Equal([2, 1], await FoundAsync(store, new JobQuery { Limit = 2, Before = 3 }));
        Assert.Equal([3, 2], await FoundAsync(store, new JobQuery { Limit = 2 }, (by, _, _) => by == "bob"));
        Assert.Equal([1], await FoundAsync(store, new JobQuery(), (by, on, _) => by == "ada" && on.SequenceEqual(["instance:web1"])));
        // A job that goes on is found as what it is now.
        await CommitAsync(store, Of(4, "db", status: JobStatus.Canceled));
        Assert.Equal([4], await FoundAsync(store, new JobQuery { Statuses = [JobStatus.Canceled] }));
    }

    [Fact]
    public async Task Archived_jobs_stay_stored_are_found_on_request_and_not_loaded()
    {
        var store = await OpenAsync();
        await CommitAsync(store, Of(1, "web1"), Of(2, "web1"), Of(3, "web1", status: JobStatus.Running), Of(4, "web1"));
        var at = s_at.AddHours(7);
        await store.CommitAsync(new Changes { Archive = new ArchiveOrder(at) { EndedBefore = s_at.AddMinutes(2.5) } }, default);
        Assert.Equal([4, 3, 2], await FoundAsync(store, new JobQuery()));
        Assert.Equal([4, 3, 2, 1], await FoundAsync(store, new JobQuery { Archived = true }));
        Assert.Equal(at, (await store.JobAsync(1, default))!.ArchivedAt);
        await store.CommitAsync(new Changes { Archive = new ArchiveOrder(at.AddHours(1)) { EndedBefore = s_at.AddDays(1) } }, default);
        var state = await store.LoadAsync(default);
        Assert.Equal([3], state.Jobs.Select(j => j.Id));   // it has not ended
        Assert.Equal(4, state.LastJobId);
        Assert.Equal(at, (await store.JobAsync(1, default))!.ArchivedAt);   // since it was archived first
        await store.CommitAsync(new Changes { Archive = new ArchiveOrder(at) { Job = 3 } }, default);
        Assert.Null((await store.JobAsync(3, default))!.ArchivedAt);
    }

    [Fact]
    public async Task Jobs_of_an_older_database_are_found_with_what_the_new_ones_are()
    {
        _services = new ServiceCollection().AddLogging().AddPortalData(new DataFolder(_folder.Path)).BuildServiceProvider();
        var store = _services.GetRequiredService<IClusterStore>();
        await using (var db = await _services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync())
        {
            await db.GetService<IMigrator>().MigrateAsync("SelfService");
            await db.Database.ExecuteSqlRawAsync("""
                INSERT INTO jobs ("Id", "Request", "Caller", "Reason", "Status", "ReceivedAt", "EndedAt", "Subjects", "Error")
                VALUES (7, '{{"op":"instance.start","instance":"web1"}}', '{{"userId":"u1","name":"ada","admin":false,"face":"cli"}}', '[{{"source":"cli","text":"Kernel update","at":"2026-01-01T00:00:00+00:00"}}]', 'Error', 0, 1,
                    '["instance:web1"]', '{{"code":"node.unreachable","message":"Node N1 does not answer."}}')
                """);
            await db.Database.MigrateAsync();
        }
        Assert.Equal([7], await FoundAsync(store, new JobQuery { Text = "kernel n1 web1", Subject = "instance:web1", User = "ada", Statuses = [JobStatus.Error] }));
        var job = Assert.Single((await store.LoadAsync(default)).Jobs);
        Assert.Equal((JobPriority.Normal, 0, null), (job.Priority, job.Depends.Count, job.ArchivedAt));
    }

    [Fact]
    public async Task Among_a_hundred_thousand_jobs_a_page_is_found_at_once_and_the_start_reads_few()
    {
        const int All = 100_000, Chunk = 2000;
        var store = await OpenAsync();
        for (var from = 1; from <= All; from += Chunk)
        {
            await CommitAsync(store, [.. Enumerable.Range(from, Chunk).Select(n => Of(n, $"vm{n % 3000}", $"user{n % 50}", n % 97 == 0 ? JobStatus.Error : JobStatus.Success, n == 777 ? "the needle" : "asked for on the portal", n % 97 == 0 ? "no answer" : null))]);
        }
        var slowest = 0.0;   // CPU time where that is less, at its best of five: on a machine that others keep busy the clock says nothing
        foreach (var (name, query, count) in new (string, JobQuery, int)[]
        {
            ("newest", new(), 100), ("rare word", new() { Text = "needle" }, 1), ("no match", new() { Text = "nothing like it" }, 0), ("errors", new() { Statuses = [JobStatus.Error] }, 100),
            ("one instance", new() { Subject = "instance:vm42" }, 34), ("user, oldest page", new() { User = "user7", Before = 3000 }, 60), ("a day", new() { From = s_at, To = s_at.AddDays(1), Text = "vm1" }, 100), ("archived", new() { Archived = true, Text = "needle" }, 1),
        })
        {
            var (times, works) = (new List<double>(), new List<double>());
            for (var turn = 0; turn < 5; turn++)
            {
                var (watch, worked) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
                var found = await store.FindJobsAsync(query, null, default);
                times.Add(watch.Elapsed.TotalMilliseconds);
                works.Add((Environment.CpuUsage.TotalTime - worked).TotalMilliseconds);
                Assert.Equal(count, found.Count);
            }
            slowest = Math.Max(slowest, Math.Min(works.Min(), times.Min()));
            output.WriteLine($"{name}: {times.Min():0.0} ms ({times.Order().ElementAt(2):0.0} ms at the median of 5), {works.Min():0.0} ms of CPU time");
        }
        var one = Stopwatch.StartNew();
        Assert.Equal(34, (await store.FindJobsAsync(new JobQuery { Limit = 1000 }, (_, on, _) => on[0] == "instance:vm42", default)).Count);
        output.WriteLine($"all that somebody with one instance may see: {one.Elapsed.TotalMilliseconds:0.0} ms");
        var start = Stopwatch.StartNew();
        Assert.Equal(200, (await store.LoadAsync(default)).Jobs.Count);
        output.WriteLine($"load at start: {start.Elapsed.TotalMilliseconds:0.0} ms, 200 jobs");
        var archive = Stopwatch.StartNew();
        await store.CommitAsync(new Changes { Archive = new ArchiveOrder(s_at.AddYears(1)) { EndedBefore = s_at.AddYears(1) } }, default);
        output.WriteLine($"archive all: {archive.Elapsed.TotalMilliseconds:0.0} ms");
        start.Restart();
        Assert.Empty((await store.LoadAsync(default)).Jobs);
        output.WriteLine($"load at start when all are archived: {start.Elapsed.TotalMilliseconds:0.0} ms");
        Assert.True(slowest < 100, $"The slowest search took {slowest:0.0} ms even at its best.");
    }
}
