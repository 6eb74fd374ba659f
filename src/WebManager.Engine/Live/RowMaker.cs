// Keeps the feeds equal to the picture and the nodes' reports.
using System.Collections.Concurrent;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Live;

internal sealed class RowMaker(ClusterState state, NodeBook nodes, ClusterFeeds feeds, EventBook events, IPowerControl power, IPeople people)
{
    private readonly ConcurrentDictionary<string, NodeHealth> _told = [];
    private readonly ConcurrentDictionary<Guid, string> _unreplaced = [];
    private readonly AccessRows _access = new(state, feeds, people);

    public void OnCommitted(Picture before, Changes changes)
    {
        if (changes.Cluster is { } cluster && RowOf(cluster) != RowOf(before.Cluster)) { SetCluster(); }
        foreach (var job in changes.Jobs) { SetJob(job, changes.JobLog.Count(l => l.Job == job.Id)); }
        foreach (var line in changes.JobLog) { SetLine(line, counted: changes.Jobs.Any(j => j.Id == line.Job)); }
        foreach (var id in Touched(before, changes)) { SetInstance(id); }
        foreach (var node in TouchedNodes(before, changes)) { SetNode(node); }
        foreach (var node in changes.Jobs.Select(j => j.Request).OfType<RestartAgent>().Select(r => r.Node).Where(n => feeds.Nodes.Find(n) is { } row && row.AgentRestart != AgentRestarts.Of(n, state.Now)).Distinct()) { SetNode(node); }
        if (changes.Groups.Count + changes.GroupsRemoved.Count + changes.Nodes.Count + changes.NodesRemoved.Count > 0) { SetGroups(before); }
        foreach (var i in Regrouped(before, changes)) { SetInstance(i.Id); }
        foreach (var i in OfRenamed(before, changes)) { SetInstance(i); }
        if (!ReferenceEquals(before.Found, state.Now.Found)) { ShowFound(); }
        _access.OnCommitted(before, changes);
        Forget(before, changes);
    }

    /// <summary>Instances of groups that are called otherwise now.</summary>
    private List<Guid> OfRenamed(Picture before, Changes changes)
    {
        var renamed = changes.UserGroups.Where(g => before.UserGroups.TryGetValue(g.Id, out var old) && old.Name != g.Name).Select(g => Keys.Group(g.Id)).ToHashSet(StringComparer.Ordinal);
        return renamed.Count == 0 ? [] : [.. state.Now.Instances.Values.Where(i => renamed.Contains(i.Owner)).Select(i => i.Id)];
    }

    /// <summary>Also when nothing is found any more.</summary>
    public void ShowFound() => FoundRows.Show(feeds.Found, state.Now, people);

    public OwnerRow? OwnerRow(string owner) => _access.RowOf(owner);

    /// <summary>Somebody's name or account has changed.</summary>
    public void OnPeople()
    {
        if (!state.HasBegun) { return; }
        foreach (var id in state.Now.Instances.Keys) { SetInstance(id); }
        _access.All();
        feeds.Recheck();
    }

    public void OnNode(NodeWatch watch, NodeHealth old)
    {
        SetNode(watch.Name);
        var suspects = new HashSet<string>(StringComparer.Ordinal);
        foreach (var instance in state.Now.On(watch.Name))
        {
            SetInstance(instance.Id);
            // Only the primary knows that a copy fails.
            if (instance is { Secondary: { } other } && instance.Primary == watch.Name && (feeds.Nodes.Find(other)?.DiskFault is not null || watch.ReportOf(instance.Id)?.CopyFault is not null)) { suspects.Add(other); }
        }
        foreach (var suspect in suspects) { SetNode(suspect); }
        if (watch.Health != old && watch.LastContact is not null) { TellHealth(watch); }
    }

    /// <summary>Instances whose text depends on what changed of their nodes' groups and locations.</summary>
    private List<Instance> Regrouped(Picture before, Changes changes)
    {
        var everywhere = changes.Groups.Count > 0 || (changes.Cluster is { } c && !ReferenceEquals(c.Tags, before.Cluster.Tags));
        var moved = changes.Nodes.Where(n => before.Nodes.TryGetValue(n.Name, out var old) && (old.Group != n.Group || !ReferenceEquals(old.Tags, n.Tags))).Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        return !everywhere && moved.Count == 0 ? []
            : [.. state.Now.Instances.Values.Where(i => i.Secondary is { } s && (everywhere || moved.Contains(i.Primary) || moved.Contains(s)))];
    }

