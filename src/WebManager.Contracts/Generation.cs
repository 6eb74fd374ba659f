namespace WebManager.Contracts;

/// <summary>Whether an instance's copies are equal by record. Alone: only the primary's copy counts.</summary>
public enum SyncState { InSync, Alone }

/// <summary>
/// Who may run a mirrored instance, made only by the engine (DESIGN 6). Every start of the guest's QEMU, every change of
/// primary or secondary and every loss of sync makes a new one. Equal numbers with different tags mean two engines: stop, ask a person.
/// </summary>
/// <param name="Instance">The instance's id.</param>
/// <param name="Number">Grows by one with each record of this instance.</param>
/// <param name="Tag">16 random hex digits.</param>
/// <param name="Primary">Name of the node that may run the guest.</param>
/// <param name="Secondary">Name of the node that holds, or is being given, the other copy; null for none.</param>
/// <param name="Sync">InSync: both copies acknowledge each write. Alone: the primary's only.</param>
public sealed record GenerationRecord(Guid Instance, long Number, string Tag, string Primary, string? Secondary, SyncState Sync)
{
    /// <summary>The same number and tag; sync may have changed from Alone to InSync within one generation (R2).</summary>
    public bool SameAs(GenerationRecord? other) => other is not null && Instance == other.Instance && Number == other.Number && Tag == other.Tag;

    public override string ToString() => $"g{Number}/{Tag} {Primary}{(Secondary is null ? "" : "/" + Secondary)} {(Sync == SyncState.InSync ? "in sync" : "alone")}";
}
