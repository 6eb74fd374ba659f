namespace WebManager.Agent.Rules;

/// <summary>
/// One switch per rule of DESIGN 6 that a node keeps. Production has all of them on and no way to change it; the simulator switches one
/// off at a time to see that something notices.
/// </summary>
public sealed record RuleSwitches
{
    public static readonly RuleSwitches All = new();

    /// <summary>R3: the lease runs from the challenge's issue. Off: from the answer's arrival (H1).</summary>
    public bool LeaseFromIssue { get; init; } = true;

    /// <summary>R3: in sync needs a lease. Off: nothing ever expires.</summary>
    public bool InSyncNeedsLease { get; init; } = true;

    /// <summary>R3: alone needs none. Off: a stopped portal stops alone guests (H10).</summary>
    public bool AloneNeedsNoLease { get; init; } = true;

    /// <summary>R2: a promise turns alone into leased. Off: it goes on without (H4).</summary>
    public bool PromiseNeedsLease { get; init; } = true;

    /// <summary>R3: a newer record with the same primary is adopted. Off: the guest is killed (H11).</summary>
    public bool SamePrimaryAdopts { get; init; } = true;

    /// <summary>R3: a newer record with another primary kills. Off: the guest goes on.</summary>
    public bool OtherPrimaryKills { get; init; } = true;

    /// <summary>R3: only a pause that was seen saves a guest. Off: being told to stand still is enough.</summary>
    public bool PauseIsConfirmed { get; init; } = true;

    /// <summary>R3: a confirmed pause needs no lease (H12). Off: the guest is killed at its deadline all the same.</summary>
    public bool PauseIsEnough { get; init; } = true;

    /// <summary>R3: a paused guest goes on only with a fresh lease. Off: also when its lease is over.</summary>
    public bool ResumeNeedsLease { get; init; } = true;

    /// <summary>R1: an export is opened once per generation. Off: also after it was lost (H2).</summary>
    public bool ExportOpensOnce { get; init; } = true;

    /// <summary>One start per generation (H3). Off: again under the same.</summary>
    public bool StartsOnce { get; init; } = true;

    /// <summary>R4: a secondary that stood down answers nobody. Off: it goes on answering (H5).</summary>
    public bool StandDownSilences { get; init; } = true;

    /// <summary>R4: after a restart a challenge counts as just received. Off: as never received.</summary>
    public bool RestartCountsAsHeard { get; init; } = true;

    /// <summary>Older records are refused. Off: the last message wins.</summary>
    public bool StaleRefused { get; init; } = true;

    /// <summary>An equal number with another tag is refused. Off: taken as the same (H6).</summary>
    public bool ConflictRefused { get; init; } = true;

    /// <summary>A copy is removed only under a record that does not name its node. Off: under any.</summary>
    public bool NamedIsKept { get; init; } = true;

    /// <summary>R5: orders of an older epoch are refused. Off: taken.</summary>
    public bool EpochChecked { get; init; } = true;

    /// <summary>R2: in sync is stored on the primary only after its promise. Off: at any time (H4).</summary>
    public bool PromiseComesFirst { get; init; } = true;

    /// <summary>A record of an older generation closes its export. Off: stays open (H5).</summary>
    public bool NewerClosesExport { get; init; } = true;

    /// <summary>R4: a candidate is no record. Off: it is stored as one before anybody has decided (H7).</summary>
    public bool CandidateIsNoRecord { get; init; } = true;

    /// <summary>R4: a guest in sync takes on another secondary only when it is on that one's copy. Off: at any time (H7).</summary>
    public bool JoinedComesFirst { get; init; } = true;

    /// <summary>R4: a source that ran again after its pause is not left to the target. Off: it is (H9).</summary>
    public bool SourceMustRest { get; init; } = true;
}
