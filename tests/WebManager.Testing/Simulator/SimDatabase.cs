// The database of the simulated portal: survives its crashes, takes each commit whole or not at all.
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Testing.Simulator;

public sealed class SimDatabase(SimWorld world, string place = "here")
{
    private SortedDictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private Dictionary<Guid, NodeGroup> _groups = [];
    private Dictionary<Guid, Instance> _instances = [];
    private SortedDictionary<long, Job> _jobs = [];
    private Dictionary<long, List<JobLogLine>> _jobLog = [];
    private SortedDictionary<long, ClusterEvent> _events = [];
    private Cluster? _cluster;
    private Picture _access = new(new Cluster(Guid.Empty, "", 0, default, 0));

    /// <summary>Where it lies: a copy lies somewhere else, as does what was restored from a backup.</summary>
    public string Place { get; } = place;

    public EngineLease? Lease { get; private set; }

    /// <summary>As now, for a backup or a second portal; its own history from here.</summary>
    public SimDatabase Copy(string at, EngineLease? lease) => new(world, at)
    {
        _nodes = new(_nodes, StringComparer.Ordinal), _groups = new(_groups), _instances = new(_instances), _jobs = new(_jobs),
        _jobLog = _jobLog.ToDictionary(l => l.Key, l => l.Value.ToList()), _events = new(_events), _cluster = _cluster, _access = _access, Lease = lease,
    };

    /// <summary>What was written since the backup is forgotten, as by `wm restore`.</summary>
    public void Restore(SimDatabase backup)
    {
        var copy = backup.Copy(Place, backup.Lease);
        (_nodes, _groups, _instances, _jobs, _jobLog, _events, _cluster, _access, Lease) = (copy._nodes, copy._groups, copy._instances, copy._jobs, copy._jobLog, copy._events, copy._cluster, copy._access, copy.Lease);
    }

    public IReadOnlyCollection<Instance> Instances => [.. _instances.Values.OrderBy(i => i.Name, StringComparer.Ordinal)];
    public IReadOnlyCollection<Node> Nodes => _nodes.Values;
    public IReadOnlyCollection<Job> Jobs => _jobs.Values;
    public IReadOnlyCollection<ClusterEvent> ClusterEvents => _events.Values;
    public List<AuditEntry> Audit { get; } = [];
    public List<Charge> Charges { get; } = [];
    public int Commits { get; private set; }
    public Cluster? Cluster => _cluster;

    /// <summary>A row that is wrong, as after a mistake of an earlier version.</summary>
    public void Spoil(Holding wrong) => _access = _access with { Holdings = _access.Holdings.SetItem(wrong.Owner, wrong) };

    public Instance? Find(Guid id) => _instances.GetValueOrDefault(id);
    public Instance? Find(string name) => _instances.Values.FirstOrDefault(i => i.Name == name);
    public Job? Job(long id) => _jobs.GetValueOrDefault(id);
    public IReadOnlyList<JobLogLine> LogOf(long job) => _jobLog.TryGetValue(job, out var lines) ? [.. lines] : [];

    public StoredState Load() => new(_cluster, [.. _nodes.Values], [.. Instances],
        [.. _jobs.Values.Where(j => !j.Ended), .. _jobs.Values.Where(j => j is { Ended: true, ArchivedAt: null }).TakeLast(200)], [.. _events.Values.TakeLast(500)],
        _jobs.Count == 0 ? 0 : _jobs.Keys.Last(), _events.Count == 0 ? 0 : _events.Keys.Last())
    {
        Groups = [.. _groups.Values.OrderBy(g => g.Name, StringComparer.Ordinal)],
        UserGroups = [.. _access.UserGroups.Values], Grants = [.. _access.Grants.Values], Holdings = [.. _access.Holdings.Values], Quotas = [.. _access.Quotas.Values], UserRequests = [.. _access.UserRequests.Values], SshKeys = [.. _access.SshKeys.Values], Templates = [.. _access.Templates.Values], Removed = [.. _access.Removed],
    };