    private void SetGroups(Picture before)
    {
        var counts = state.Now.Nodes.Values.CountBy(n => n.Group).ToDictionary();
        foreach (var g in state.Now.Groups.Values)
        {
            var row = new GroupRow(g.Id, g.Name, !g.RecoveryOff, counts.GetValueOrDefault(g.Id));
            if (feeds.Groups.Find(g.Id) != row) { feeds.Groups.Set(g.Id, row); }
        }
        foreach (var gone in before.Groups.Keys.Where(id => !state.Now.Groups.ContainsKey(id))) { feeds.Groups.Set(gone, null); }
    }

    public void All()
    {
        SetCluster();
        SetGroups(state.Now);
        foreach (var job in state.Now.Jobs.Values) { SetJob(job, 0); }
        foreach (var id in state.Now.Instances.Keys) { SetInstance(id); }
        foreach (var node in state.Now.Nodes.Keys) { SetNode(node); }
        _access.All();
    }

    /// <summary>Why the watcher could not replace its secondary; null: it could. True: so far it was not known that it cannot.</summary>
    public bool Unreplaced(Guid id, string? why)
    {
        var before = _unreplaced.GetValueOrDefault(id);
        if (before == why) { return false; }
        if (why is null) { _unreplaced.TryRemove(id, out _); }
        else { _unreplaced[id] = why; }
        SetInstance(id);
        return before is null;
    }

    public Observed See(Instance i)
    {
        var seen = new Observed(i, nodes.HealthOf(i.Primary), nodes.ReportOf(i.Primary, i.Id), i.Secondary is null ? null : nodes.HealthOf(i.Secondary), nodes.ReportOf(i.Secondary, i.Id))
        {
            SecondaryAway = nodes.Find(i.Secondary)?.Away, Unreplaced = _unreplaced.GetValueOrDefault(i.Id), ReplaceAfter = RecoveryPolicy.ReplaceAfter(i, state.Now),
            SecondaryRestarts = nodes.HealthOf(i.Secondary) is NodeHealth.Suspect or NodeHealth.Lost && AgentRestarts.SilenceExpected(i.Secondary, nodes.SilenceOf(i.Secondary), state.Now),
            PrimaryFault = DiskFaultsOf.Node(i.Primary, state.Now, nodes), SecondaryFault = DiskFaultsOf.Node(i.Secondary, state.Now, nodes),
        };
        return seen.Recoverable ? seen with { HeldBack = RecoveryPolicy.HeldBack(i, state.Now, nodes.SilenceOf(i.Primary)) } : seen;
    }

    private static ClusterRow RowOf(Cluster c) => new(c.Name, !c.RecoveryOff, c.FrozenAt, c.FrozenText) { ReplaceAfterSeconds = c.ReplaceAfterSeconds, Tags = c.Tags, MaxRunningJobs = c.MaxRunningJobs, MaxOpenJobs = c.MaxOpenJobs, QueueDrained = c.QueueDrained };

    /// <summary>The texts of instances that wait for a lost node depend on it.</summary>
    private void SetCluster()
    {
        var cluster = state.Now.Cluster;
        feeds.Cluster.Set(cluster.Id, RowOf(cluster));
        foreach (var i in state.Now.Instances.Values.Where(i => nodes.HealthOf(i.Primary) != NodeHealth.Online)) { SetInstance(i.Id); }
    }

