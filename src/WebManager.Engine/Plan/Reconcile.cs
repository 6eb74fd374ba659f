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

    /// <summary>After how long it is replaced; null: not now.</summary>
    public TimeSpan? ReplaceAfter { get; init; }

    /// <summary>Its primary is silent, and only an in-sync copy on a node that answers is promoted, and only for an instance wanted up.</summary>
    public bool Recoverable => Primary is NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline
        && Instance is { Stage: LifeStage.Ready, Wanted: AdminState.Up, GaveUpAt: null, Generation.Sync: SyncState.InSync } && Secondary == NodeHealth.Online;
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
        (LifeStage.Ready, NodeHealth.Online) => OnLivePrimary(seen) is var step && step == Step.Nothing && LeftOver(seen) ? new Step(new CleanUpMigration(seen.Instance.Name)) : step,
        (LifeStage.Ready, NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline) => OnSilentPrimary(seen),
    };

    /// <summary>A sending that nobody asked on about, or a process that waits for a guest in vain. Asked while no job is open.</summary>
    private static bool LeftOver(Observed seen) => seen.AtPrimary?.Migration is not null || (seen.Secondary == NodeHealth.Online && seen.AtSecondary?.Migration is not null);

    private static Step OnSilentPrimary(Observed seen) =>
        seen is { Recoverable: true, HeldBack: null } ? new Step(new RecoverInstance(seen.Instance.Name, seen.Instance.Generation!.Number)) : Step.Nothing;

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
        if (report.Mirror == MirrorPhase.Broken || (g.Sync == SyncState.Alone && (report.GuestGeneration < g.Number || StillBoth(g, report))))
        {
            return new Step(new DegradeInstance(seen.Instance.Name, report.GuestGeneration));
        }
        return (g.Sync, seen.Secondary) switch
        {
            (SyncState.InSync, NodeHealth.Suspect or NodeHealth.Lost or NodeHealth.Offline) => new Step(new DegradeInstance(seen.Instance.Name, g.Number)),
            (SyncState.InSync, null or NodeHealth.Online or NodeHealth.Joining) => Step.Nothing,
            (SyncState.Alone, NodeHealth.Online) => new Step(new ResyncInstance(seen.Instance.Name)),
            (SyncState.Alone, NodeHealth.Lost or NodeHealth.Offline) when seen.SecondaryAway >= seen.ReplaceAfter => new Step(new ReplaceSecondary(seen.Instance.Name)),
            (SyncState.Alone, _) => Step.Nothing,
        };
    }
}