    public void Apply(Changes changes)
    {
        if (changes.Holder is { } holder && Lease?.Holder != holder) throw new LeaseLostException();
        CheckRevisions(changes);
        if (changes.Lease is { } lease) Lease = lease;
        if (changes is { Lease: not null, Cluster: null }) return;   // a renewal
        Commits++;
        if (changes.Cluster is { } cluster) _cluster = cluster;
        _access = _access.With(changes) with { Instances = _access.Instances.Clear(), Names = _access.Names.Clear(), Jobs = _access.Jobs.Clear(), Nodes = _access.Nodes.Clear() };
        Charges.AddRange(changes.Charges);
        foreach (var group in changes.Groups) _groups[group.Id] = group;
        foreach (var id in changes.GroupsRemoved) _groups.Remove(id);
        foreach (var node in changes.Nodes) _nodes[node.Name] = node;
        foreach (var name in changes.NodesRemoved) _nodes.Remove(name);
        foreach (var instance in changes.Instances)
        {
            world.Name(instance.Id, instance.Name);
            world.Truth.Stored(_instances.GetValueOrDefault(instance.Id), instance);
            if (_instances.GetValueOrDefault(instance.Id)?.Generation != instance.Generation) world.Log($"stored: {instance.Name} {instance.Generation}, start ordered {instance.StartOrdered}");
            _instances[instance.Id] = instance;
        }

        foreach (var id in changes.InstancesRemoved) _instances.Remove(id);
        foreach (var job in changes.Jobs) Keep(job);
        if (changes.Archive is { } archive) foreach (var job in _jobs.Values.Where(archive.Means).ToList()) _jobs[job.Id] = job with { ArchivedAt = archive.At };
        foreach (var line in changes.JobLog)
        {
            if (!_jobLog.TryGetValue(line.Job, out var lines)) _jobLog[line.Job] = lines = [];
            lines.Add(line);
            world.Log($"job {line.Job}: {line.Text}");
        }

        foreach (var happened in changes.Events)
        {
            _events[happened.Id] = happened;
            world.Happened(happened.Kind, happened.Subject, happened.From, happened.To);
        }

        Audit.AddRange(changes.Audit);
    }

    private void Keep(Job job)
    {
        if (_jobs.GetValueOrDefault(job.Id)?.Status != job.Status)
            world.Log($"job {job.Id} {job.Request.Name} {string.Join(" ", job.Subjects)}: {job.Status}{(job.Error is { } e ? $" {e.Code}: {e.Message}" : "")}");
        world.Check(_jobs.GetValueOrDefault(job.Id) is not { Ended: true } || job.Ended, $"Job {job.Id} had ended and is {job.Status} again.");
        _jobs[job.Id] = job;
    }

    private void CheckRevisions(Changes changes)
    {
        if (changes.Lease is { } lease) Check("lease", Lease?.Revision, lease.Revision);
        if (changes.Cluster is { } cluster) Check("cluster", _cluster?.Revision, cluster.Revision);
        foreach (var node in changes.Nodes) Check($"node {node.Name}", _nodes.GetValueOrDefault(node.Name)?.Revision, node.Revision);
        foreach (var g in changes.Groups) Check($"group {g.Name}", _groups.GetValueOrDefault(g.Id)?.Revision, g.Revision);
        foreach (var g in changes.UserGroups) Check($"user group {g.Name}", _access.UserGroups.GetValueOrDefault(g.Id)?.Revision, g.Revision);
        foreach (var h in changes.Holdings) Check($"holding {h.Owner}", _access.Holdings.GetValueOrDefault(h.Owner)?.Revision, h.Revision);
        foreach (var t in changes.Templates) Check($"template {t.Name}", _access.Templates.GetValueOrDefault(t.Id)?.Revision, t.Revision);
        foreach (var i in changes.Instances) Check($"instance {i.Name}", _instances.GetValueOrDefault(i.Id)?.Revision, i.Revision);
    }