    /// <summary>Joining is no news for people, and neither is the first answer of a node that was never missed.</summary>
    private void TellHealth(NodeWatch watch)
    {
        var old = _told.GetValueOrDefault(watch.Name, NodeHealth.Online);
        if (watch.Health == NodeHealth.Joining || watch.Health == old) { return; }
        _told[watch.Name] = watch.Health;
        var expected = Maintenance.AwayExpected(watch.Name, state.Now);
        var restarts = watch.Health is NodeHealth.Suspect or NodeHealth.Lost && AgentRestarts.SilenceExpected(watch.Name, watch.Silence, state.Now);
        var bad = watch.Health is NodeHealth.Suspect or NodeHealth.Lost && !expected && !restarts;
        var text = restarts ? $"{watch.Name} is silent: its agent is being restarted." : expected && watch.Health == NodeHealth.Lost ? $"{watch.Name} is away; it is in maintenance and runs nothing." : watch.Health switch
        {
            NodeHealth.Online => $"{watch.Name} answers again.",
            NodeHealth.Suspect => $"{watch.Name} is silent.",
            NodeHealth.Lost => $"{watch.Name} is lost: silent for longer than its guests may run.",
            NodeHealth.Offline => $"{watch.Name} is set offline.",
            NodeHealth.Joining => $"{watch.Name} is joining.",
        };
        events.Add("node.health", bad ? Severity.Error : Severity.Info, $"node:{watch.Name}", text, old.ToString().ToLowerInvariant(), watch.Health.ToString().ToLowerInvariant());
    }

    private static HashSet<Guid> Touched(Picture before, Changes changes)
    {
        var ids = changes.Instances.Select(i => i.Id).Concat(changes.InstancesRemoved).ToHashSet();
        foreach (var job in changes.Jobs)
        {
            if (job.Request is InstanceRequest r && before.With(changes).Find(r.Instance) is { } instance) { ids.Add(instance.Id); }
        }
        return ids;
    }

    private static HashSet<string> TouchedNodes(Picture before, Changes changes)
    {
        var names = changes.Nodes.Select(n => n.Name).Concat(changes.NodesRemoved).ToHashSet(StringComparer.Ordinal);
        foreach (var g in changes.Groups) { names.UnionWith(before.Nodes.Values.Where(n => n.Group == g.Id).Select(n => n.Name)); }   // their rows have its name
        foreach (var i in changes.Instances.Concat(changes.Instances.Select(i => i.Id).Concat(changes.InstancesRemoved).Select(id => before.Instances.GetValueOrDefault(id)).OfType<Instance>()))
        {
            names.Add(i.Primary);
            if (i.Secondary is not null) { names.Add(i.Secondary); }
            names.UnionWith(i.OldCopies);
        }
        return names;
    }

    private void SetInstance(Guid id)
    {
        if (!state.Now.Instances.TryGetValue(id, out var i))
        {
            feeds.Instances.Set(id, null);
            _unreplaced.TryRemove(id, out _);
            return;
        }
        var (seen, job, old) = (See(i), state.Now.WorkOn(i.Name) ?? state.Now.OpenJobOf(i.Name), feeds.Instances.Find(id));
        var status = Status.Of(seen, job is not null && (Picture.Works(job) || job.Depends.Count == 0) ? job.Request : null);
        var copying = seen.AtPrimary is { Mirror: MirrorPhase.Copying } && i.Generation?.Sync == SyncState.Alone;
        var mirror = copying ? MirrorState.Resynchronising : i.Mirror;
        var nic = i.Nics.Count > 0 ? i.Nics[0] : null;
        var row = new InstanceRow(i.Id, i.Name, i.Owner.Length == 0 ? "" : Subjects.Name(i.Owner, state.Now, people), i.Image, i.Vcpus, i.MemoryMiB, i.DiskMiB, i.Template, i.Primary, i.Secondary, i.Wanted, status, mirror,
            copying ? seen.AtPrimary!.CopyPercent : null, nic?.Ip?.Split('/')[0], nic?.Mac, seen.AtPrimary?.StartedAt, i.CreatedAt, job?.Id,
            i.Doubt is null ? Status.Text(seen, status) : Doubts.Text(i, nodes.WitnessesOf(id)), i.Generation?.Number ?? 0)
        {
            OwnerKey = i.Owner, InDoubt = i.Doubt is not null, OldCopies = i.Candidate is { } c ? [.. i.OldCopies.Where(n => n != c.Secondary)] : i.OldCopies, PairText = Placement.Pairs.Fault(i, state.Now, Placement.Locations.Rules(state.Now.Cluster)) is { } f ? $"{f.Message} {f.Remedy}" : null,
            AutoRecover = !i.RecoveryOff, Priority = i.Priority, HeldBack = seen.HeldBack?.Code, GaveUpAt = i.GaveUpAt, LastRecovery = i.LastRecovery,
            DiskFault = Status.DiskFault(seen),
            MigrationPercent = status == InstanceStatus.Migrating && seen.AtPrimary?.Migration is { Phase: MigrationPhase.Sending } sending ? Math.Floor(sending.Percent) : null,
        };
        row = row with { Tags = Access.OwnerTags.All(i, state.Now, people), Missing = job is null && seen.Missing };
        feeds.Instances.Set(id, row);
        if (job is { Status: JobStatus.Running or JobStatus.Canceling }) { Progress(job.Id, row); }
        if (old is not null) { Tell(old, row); }
    }

