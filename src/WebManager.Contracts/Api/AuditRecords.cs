// The REST API's records about the audit.
namespace WebManager.Contracts.Api;

/// <summary>GET /api/v1/audit: newest first. Next: give it as before= for the following page; null: this was the last.</summary>
public sealed record AuditPage(IReadOnlyList<AuditView> Entries, long? Next);

/// <summary>Who, when, from where, what, on which objects ("instance:web1 node:n2"), with which result, in which job, why. Hash covers all of it and Previous, the hash of the entry before.</summary>
public sealed record AuditView(long Serial, DateTimeOffset At, string User, string Face, string? Address, string Operation, string Subject, string Result, long? Job, string? Reason,
    string Previous, string Hash);
