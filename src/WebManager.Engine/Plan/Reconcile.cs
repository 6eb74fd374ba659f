// Compares wanted with observed and says which job the watcher files. Pure and total (CONVENTIONS 4).
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

/// <summary>One instance with what its nodes say. A null report: the node answered, and has nothing of it.</summary>
public sealed record Observed(Instance Instance, NodeHealth Primary, InstanceReport? AtPrimary, NodeHealth? Secondary, InstanceReport? AtSecondary)
{
    /// <summary>Why it is not recovered although it could be (RecoveryPolicy).</summary>
    public Refusal? HeldBack { get; init; }

    /// <summary>How long the secondary has been lost or offline; null: it is not.</summary>
    public TimeSpan? SecondaryAway { get; init; }

    /// <summary>The secondary is silent because its agent is being restarted: its export does not need one, and if it fails the primary says so.</summary>
    public bool SecondaryRestarts { get; init; }

    /// <summary>After how long it is replaced; null: not now.</summary>
    public TimeSpan? ReplaceAfter { get; init; }

    /// <summary>Why it was not replaced when it was time; null: nobody tried, or it was.</summary>
    public string? Unreplaced { get; init; }

    /// <summary>What is known against the disks of its nodes (DiskFaultsOf); null: nothing.</summary>
    public string? PrimaryFault { get; init; }
    public string? SecondaryFault { get; init; }

    /// <summary>Its primary is silent or cannot write, and only an in-sync copy on a node that answers is promoted, and only for an instance wanted up.</summary>
    public bool Recoverable => (Primary is NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline || Failing)
        && Instance is { Stage: LifeStage.Ready, Wanted: AdminState.Up, GaveUpAt: null, Generation.Sync: SyncState.InSync } && Secondary == NodeHealth.Online;

    /// <summary>In sync, its own image is out by a disk error (R1), and the other copy is not.</summary>
    public bool Failing => Primary == NodeHealth.Online && LocalFault is not null && SecondaryFault is null && AtPrimary!.CopyFault is null;

    /// <summary>Its nodes all answer, and none of them has a guest or an image of it: what it was is gone, by no doing of this cluster.</summary>
    public bool Missing => Instance is { Stage: LifeStage.Ready, Doubt: null, Disks.Count: > 0 } && Primary == NodeHealth.Online && (Secondary ?? NodeHealth.Online) == NodeHealth.Online && HasNothing(AtPrimary) && HasNothing(AtSecondary);

    private static bool HasNothing(InstanceReport? report) => report is null or { Disks: 0, Guest: GuestPhase.Absent };

    /// <summary>
    /// In sync under the record in force, and what runs at the primary waits for its disk; or nothing runs there any more and its node's disk
    /// takes no writes: started in place it would only wait again, and leave the good copy behind.
    /// </summary>
    public string? LocalFault => Instance.Generation is { Sync: SyncState.InSync } g && AtPrimary is { } r && r.GuestGeneration == g.Number
        ? r.Guest == GuestPhase.Absent ? (r.End is GuestEnd.None or GuestEnd.Clean ? null : PrimaryFault) : r.Mirror == MirrorPhase.Broken ? r.LocalFault?.Text : null
        : null;
}

/// <summary>What to do, and what the guest's own power-off means: it stays off.</summary>
public sealed record Step(OperationRequest? File, bool PoweredItselfOff = false)
{
    public static readonly Step Nothing = new((OperationRequest?)null);
}

public static class Reconcile
{
    public static Step Next(Observed seen) => seen.Instance.Doubt is not null ? Step.Nothing : (seen.Instance.Stage, seen.Primary) switch
    {
        (LifeStage.Creating or LifeStage.Removing or LifeStage.Failed, _) => Step.Nothing,
        (_, NodeHealth.Joining) => Step.Nothing,
        // Nothing could be started; the other copy's node would have to have one.
        (LifeStage.Ready, NodeHealth.Online) when seen.Missing => Step.Nothing,
        (LifeStage.Ready, NodeHealth.Online) => OnLivePrimary(seen) is var step && step == Step.Nothing && LeftOver(seen) ? new Step(new CleanUpMigration(seen.Instance.Name)) : step,
        (LifeStage.Ready, NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline) => OnSilentPrimary(seen),
    };