    /// <summary>How far its copy or its migration is, is how far its job is. Under the feed's lock: the job may end meanwhile.</summary>
    private void Progress(long job, InstanceRow i)
    {
        var progress = i.MigrationPercent is { } sent ? new JobProgress(sent, "of the memory is sent") : i.MirrorPercent is { } copied ? new JobProgress(Math.Floor(copied), "of the disks is copied") : null;
        feeds.Jobs.Change(job, row => row.EndedAt is null ? row with { Progress = progress } : row);
    }

    private void Tell(InstanceRow old, InstanceRow row)
    {
        if (old.Status != row.Status)
        {
            var bad = row.Status is InstanceStatus.ErrorDown or InstanceStatus.ErrorUp or InstanceStatus.NodeDown or InstanceStatus.Failed or InstanceStatus.Paused or InstanceStatus.Recovering;
            events.Add("instance.status", bad ? Severity.Warning : Severity.Info, $"instance:{row.Name}", $"{row.Name}: {row.Text ?? Said(row.Status) + " on " + row.Primary}.".Replace("..", ".", StringComparison.Ordinal), Word(old.Status), Word(row.Status), row.Job);
        }
        if (row.DiskFault is { } fault && old.DiskFault is null)
        {
            events.Add("instance.disk-error", Severity.Error, $"instance:{row.Name}", $"{row.Name}: {fault}", null, null, row.Job);
        }
        if (row.InDoubt && !old.InDoubt)
        {
            events.Add("instance.in-doubt", Severity.Warning, $"instance:{row.Name}", $"{row.Name}: {row.Text}", null, null, row.Job);
        }
        // What holds all of them back is told once, for the cluster.
        if (old.HeldBack != row.HeldBack && row.HeldBack is "recover.instance-off" or "node.no-memory")
        {
            events.Add("instance.held-back", Severity.Warning, $"instance:{row.Name}", $"{row.Name} is not recovered: {row.Text}", null, row.HeldBack, row.Job);
        }
        if (old.Mirror != row.Mirror && row.Mirror != MirrorState.None)
        {
            events.Add("mirror.state", row.Mirror == MirrorState.Degraded ? Severity.Warning : Severity.Info, $"instance:{row.Name}", $"{row.Name}: mirror {Said(row.Mirror)} ({row.Primary}/{row.Secondary}).", Word(old.Mirror), Word(row.Mirror), row.Job);
        }
    }

    /// <summary>For people, as the pages say it.</summary>
    private static string Said(InstanceStatus status) => status switch
    {
        InstanceStatus.AdminDown => "stopped",
        InstanceStatus.ErrorDown => "down",
        InstanceStatus.ErrorUp => "up though not wanted",
        InstanceStatus.NodeDown => "node lost",
        InstanceStatus.NodeOffline => "node offline",
        InstanceStatus.Creating or InstanceStatus.Running or InstanceStatus.Starting or InstanceStatus.Paused or InstanceStatus.Recovering
            or InstanceStatus.Removing or InstanceStatus.Failed or InstanceStatus.Migrating => Word(status),
    };

    private static string Said(MirrorState mirror) => mirror == MirrorState.InSync ? "in sync" : Word(mirror);

