// One word and one sentence for an instance's state. Pure.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class Status
{
    public static InstanceStatus Of(Observed seen, OperationRequest? job) => seen.Instance.Stage switch
    {
        LifeStage.Creating => InstanceStatus.Creating,
        LifeStage.Removing => InstanceStatus.Removing,
        LifeStage.Failed => InstanceStatus.Failed,
        LifeStage.Ready when job is RecoverInstance => InstanceStatus.Recovering,
        // While the record already names the other node and its guest does not run yet, too: it stands still for a moment only.
        LifeStage.Ready when job is MigrateInstance && seen is { Primary: NodeHealth.Online, Instance.Wanted: AdminState.Up } => InstanceStatus.Migrating,
        LifeStage.Ready => OfReady(seen, job),
    };

    private static InstanceStatus OfReady(Observed seen, OperationRequest? job)
    {
        var wantedUp = seen.Instance.Wanted == AdminState.Up;
        return (seen.Primary, seen.AtPrimary?.Guest) switch
        {
            (NodeHealth.Offline, _) => wantedUp ? InstanceStatus.NodeOffline : InstanceStatus.AdminDown,
            (NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Joining, _) => wantedUp ? InstanceStatus.NodeDown : InstanceStatus.AdminDown,
            (NodeHealth.Online, GuestPhase.Running or GuestPhase.Stopping) => wantedUp || job is not null ? InstanceStatus.Running : InstanceStatus.ErrorUp,
            (NodeHealth.Online, GuestPhase.Paused) => InstanceStatus.Paused,
            (NodeHealth.Online, GuestPhase.Starting) => InstanceStatus.Starting,
            (NodeHealth.Online, null or GuestPhase.Absent) => !wantedUp ? InstanceStatus.AdminDown : job is null or StopInstance ? InstanceStatus.ErrorDown : InstanceStatus.Starting,
        };
    }

    /// <summary>Why it is not as wanted and what helps; null when all is well.</summary>
    public static string? Text(Observed seen, InstanceStatus status)
    {
        var i = seen.Instance;
        return status switch
        {
            InstanceStatus.Failed => i.FailureText,
            InstanceStatus.NodeDown or InstanceStatus.NodeOffline => Waits(seen),
            InstanceStatus.ErrorDown => i.FailureText ?? "It should run but does not; it is started again by itself.",
            InstanceStatus.ErrorUp => "It should be stopped but runs.",
            InstanceStatus.Paused => seen.AtPrimary?.MirrorText ?? "Its disk does not answer; it goes on as soon as that is settled.",
            InstanceStatus.Recovering => $"{i.Primary} is being given over to.",
            InstanceStatus.Creating or InstanceStatus.Running or InstanceStatus.Starting or InstanceStatus.AdminDown or InstanceStatus.Removing or InstanceStatus.Migrating => null,
        };
    }

    private static string Waits(Observed seen)
    {
        var i = seen.Instance;
        var node = seen.Primary == NodeHealth.Offline ? $"Its node {i.Primary} is set offline" : $"Its node {i.Primary} does not answer";
        return i.Template switch
        {
            DiskTemplate.Diskless or DiskTemplate.File => $"{node}. It has no copy elsewhere and waits for the node.",
            DiskTemplate.Mirror when i.GaveUpAt is not null => $"{node}. {i.FailureText}",
            DiskTemplate.Mirror when i.Generation is { Sync: SyncState.Alone } => $"{node}, and the copy on {i.Secondary} is not whole. Bring {i.Primary} back.",
            DiskTemplate.Mirror when seen.HeldBack is { } held => $"{node}. {held.Message} {held.Remedy}",
            DiskTemplate.Mirror => seen.Secondary == NodeHealth.Online ? $"{node}; it is taken over by {i.Secondary}." : $"{node}, and neither does {i.Secondary}. Bring one of them back.",
        };
    }
}
