// The portal's own rows; the cluster's rows are the engine's records themselves (ClusterTables).
using Microsoft.AspNetCore.Identity;

namespace WebManager.Web.Data;

/// <summary>A person who can sign in.</summary>
public sealed class PortalUser : IdentityUser
{
    // These two are read and written by Identity/AccountState only.
    public bool Administrator { get; set; }
    public bool Active { get; set; } = true;
    public string? DisplayName { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? LastSignInAt { get; set; }

    /// <summary>The time step of the last code that was taken: no code serves twice.</summary>
    public long LastCodeStep { get; set; }
}

/// <summary>One sign-in in a browser; its id is in the cookie. The row gone, the sign-in is over.</summary>
public sealed class UserSession
{
    public Guid Id { get; set; }
    public string UserId { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }
    public string? Address { get; set; }
    public string UserAgent { get; set; } = "";
}

/// <summary>A one-time link to set a password; only the SHA-256 of its token is stored. It is gone once it was used.</summary>
public sealed class AccountLink
{
    public Guid Id { get; set; }
    public string UserId { get; set; } = "";
    public string Hash { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
}

/// <summary>A bearer token of a user; only the SHA-256 of it is stored.</summary>
public sealed class ApiToken
{
    public Guid Id { get; set; }
    public string UserId { get; set; } = "";
    public string Label { get; set; } = "";
    public string Hash { get; set; } = "";

    /// <summary>Made by signing in (wm login), not by a person who gave it a name.</summary>
    public bool Session { get; set; }
    public bool ReadOnly { get; set; }

    /// <summary>Ids of the instances it is for; null: all that its user may.</summary>
    public List<Guid>? Instances { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }
    public DateTimeOffset? LastUsedAt { get; set; }
}

/// <summary>A node's one-time leave to join. The secret is needed to check the HMAC, so it is stored protected (DataProtection), not hashed.</summary>
public sealed class JoinToken
{
    public string Id { get; set; } = "";
    public string Node { get; set; } = "";
    public string ProtectedSecret { get; set; } = "";
    public string CallerJson { get; set; } = "";
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>SHA-256 of the signing request that used it, so that the same request sent again (lost answer) gets its answer again.</summary>
    public string? UsedBy { get; set; }
    public string? Certificate { get; set; }
}

/// <summary>A value the portal keeps for itself, by name.</summary>
public sealed class Setting
{
    public string Name { get; set; } = "";
    public string Value { get; set; } = "";
}
