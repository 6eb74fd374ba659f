namespace WebManager.Contracts.Audit;

/// <summary>GET /api/v1/audit/verify. Newest and Hash: of the newest entry, to be noted elsewhere. BrokenAt: the first entry that was changed or removed.</summary>
public sealed record AuditReport(bool Ok, long Count, long Newest, string Hash)
{
    /// <summary>Retention removed the entries up to this one; 0: none.</summary>
    public long RemovedUpTo { get; init; }
    public long? BrokenAt { get; init; }

    /// <summary>What is wrong, as a sentence.</summary>
    public string? Problem { get; init; }
}
