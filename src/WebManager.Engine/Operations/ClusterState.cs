// The one place where the picture changes: decide on the newest picture, make it durable, then show it.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Engine.Threading;

namespace WebManager.Engine.Operations;

/// <summary>Serialises changes. What ChangeAsync returned as accepted is on stable storage.</summary>
public sealed class ClusterState(IClusterStore store)
{
    private readonly AsyncGate _gate = new(1);
    private Picture? _now;

    public Picture Now => _now ?? throw new InvalidOperationException("The engine has not started.");

    /// <summary>Raised after each commit, with the picture before and what changed; still inside the gate, so in order.</summary>
    public event Action<Picture, Changes>? Committed;

    public void Begin(Picture picture) => _now = picture;

    /// <summary>
    /// Runs decide on the newest picture; what it puts into the changes is committed as one transaction. A refusal, or no changes, stores nothing.
    /// </summary>
    public async Task<Outcome<T>> ChangeAsync<T>(Func<Picture, Changes, Outcome<T>> decide, CancellationToken ct)
    {
        await _gate.EnterAsync(ct);
        try
        {
            var changes = new Changes();
            var outcome = decide(Now, changes);
            if (!outcome.Ok || IsEmpty(changes)) { return outcome; }
            await store.CommitAsync(changes, CancellationToken.None);   // once begun it is not abandoned: the picture must follow the store
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

    private static bool IsEmpty(Changes c) => c is
    {
        Cluster: null, Nodes.Count: 0, NodesRemoved.Count: 0, Instances.Count: 0, InstancesRemoved.Count: 0,
        Jobs.Count: 0, JobLog.Count: 0, Events.Count: 0, Audit.Count: 0,
    };
}