    /// <summary>As on the wire: camelCase.</summary>
    private static string Word<T>(T state) where T : struct, Enum
    {
        var name = state.ToString();
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private void SetNode(string name)
    {
        if (!state.Now.Nodes.TryGetValue(name, out var node)) { feeds.Nodes.Set(name, null); return; }
        var (watch, here) = (nodes.Find(name), state.Now.On(name).ToList());
        var health = watch?.Health ?? NodeHealth.Joining;
        var note = health is NodeHealth.Suspect or NodeHealth.Lost && watch?.LastContact is { } last ? $"Silent since {last:HH:mm:ss} UTC." : null;
        var (fault, before) = (DiskFaultsOf.Node(name, state.Now, nodes), feeds.Nodes.Find(name));
        feeds.Nodes.Set(name, new NodeRow(name, node.Address, health, node.Drained, watch?.Hello?.Hypervisor, watch?.Hello?.HypervisorNote, watch?.Hello?.Version,
            node.Cpus, node.MemoryMiB, node.DiskMiB, here.Where(i => i.Primary == name).Sum(i => (long)i.MemoryMiB), here.Sum(i => i.DiskMiB) + state.Now.OldCopiesOn(name).Sum(i => i.DiskMiB),
            here.Count(i => i.Primary == name), here.Count(i => i.Secondary == name), ContactShown(health, watch), note ?? fault) { DrainedWhy = node.DrainedWhy, CanPowerOff = power.Can(name), DiskFault = fault, Maintenance = node.Maintenance, AgentRestart = AgentRestarts.Of(name, state.Now), Keeper = watch?.LastReply?.Keeper, Group = state.Now.GroupOf(name)?.Name ?? "", Tags = node.Tags });
        if (fault is not null && before is { DiskFault: null }) { events.Add("node.disk", Severity.Error, $"node:{name}", $"{name}: {fault} Nothing new is placed there.", "works", "fails"); }
        if (fault is null && health == NodeHealth.Online && before is { DiskFault: not null }) { events.Add("node.disk", Severity.Info, $"node:{name}", $"{name}: its disks work again.", "fails", "works"); }
    }

    /// <summary>While a node answers, its last contact is "now" and not a change every half second.</summary>
    private static DateTimeOffset? ContactShown(NodeHealth health, NodeWatch? watch) => health == NodeHealth.Online ? null : watch?.LastContact;

    private void SetJob(Job job, int newLines)
    {
        var lines = (feeds.Jobs.Find(job.Id)?.LogLines ?? 0) + newLines;
        var progress = job.Ended ? null : feeds.Jobs.Find(job.Id)?.Progress;
        feeds.Jobs.Set(job.Id, new JobRow(job.Id, job.Request.Name, $"{job.Request.Name} {string.Join(' ', job.Subjects.Select(Named))}", job.Status, job.Caller.Name,
            job.Reason.Count > 0 ? job.Reason[0].Text : "", job.ReceivedAt, job.EndedAt, job.Step, job.Error?.Message, job.Error?.Remedy, lines) { Progress = progress, Priority = job.Priority, Depends = job.Depends, CanceledBy = job.CanceledBy, Recovery = job.Recovery, ById = job.Caller.UserId, Subjects = job.Subjects });
    }

    /// <summary>"instance:web1" as web1; a key by the name of what it stands for.</summary>
    private string Named(string subject) => Subjects.Name(subject, state.Now, people) is var name && name != subject ? name : subject[(subject.IndexOf(':') + 1)..];

    public void Show(JobLogLine line) => SetLine(line, counted: false);

    private void SetLine(JobLogLine line, bool counted)
    {
        feeds.JobLog.Set((line.Job, line.Serial), line);
        if (!counted && feeds.Jobs.Find(line.Job) is { } row) { feeds.Jobs.Set(line.Job, row with { LogLines = row.LogLines + 1 }); }
    }

    /// <summary>Rows of jobs that the picture no longer keeps.</summary>
    private void Forget(Picture before, Changes changes)
    {
        if (changes.Archive is null && state.Now.Jobs.Count >= before.Jobs.Count) { return; }
        foreach (var gone in before.Jobs.Keys.Where(id => !state.Now.Jobs.ContainsKey(id)))
        {
            var lines = feeds.Jobs.Find(gone)?.LogLines ?? 0;
            feeds.Jobs.Set(gone, null);
            for (var serial = 1; serial <= lines; serial++) { feeds.JobLog.Set((gone, serial), null); }
        }
    }

}