    /// <summary>A sending that nobody asked on about, or a process that waits for a guest in vain. Asked while no job is open.</summary>
    private static bool LeftOver(Observed seen) => seen.AtPrimary?.Migration is not null || (seen.Secondary == NodeHealth.Online && seen.AtSecondary?.Migration is not null);

    private static Step OnSilentPrimary(Observed seen) =>
        seen is { Recoverable: true, HeldBack: null } ? new Step(new RecoverInstance(seen.Instance.Name, seen.Instance.Generation!.Number) { DiskFault = seen.Failing ? seen.LocalFault : null }) : Step.Nothing;

    private static Step OnLivePrimary(Observed seen) => seen.AtPrimary is not { } report ? OnAbsentGuest(seen) : report.Guest switch
    {
        GuestPhase.Absent => OnAbsentGuest(seen),
        GuestPhase.Starting or GuestPhase.Stopping => Step.Nothing,
        GuestPhase.Running or GuestPhase.Paused => seen.Instance.Wanted == AdminState.Down
            ? new Step(new StopInstance(seen.Instance.Name))
            : OnMirror(seen, report),
    };

    private static Step OnAbsentGuest(Observed seen)
    {
        var (i, report) = (seen.Instance, seen.AtPrimary);
        if (i.Wanted == AdminState.Down || i.GaveUpAt is not null) { return Step.Nothing; }
        if (seen is { Failing: true, Recoverable: true, HeldBack: null }) { return OnSilentPrimary(seen); }
        var underNewest = report is not null && (i.Generation is null || report.GuestGeneration == i.Generation.Number);
        return underNewest && report!.End == GuestEnd.Clean
            ? new Step(null, PoweredItselfOff: true)
            : new Step(new RestartInstance(i.Name));
    }

    /// <summary>The guest adopted the record by a beat but was never told to leave the other copy.</summary>
    private static bool StillBoth(GenerationRecord g, InstanceReport report) =>
        report.Mirror == MirrorPhase.InSync && !(report.Stored is { Sync: SyncState.InSync } stored && stored.SameAs(g));

    private static Step OnMirror(Observed seen, InstanceReport report)
    {
        if (seen.Instance.Generation is not { } g) { return Step.Nothing; }
        // Of a change of secondary: a lost copy that nothing depends on is dropped (ThirdCopies), a record that nobody told it comes with the next beat.
        if (report is { Mirror: MirrorPhase.Broken, Third: { Lost: true } third } && !third.Is(g)) { return Step.Nothing; }
        if (g.Sync == SyncState.InSync && report.GuestGeneration < g.Number && seen.Instance.Former?.Primary == g.Primary) { return Step.Nothing; }
        // To go on alone here would choose the copy that is out, and leave the good one behind: it waits for the other node or for its disk.
        if (seen.LocalFault is not null) { return OnSilentPrimary(seen); }
        if (report.Mirror == MirrorPhase.Broken || (g.Sync == SyncState.Alone && (report.GuestGeneration < g.Number || StillBoth(g, report))))
        {
            return new Step(new DegradeInstance(seen.Instance.Name, report.GuestGeneration));
        }
        return (g.Sync, seen.Secondary) switch
        {
            (SyncState.InSync, NodeHealth.Suspect or NodeHealth.Lost) when seen.SecondaryRestarts => Step.Nothing,
            (SyncState.InSync, NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline) => new Step(new DegradeInstance(seen.Instance.Name, g.Number)),
            (SyncState.InSync, null or NodeHealth.Online or NodeHealth.Joining) => Step.Nothing,
            (SyncState.Alone, NodeHealth.Online) => new Step(new ResyncInstance(seen.Instance.Name)),
            (SyncState.Alone, NodeHealth.Lost or NodeHealth.Offline) when seen.SecondaryAway >= seen.ReplaceAfter => new Step(new ReplaceSecondary(seen.Instance.Name)),
            (SyncState.Alone, _) => Step.Nothing,
        };
    }
}
