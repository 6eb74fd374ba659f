// The engine's store on the portal's database.
using Microsoft.EntityFrameworkCore;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

public sealed class EfClusterStore(IDbContextFactory<PortalDb> dbs, DataFolder folder) : IClusterStore, IDisposable
{
    private const int EndedJobsKept = 200;
    private const int EventsKept = 500;
    private const int RemovedKept = 100_000;
    private readonly CommitQueue _commits = new(dbs);

    public Task CommitAsync(Changes changes, CancellationToken ct) => _commits.AddAsync(changes, ct);

    public string Place => folder.Place;

    /// <summary>
    /// The holder worked in this folder, on this machine, and had its lock; the kernel gives a lock on only when the process that had it is gone,
    /// and this process has it now. So that engine sends nothing any more, and what it sent is covered by R4's wait after an engine's start.
    /// </summary>
    public bool IsGone(EngineLease lease) => folder.Locked && lease.Place == folder.Place;

    public async Task<EngineLease?> LeaseAsync(CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.Leases.FirstOrDefaultAsync(l => l.Id == EngineLease.Row, ct);
    }

    public async Task<StoredState> LoadAsync(CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        var cluster = await db.Clusters.OrderBy(c => c.CreatedAt).FirstOrDefaultAsync(ct);
        var nodes = await db.Nodes.OrderBy(n => n.Name).ToListAsync(ct);
        var instances = await db.Instances.OrderBy(i => i.Name).ToListAsync(ct);
        // By the narrow rows: theirs is a table of a few megabytes also when there are a hundred thousand jobs.
        JobStatus[] ended = [JobStatus.Canceled, JobStatus.Success, JobStatus.Error];
        var open = await db.JobSearch.Where(r => r.EndedAt == null && !ended.Contains(r.Status)).Select(r => r.Job).ToListAsync(ct);
        var recent = await db.JobSearch.Where(r => ended.Contains(r.Status) && r.ArchivedAt == null).OrderByDescending(r => r.Job).Take(EndedJobsKept).Select(r => r.Job).ToListAsync(ct);
        List<long> wanted = [.. open, .. recent];
        var jobs = await db.Jobs.Where(j => wanted.Contains(j.Id)).OrderBy(j => j.Id).ToListAsync(ct);
        var events = await db.Events.OrderByDescending(e => e.Id).Take(EventsKept).ToListAsync(ct);
        events.Reverse();
        return new StoredState(cluster, nodes, instances, jobs, events,
            await db.Jobs.MaxAsync(j => (long?)j.Id, ct) ?? 0, events.Count == 0 ? 0 : events[^1].Id)
        {
            Groups = await db.Groups.OrderBy(g => g.Name).ToListAsync(ct),
            UserGroups = await db.UserGroups.OrderBy(g => g.Name).ToListAsync(ct),
            Grants = await db.Grants.OrderBy(g => g.Key).ToListAsync(ct),
            Holdings = await db.Holdings.OrderBy(h => h.Owner).ToListAsync(ct),
            UserRequests = await db.UserRequests.OrderBy(r => r.At).ToListAsync(ct),
            Templates = await db.Templates.OrderBy(t => t.Name).ToListAsync(ct),
            SshKeys = await db.SshKeys.OrderBy(k => k.At).ToListAsync(ct),
            Removed = await db.Removed.OrderByDescending(r => r.At).Select(r => r.Id).Take(RemovedKept).ToListAsync(ct),
            Quotas = await db.Quotas.OrderBy(q => q.Owner).ToListAsync(ct),
        };
    }

    public async Task<IReadOnlyList<JobLogLine>> JobLogAsync(long job, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.JobLog.Where(l => l.Job == job).OrderBy(l => l.Serial).ToListAsync(ct);
    }

    public async Task<IReadOnlyList<Job>> JobsAsync(long? before, int limit, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.Jobs.Where(j => before == null || j.Id < before).OrderByDescending(j => j.Id).Take(limit).ToListAsync(ct);
    }

    public async Task<IReadOnlyList<Job>> FindJobsAsync(JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        var ids = await JobSearch.FindAsync(db, query, sees, ct);
        return await db.Jobs.Where(j => ids.Contains(j.Id)).OrderByDescending(j => j.Id).ToListAsync(ct);
    }

    public async Task<Job?> JobAsync(long id, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.Jobs.FirstOrDefaultAsync(j => j.Id == id, ct);
    }

    public async Task<IReadOnlyList<ClusterEvent>> EventsAsync(long? before, int limit, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.Events.Where(e => before == null || e.Id < before).OrderByDescending(e => e.Id).Take(limit).ToListAsync(ct);
    }

    public async Task<IReadOnlyList<Charge>> ChargesAsync(string owner, int limit, CancellationToken ct)
    {
        await using var db = await ReadAsync(ct);
        return await db.Charges.Where(c => c.Owner == owner).OrderByDescending(c => EF.Property<long>(c, AccessTables.ChargeId)).Take(limit).ToListAsync(ct);
    }

    public void Dispose() => _commits.Dispose();

    private async Task<PortalDb> ReadAsync(CancellationToken ct)
    {
        var db = await dbs.CreateDbContextAsync(ct);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        return db;
    }
}
