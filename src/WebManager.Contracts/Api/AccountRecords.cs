// The REST API's records about accounts: users, one's own profile, sessions, tokens, passkeys.
namespace WebManager.Contracts.Api;

/// <summary>GET /api/v1/users, /api/v1/users/{name}, /api/v1/profile.</summary>
public sealed record UserView(string Id, string Name, bool Active, bool Superuser, bool SecondFactor, DateTimeOffset CreatedAt)
{
    public string? DisplayName { get; init; }
    public string? Email { get; init; }
    public DateTimeOffset? LastSignIn { get; init; }
    public int Passkeys { get; init; }

    /// <summary>False: nobody has set a password yet.</summary>
    public bool HasPassword { get; init; } = true;

    /// <summary>Where the person proves who it is: "directory", "openid"; left out: here.</summary>
    public string? Source { get; init; }

    /// <summary>How people call that.</summary>
    public string? SourceName { get; init; }

    /// <summary>Whether passkeys of the portal sign it in.</summary>
    public bool TakesPasskeys { get; init; } = true;
}

/// <summary>POST /api/v1/users: the answer has the link by which the person sets a password.</summary>
public sealed record AddUserRequest(string Name)
{
    public string? DisplayName { get; init; }
    public string? Email { get; init; }
    public bool Superuser { get; init; }
}

/// <summary>PATCH /api/v1/users/{name}; what is left out stays, an empty text takes the value away.</summary>
public sealed record ModifyUserRequest
{
    public string? DisplayName { get; init; }
    public string? Email { get; init; }
    public bool? Active { get; init; }
    public bool? Superuser { get; init; }
}

/// <summary>A one-time link to set a password. Mailed: it was also sent to the person's address.</summary>
public sealed record UserLinkReply(string Name, string Link, DateTimeOffset ExpiresAt, bool Mailed);

/// <summary>PATCH /api/v1/profile; what is left out stays, an empty text takes the value away.</summary>
public sealed record ModifyProfileRequest
{
    public string? DisplayName { get; init; }
    public string? Email { get; init; }

    /// <summary>Needed for another e-mail address: links to set a password go there.</summary>
    public string? Password { get; init; }
}

/// <summary>POST /api/v1/profile/password.</summary>
public sealed record ChangePasswordRequest(string OldPassword, string NewPassword);

/// <summary>GET /api/v1/profile/sessions, /api/v1/users/{name}/sessions: where somebody is signed in with a browser.</summary>
public sealed record SessionView(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset LastSeen, string? Address, string UserAgent, bool Current);

/// <summary>GET /api/v1/tokens. Instances: ids of the instances it is for; left out: all. Session: made by signing in.</summary>
public sealed record TokenView(Guid Id, string Name, bool ReadOnly, DateTimeOffset CreatedAt)
{
    public IReadOnlyList<Guid>? Instances { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? LastUsed { get; init; }
    public bool Session { get; init; }
}

/// <summary>POST /api/v1/tokens. Hours 1 to 8784, left out: it does not expire. Instances: names or ids.</summary>
public sealed record AddTokenRequest(string Name)
{
    public int? Hours { get; init; }
    public bool ReadOnly { get; init; }
    public IReadOnlyList<string>? Instances { get; init; }
}

/// <summary>The token itself is in this answer only.</summary>
public sealed record AddTokenReply(TokenView View, string Token);

/// <summary>POST /api/v1/profile/second-factor: what an authenticator is told. It counts once a code of it was shown.</summary>
public sealed record SecondFactorOffer(string Key, string Uri);
public sealed record CodeRequest(string Code);
public sealed record RecoveryCodesReply(IReadOnlyList<string> Codes);

/// <summary>POST /api/v1/profile/second-factor/off.</summary>
public sealed record SecondFactorOffRequest(string Password, string Code);

/// <summary>GET /api/v1/profile/passkeys. They are registered in a browser.</summary>
public sealed record PasskeyView(string Id, string Name, DateTimeOffset CreatedAt);
public sealed record RenameRequest(string Name);
