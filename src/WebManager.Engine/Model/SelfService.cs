// What people ask of those who decide, and the keys by which they get into their instances.
using System.Text.Json.Serialization;

namespace WebManager.Engine.Model;

public enum UserRequestKind { Quota, Membership }

public enum UserRequestState { Open, Approved, Denied, Withdrawn }

/// <summary>Somebody asks for a higher quota (of Owner, a key) or for a place in a group (Owner is its key). By: the user's id.</summary>
public sealed record UserRequest(Guid Id, UserRequestKind Kind, string By, string Owner, string Reason, DateTimeOffset At, long Revision)
{
    /// <summary>What the quota is to be; null for a place in a group.</summary>
    public QuotaLimits? Limits { get; init; }
    public UserRequestState State { get; init; }
    public string? DecidedBy { get; init; }
    public DateTimeOffset? DecidedAt { get; init; }
    public string? Answer { get; init; }
}

/// <summary>A user's public key. Line: type and base64, without its comment. Fingerprint: SHA256:... as ssh-keygen shows it.</summary>
public sealed record SshKey(Guid Id, string User, string Name, string Line, string Fingerprint, DateTimeOffset At, long Revision);

/// <summary>Reason: shown to who decides.</summary>
public sealed record AskQuota(string Owner, QuotaLimits Limits, string Reason) : OperationRequest
{
    [JsonIgnore] public override string Name => "request.quota";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [Owner];
}

public sealed record AskMembership(string Group, string Reason) : UserGroupRequest(Group) { [JsonIgnore] public override string Name => "request.membership"; }

/// <summary>Limits: what is given instead of what was asked for; null: that.</summary>
public sealed record DecideRequest(Guid Request, bool Approve, string Answer) : OperationRequest
{
    [JsonIgnore] public override string Name => "request.decide";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"request:{Request}"];
    public QuotaLimits? Limits { get; init; }
}

public sealed record WithdrawRequest(Guid Request) : OperationRequest
{
    [JsonIgnore] public override string Name => "request.withdraw";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"request:{Request}"];
}

/// <summary>User: whose it is, an id; null: the caller's. Key: the one line of a .pub file.</summary>
public sealed record AddSshKey(string Title, string Key) : OperationRequest
{
    [JsonIgnore] public override string Name => "ssh-key.add";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => User is null ? [] : [Keys.User(User)];
    public string? User { get; init; }
}

public sealed record RemoveSshKey(Guid Key) : OperationRequest
{
    [JsonIgnore] public override string Name => "ssh-key.remove";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"ssh-key:{Key}"];
}
