// The one place where the picture changes: decide on the newest picture, make it durable, then show it.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Operations;

/// <summary>Serialises changes. What ChangeAsync returned as accepted is on stable storage.</summary>
public sealed class ClusterState(IClusterStore store, TimeProvider clock)
{
    private readonly AsyncGate _gate = new(1);
    private Picture? _now;

    public Picture Now => _now ?? throw new InvalidOperationException("The engine has not started.");

    public bool HasBegun => _now is not null;

    /// <summary>The engine whose lease each commit is made under.</summary>
    public Guid? Holder { get; set; }

    /// <summary>Why nothing is changed any more; null: it is.</summary>
    public Refusal? Halted { get; private set; }

    /// <summary>Raised after each commit, with the picture before and what changed; still inside the gate, so in order.</summary>
    public event Action<Picture, Changes>? Committed;

    /// <summary>Raised once.</summary>
    public event Action<Refusal>? Halting;

    public void Begin(Picture picture) => _now = picture;

    /// <summary>From here every change throws LeaseLostException: another engine works on this cluster.</summary>
    public void Halt(Refusal why)
    {
        if (Halted is not null) { return; }
        Halted = why;
        Halting?.Invoke(why);
    }

    /// <summary>
    /// Runs decide on the newest picture; what it puts into the changes is committed as one transaction. A refusal, or no changes, stores nothing.
    /// </summary>
    public async Task<Outcome<T>> ChangeAsync<T>(Func<Picture, Changes, Outcome<T>> decide, CancellationToken ct)
    {
        await _gate.EnterAsync(ct);
        try
        {
            if (Halted is not null) { throw new LeaseLostException(); }
            var changes = new Changes { Holder = Holder };
            var outcome = decide(Now, changes);
            if (!outcome.Ok || IsEmpty(changes)) { return outcome; }
            Count(changes);
            DropGrants(changes);
            changes.Removed.AddRange(changes.InstancesRemoved.Select(id => Now.Instances.GetValueOrDefault(id)).OfType<Instance>().Select(i => new RemovedInstance(i.Id, i.Name, clock.GetUtcNow())));
            Quota.Ledger.Post(Now, changes, clock.GetUtcNow());
            await CommitAsync(changes);
            var before = Now;
            _now = before.With(changes);
            Committed?.Invoke(before, changes);
            return outcome;
        }
        finally
        {
            _gate.Leave();
        }
    }

    /// <summary>What is shown beside what is stored: nothing of it is durable.</summary>
    public async Task ShowAsync(Func<Picture, Picture> show, CancellationToken ct)
    {
        await _gate.EnterAsync(ct);
        try { _now = show(Now); }
        finally { _gate.Leave(); }
    }

    private async Task CommitAsync(Changes changes)
    {
        try
        {
            await store.CommitAsync(changes, CancellationToken.None);   // once begun it is not abandoned: the picture must follow the store
        }
        catch (LeaseLostException)
        {
            Halt(new Refusal("engine.superseded", "Another portal works on this database; this one decides nothing any more.", "Stop one of the two."));
            throw;
        }
    }

    /// <summary>Decisions are numbered, so that nodes can tell an older copy of this database from it (R5).</summary>
    private void Count(Changes changes)
    {
        if (changes.Instances.Count == 0 && changes.InstancesRemoved.Count == 0) { return; }
        var cluster = changes.Cluster ?? Now.Cluster with { Revision = Now.Cluster.Revision + 1 };
        changes.Cluster = cluster with { Decisions = cluster.Decisions + 1 };
    }

    /// <summary>Rights on what is gone are gone.</summary>
    private void DropGrants(Changes changes)
    {
        if (changes.InstancesRemoved.Count == 0) { return; }
        var gone = changes.InstancesRemoved.Select(Keys.Instance).ToHashSet(StringComparer.Ordinal);
        changes.GrantsRemoved.AddRange(Now.Grants.Values.Where(g => gone.Contains(g.Target)).Select(g => g.Key));
    }

    private static bool IsEmpty(Changes c) => c is
    {
        Cluster: null, Groups.Count: 0, GroupsRemoved.Count: 0, Nodes.Count: 0, NodesRemoved.Count: 0, Instances.Count: 0, InstancesRemoved.Count: 0,
        UserGroups.Count: 0, UserGroupsRemoved.Count: 0, Grants.Count: 0, GrantsRemoved.Count: 0, Quotas.Count: 0, QuotasRemoved.Count: 0, Holdings.Count: 0,
        UserRequests.Count: 0, SshKeys.Count: 0, SshKeysRemoved.Count: 0, Templates.Count: 0, TemplatesRemoved.Count: 0,
        Jobs.Count: 0, JobLog.Count: 0, Events.Count: 0, Audit.Count: 0, Lease: null, Archive: null,
    };
}
