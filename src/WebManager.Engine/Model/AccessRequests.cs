// What can be asked about groups of people, rights, quotas and owners.
using System.Text.Json.Serialization;

namespace WebManager.Engine.Model;

/// <summary>Group: the name of a group of people, or its id.</summary>
public abstract record UserGroupRequest(string Group) : OperationRequest
{
    public string Group { get; init; } = Group;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"usergroup:{Group}"];
}

/// <summary>Project: its members have limits of their own beside the group's.</summary>
public sealed record AddUserGroup(string Group) : UserGroupRequest(Group)
{
    [JsonIgnore] public override string Name => "user-group.add";
    public bool Project { get; init; }
}

public sealed record RenameUserGroup(string Group, string NewName) : UserGroupRequest(Group) { [JsonIgnore] public override string Name => "user-group.rename"; }

/// <summary>Its instances stay and are nobody's; its grants and limits go.</summary>
public sealed record RemoveUserGroup(string Group) : UserGroupRequest(Group) { [JsonIgnore] public override string Name => "user-group.remove"; }

/// <summary>User: an id or a name. One who is a member already keeps the place, with these limits.</summary>
public sealed record SetMember(string Group, string User) : UserGroupRequest(Group)
{
    [JsonIgnore] public override string Name => "user-group.set-member";
    public QuotaLimits? Limits { get; init; }
}

public sealed record RemoveMember(string Group, string User) : UserGroupRequest(Group) { [JsonIgnore] public override string Name => "user-group.remove-member"; }

/// <summary>The account is removed: its places in groups, its grants and limits go, its instances stay and are nobody's. User: its id.</summary>
public sealed record ForgetUser(string User) : OperationRequest
{
    [JsonIgnore] public override string Name => "user.forget";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [Keys.User(User)];
}

/// <summary>Subject and Target are keys ("user:ID", "usergroup:ID"; "cluster", "instance:ID", "usergroup:ID", "template:ID"). Rights: all that it has from then on; none: the grant goes.</summary>
public sealed record SetGrant(string Subject, string Target, IReadOnlyList<string> Rights) : OperationRequest
{
    [JsonIgnore] public override string Name => "grant.set";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [Target, Subject];
}

/// <summary>Owner: a key, or OwnerLimits.DefaultOwner. Limits null: those of everybody.</summary>
public sealed record SetQuota(string Owner, QuotaLimits? Limits) : OperationRequest
{
    [JsonIgnore] public override string Name => "quota.set";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [Owner];
}

/// <summary>Compares every owner's holding with its instances. Repair: and sets it to what they say.</summary>
public sealed record RecountQuota : ClusterRequest
{
    [JsonIgnore] public override string Name => "quota.recount";
    public bool Repair { get; init; }
}

/// <summary>Owner: the key of a user or a group, or empty for nobody. Force: even over its quota.</summary>
public sealed record ChangeOwner(string Instance, string Owner) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.change-owner";
    public bool Force { get; init; }
}
