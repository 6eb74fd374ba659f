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
            InstanceStatus.ErrorDown or InstanceStatus.AdminDown when seen.Missing =>
                $"{(i.Secondary is null ? $"Its node {i.Primary} answers and has" : $"Its nodes {i.Primary} and {i.Secondary} answer and have")} nothing of it. Bring its images back to the node's folder and restart the agent there, or remove its record here (wm instance remove {i.Name}).",
            InstanceStatus.Failed => i.FailureText,
            InstanceStatus.NodeDown or InstanceStatus.NodeOffline => Waits(seen),
            InstanceStatus.ErrorDown => i.FailureText ?? "It should run but does not; it is started again by itself.",
            InstanceStatus.ErrorUp => "It should be stopped but runs.",
            InstanceStatus.Paused => DiskFault(seen) is { } fault ? $"{fault} {Helps(seen)}" : seen.AtPrimary?.MirrorText ?? "Its disk does not answer; it goes on as soon as that is settled.",
            InstanceStatus.Recovering => $"{i.Primary} is being given over to.",
            InstanceStatus.Running when DiskFault(seen) is { } fault => $"{fault} It runs with one copy; the other is made again by itself when that disk works, or on another node (wm instance replace-disks {i.Name} --auto).",
            InstanceStatus.Running when seen is { Unreplaced: { } none, Instance.Generation.Sync: SyncState.Alone, Secondary: NodeHealth.Lost or NodeHealth.Offline } =>
                $"It runs with one copy: {i.Secondary} has been away for long, and no other node can take its place. {none}",
            InstanceStatus.Creating or InstanceStatus.Running or InstanceStatus.Starting or InstanceStatus.AdminDown or InstanceStatus.Removing or InstanceStatus.Migrating => null,
        };
    }

    /// <summary>Which copy fails, and how; null: none.</summary>
    public static string? DiskFault(Observed seen) => seen is not { Primary: NodeHealth.Online, AtPrimary: { } r, Instance: var i } ? null
        : r.LocalFault is { } mine ? Failed(mine, i.Primary)
        : r.CopyFault is { } theirs && i.Secondary is { } other ? Failed(theirs, other)
        : null;

    private static string Failed(DiskFault fault, string node) => $"{(fault.Full ? $"No space is left on {node}" : $"A disk error on {node}")} ({fault.Text}).";

    /// <summary>For a guest that waits for its disk.</summary>
    private static string Helps(Observed seen)
    {
        var i = seen.Instance;
        if (seen.AtPrimary?.LocalFault is not { } fault) { return "It goes on alone as soon as that is recorded."; }
        var repair = fault.Full ? $"Free some space on {i.Primary}" : $"Repair the disk of {i.Primary}";
        var again = "it is tried again by itself, every 30 s at last";
        return i.Generation switch
        {
            null => $"It waits. {repair}; {again}.",
            { Sync: SyncState.Alone } => $"It waits, for the copy on {i.Secondary ?? "another node"} is not whole. {repair}; {again}.",
            _ when seen.AtPrimary.CopyFault is { } other => $"It waits, for the copy on {i.Secondary} fails, too ({other.Text}). {repair}; {again}.",
            _ when seen.SecondaryFault is { } bad => $"It waits, for {i.Secondary} is no better: {bad} {repair}; {again}.",
            _ when seen.Secondary != NodeHealth.Online => $"It waits: the copy on {i.Secondary} is whole, but {i.Secondary} does not answer. Bring it back, or {char.ToLowerInvariant(repair[0])}{repair[1..]}.",
            _ when seen.HeldBack is { } held => $"The copy on {i.Secondary} is whole. {held.Message} {held.Remedy} Or start it there by hand (wm instance failover {i.Name}).",
            _ => $"It is started on {i.Secondary}, whose copy is whole.",
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