    private static void Check(string row, long? stored, long given)
    {
        if (given != (stored ?? 0) + 1) throw new RevisionConflictException(row);
    }
}

/// <summary>One engine's connection to the database. A dead engine's calls never return and change nothing more.</summary>
public sealed class SimStore(SimWorld world, Life portal, SimDatabase? at = null) : IClusterStore
{
    public SimDatabase Database { get; } = at ?? world.Database;
    public string Place => Database.Place;

    /// <summary>Two portals cannot run in one folder: whoever holds its lock knows that the one before has ended.</summary>
    public bool IsGone(EngineLease lease) => world.OnePortalAFolder && lease.Place == Place && !world.Portals.Any(p => !p.Dead && p.Store.Database == Database && p.Store != this);

    public async Task<EngineLease?> LeaseAsync(CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return Database.Lease;
    }

    private Task _last = Task.CompletedTask;

    /// <summary>Ends the portal inside the next commit: before it is durable, or after, but before the engine hears of it.</summary>
    public Action<bool>? AroundCommit { get; set; }

    public async Task<StoredState> LoadAsync(CancellationToken ct)
    {
        await TakeAsync(1, 5);
        return Database.Load();
    }

    public Task CommitAsync(Changes changes, CancellationToken ct)
    {
        world.Scheduler.CheckThread();
        var mine = CommitAsync(_last, changes);
        _last = mine;
        return mine;
    }

    private async Task CommitAsync(Task before, Changes changes)
    {
        try { await before; } catch (Exception ex) when (ex is RevisionConflictException or LeaseLostException) { }
        await TakeAsync(0.5, 6);
        if (world.PortalDisk.More() is { Ticks: > 0 } more) await world.DelayAsync(more);
        Say("storing", changes);
        AroundCommit?.Invoke(false);
        await AliveAsync();
        Database.Apply(changes);
        Say("stored", changes);
        AroundCommit?.Invoke(true);
        await TakeAsync(0.1, 1);
    }

    private void Say(string kind, Changes changes)
    {
        if (!world.Moments.Awaited) return;
        foreach (var instance in changes.Instances) world.Moments.Now(kind, instance.Name);
    }

    public async Task<IReadOnlyList<JobLogLine>> JobLogAsync(long job, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return Database.LogOf(job);
    }

    public async Task<IReadOnlyList<Job>> JobsAsync(long? before, int limit, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return [.. Database.Jobs.Where(j => before is null || j.Id < before).OrderByDescending(j => j.Id).Take(limit)];
    }

    public async Task<IReadOnlyList<Job>> FindJobsAsync(JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return [.. Database.Jobs.Where(j => (query.Archived || j.ArchivedAt is null) && (query.Before is null || j.Id < query.Before) && (sees?.Invoke(j.Caller.UserId, j.Subjects, j.EndedAt) ?? true)).OrderByDescending(j => j.Id).Take(query.Limit)];
    }

    public async Task<Job?> JobAsync(long id, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return Database.Job(id);
    }

    public async Task<IReadOnlyList<ClusterEvent>> EventsAsync(long? before, int limit, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return [.. Database.ClusterEvents.Where(e => before is null || e.Id < before).OrderByDescending(e => e.Id).Take(limit)];
    }

    public async Task<IReadOnlyList<Charge>> ChargesAsync(string owner, int limit, CancellationToken ct)
    {
        await TakeAsync(0.1, 1);
        return [.. Database.Charges.Where(c => c.Owner == owner).Reverse().Take(limit)];
    }

    private async Task TakeAsync(double fromMs, double toMs)
    {
        world.Scheduler.CheckThread();
        await AliveAsync();
        await world.DelayAsync(world.Between(fromMs, toMs));
        await AliveAsync();
    }

    private Task AliveAsync() => portal.Dead ? new TaskCompletionSource().Task : Task.CompletedTask;
}
