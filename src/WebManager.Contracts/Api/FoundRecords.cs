// The API's records about what was found on nodes.
namespace WebManager.Contracts.Api;

/// <summary>
/// GET /api/v1/found: instances that nodes have and no record names; for administrators of the cluster. Sizes in MiB. Owner: whom its tags name;
/// OwnerHere: there is such a user or group. Why: why it cannot be taken up now, with what helps.
/// </summary>
public sealed record FoundView(Guid Id, string Name, string? Image, int Vcpus, int MemoryMiB, long DiskMiB, string? Template, string Primary, string? Secondary, bool Runs)
{
    public string? Owner { get; init; }
    public bool OwnerHere { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyList<string> Nodes { get; init; } = [];
    public string? Why { get; init; }
}

/// <summary>POST /api/v1/found/{id}/adopt. Name: what it is to be called; null: what it was called. Owner: user:NAME, usergroup:NAME, or null for nobody.</summary>
public sealed record AdoptRequest
{
    public string? Name { get; init; }
    public string? Owner { get; init; }

    /// <summary>The owner that its tags name.</summary>
    public bool OwnerFromTags { get; init; }

    /// <summary>Other MAC and IP addresses than it had; only while it does not run.</summary>
    public bool NewAddresses { get; init; }

    /// <summary>Even over the owner's quota.</summary>
    public bool Force { get; init; }
    public string? Reason { get; init; }
}
