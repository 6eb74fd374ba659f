// Why an instance whose primary is silent is not started on its secondary by itself. Pure; one answer for the watcher, the door and the pages.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class RecoveryPolicy
{
    /// <summary>Null: nothing holds it back. Only for an instance that could be recovered otherwise.</summary>
    /// <param name="silence">Of its primary.</param>
    public static Refusal? HeldBack(Instance i, Picture now, TimeSpan silence) =>
        AgentRestarts.SilenceExpected(i.Primary, silence, now)
            ? new Refusal("recover.agent-restarts", "Its agent is being restarted.", "If that does not come back in time the instance is recovered.")
        : now.Cluster.FrozenAt is not null
            ? new Refusal("recover.frozen", "Automatic recovery is frozen because many nodes were lost at once.", "An administrator releases it (wm cluster unfreeze) once the network is known to be well.")
        : now.Cluster.RecoveryOff
            ? new Refusal("recover.cluster-off", "Automatic recovery is switched off for the cluster.", "An administrator switches it on (wm cluster modify --auto-recover on) or brings the node back.")
        : now.GroupOf(i.Primary) is { RecoveryOff: true } group
            ? new Refusal("recover.group-off", $"Automatic recovery is switched off for node group {group.Name}.", $"An administrator switches it on (wm group modify {group.Name} --auto-recover on) or brings the node back.")
        : i.RecoveryOff
            ? new Refusal("recover.instance-off", "Automatic recovery is switched off for this instance.", $"Switch it on (wm instance modify {i.Name} --auto-recover on) or bring the node back.")
        : Room.Lacks(i, i.Secondary!, now);

    /// <summary>How long a secondary may be lost before another node takes its place; null: none does by itself.</summary>
    public static TimeSpan? ReplaceAfter(Instance i, Picture now) =>
        now.Cluster.FrozenAt is null && Maintenance.Rebuilds(i.Secondary, now) ? TimeSpan.Zero
        : now.Cluster is { FrozenAt: null, ReplaceAfterSeconds: > 0 and var seconds } ? TimeSpan.FromSeconds(seconds) : null;
}

/// <summary>
/// Memory that is promised to what runs, or is about to, against what the node states. The allocator keeps room for each instance on both of
/// its nodes, so this refuses only after a node came back with less memory than it had.
/// </summary>
public static class Room
{
    /// <param name="promised">Memory there that is meant for others on their way.</param>
    public static Refusal? Lacks(Instance i, string node, Picture now, long promised = 0)
    {
        if (!now.Nodes.TryGetValue(node, out var there)) { return null; }
        var coming = now.Jobs.Values.Where(Picture.Works).Select(j => j.Request).Where(r => r is RecoverInstance or MigrateInstance).Select(r => ((InstanceRequest)r).Instance).ToHashSet(StringComparer.Ordinal);
        var used = now.Instances.Values
            .Where(o => o.Id != i.Id && ((o.Primary == node && o.Wanted == AdminState.Up) || (o.Secondary == node && coming.Contains(o.Name))))
            .Sum(o => (long)o.MemoryMiB);
        var free = Math.Max(0, there.MemoryMiB - used - promised);
        return free >= i.MemoryMiB ? null
            : new Refusal("node.no-memory", $"{node} has {free} MiB of memory left and {i.MemoryMiB} are needed.", "It is tried again when there is room: stop something there, or give the node more memory.");
    }
}
