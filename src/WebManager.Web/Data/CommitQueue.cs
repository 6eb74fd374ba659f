// The one writer of the cluster's tables: takes what waits, writes it in one transaction, one fsync for all of them (group commit).
using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

/// <summary>A thread of its own, because SQLite's calls block while the disk works and the pool's threads carry heartbeats.</summary>
internal sealed class CommitQueue : IDisposable
{
    private const int GroupLimit = 256;
    private readonly BlockingCollection<Waiting> _waiting = [];
    private readonly IDbContextFactory<PortalDb> _dbs;
    private readonly Thread _thread;

    private sealed record Waiting(Changes Changes, CancellationToken Cancel)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Exception? Failure { get; set; }
    }

    public CommitQueue(IDbContextFactory<PortalDb> dbs)
    {
        _dbs = dbs;
        _thread = new Thread(Run) { IsBackground = true, Name = "commits" };
        _thread.Start();
    }

    public Task AddAsync(Changes changes, CancellationToken ct)
    {
        var waiting = new Waiting(changes, ct);
        ObjectDisposedException.ThrowIf(_waiting.IsAddingCompleted, this);
        _waiting.Add(waiting, CancellationToken.None);
        return waiting.Done.Task;
    }

    public void Dispose()
    {
        _waiting.CompleteAdding();
        _thread.Join();
        _waiting.Dispose();
    }

    private void Run()
    {
        Writers? writers = null;
        foreach (var first in _waiting.GetConsumingEnumerable())
        {
            List<Waiting> group = [first];
            while (group.Count < GroupLimit && _waiting.TryTake(out var next)) { group.Add(next); }
            group.RemoveAll(Cancelled);
            if (group.Count == 0) { continue; }
            try
            {
                writers ??= new Writers(_dbs.CreateDbContext());
                WriteGroup(writers, group);
                group.ForEach(Settle);
            }
            catch (Exception ex)
            {
                // The outcome of the commit is unknown to the connection: the next group gets a new one.
                writers?.Dispose();
                writers = null;
                foreach (var waiting in group) { waiting.Done.TrySetException(ex); }
            }
        }
        writers?.Dispose();
    }

    private static bool Cancelled(Waiting waiting) => waiting.Cancel.IsCancellationRequested && waiting.Done.TrySetCanceled(waiting.Cancel);

    private static void Settle(Waiting waiting)
    {
        if (waiting.Failure is null) { waiting.Done.TrySetResult(); } else { waiting.Done.TrySetException(waiting.Failure); }
    }

    private static void WriteGroup(Writers writers, List<Waiting> group)
    {
        using var transaction = writers.Begin();
        foreach (var waiting in group)
        {
            transaction.Save("one");
            try { writers.Write(waiting.Changes, transaction); }
            catch (Exception ex)
            {
                waiting.Failure = ex;
                transaction.Rollback("one");
            }
            transaction.Release("one");
        }
        transaction.Commit();
    }
}

/// <summary>The open connection and its prepared statements.</summary>
internal sealed class Writers : IDisposable
{
    private readonly PortalDb _db;
    private readonly DbConnection _connection;
    private readonly RowWriter<Cluster> _clusters;
    private readonly RowWriter<EngineLease> _leases;
    private readonly DbCommand _holder;
    private readonly RowWriter<NodeGroup> _groups;
    private readonly RowWriter<Node> _nodes;
    private readonly RowWriter<Instance> _instances;
    private readonly RowWriter<RemovedInstance> _removed;
    private readonly RowWriter<Job> _jobs;
    private readonly RowWriter<JobSearchRow> _jobSearch;
    private readonly JobArchive _archive;
    private readonly RowWriter<JobLogLine> _jobLog;
    private readonly RowWriter<ClusterEvent> _events;
    private readonly AuditWriter _audit;
    private readonly AccessWriters _access;

    public Writers(PortalDb db)
    {
        _db = db;
        db.Database.OpenConnection();
        _connection = db.Database.GetDbConnection();
        (_clusters, _nodes, _instances) = (new(db, _connection), new(db, _connection), new(db, _connection));
        (_leases, _groups, _removed) = (new(db, _connection), new(db, _connection), new(db, _connection));
        _access = new AccessWriters(db, _connection);
        _holder = _connection.CreateCommand();
        _holder.CommandText = $"SELECT \"Holder\" FROM \"engine_leases\" WHERE \"Id\" = {EngineLease.Row}";
        (_jobSearch, _archive) = (new(db, _connection), new JobArchive(_connection));
        (_jobs, _jobLog, _events, _audit) = (new(db, _connection), new(db, _connection), new(db, _connection), new AuditWriter(db, _connection));
    }

    public DbTransaction Begin() => _connection.BeginTransaction();

    public void Write(Changes changes, DbTransaction transaction)
    {
        if (changes.Holder is { } holder && HolderNow(transaction) != holder) { throw new LeaseLostException(); }
        if (changes.Lease is { } lease) { Check(_leases.Write(lease, transaction), "the lease"); }
        foreach (var name in changes.NodesRemoved) { _nodes.Delete(name, transaction); }
        foreach (var id in changes.GroupsRemoved) { _groups.Delete(id, transaction); }
        foreach (var id in changes.InstancesRemoved) { _instances.Delete(id, transaction); }
        foreach (var gone in changes.Removed) { _removed.Upsert(gone, transaction); }
        if (changes.Cluster is { } cluster) { Check(_clusters.Write(cluster, transaction), "the cluster"); }
        foreach (var group in changes.Groups) { Check(_groups.Write(group, transaction), $"node group {group.Name}"); }
        foreach (var node in changes.Nodes) { Check(_nodes.Write(node, transaction), $"node {node.Name}"); }
        foreach (var instance in changes.Instances) { Check(_instances.Write(instance, transaction), $"instance {instance.Name}"); }
        _access.Write(changes, transaction);
        foreach (var job in changes.Jobs)
        {
            _jobs.Upsert(job, transaction);
            _jobSearch.Upsert(JobSearchRow.Of(job), transaction);
        }
        if (changes.Archive is { } archive) { _archive.Run(archive, transaction); }
        foreach (var line in changes.JobLog) { _jobLog.Upsert(line, transaction); }
        foreach (var happened in changes.Events) { _events.Upsert(happened, transaction); }
        _audit.Append(changes.Audit, transaction);
    }

    private Guid? HolderNow(DbTransaction transaction)
    {
        _holder.Transaction = transaction;
        return _holder.ExecuteScalar() is string text ? Guid.Parse(text) : null;
    }

    public void Dispose()
    {
        _leases.Dispose();
        _holder.Dispose();
        _clusters.Dispose();
        _groups.Dispose();
        _nodes.Dispose();
        _instances.Dispose();
        _removed.Dispose();
        _jobs.Dispose();
        _jobSearch.Dispose();
        _archive.Dispose();
        _jobLog.Dispose();
        _events.Dispose();
        _audit.Dispose();
        _access.Dispose();
        _db.Dispose();
    }

    public static void Check(bool written, string row)
    {
        if (!written) { throw new RevisionConflictException(row); }
    }
}
