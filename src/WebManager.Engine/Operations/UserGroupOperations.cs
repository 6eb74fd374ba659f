// Groups of people: made, renamed, removed, and who is in them.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal abstract class UserGroupOperation<TRequest> : InstantOperation<TRequest> where TRequest : UserGroupRequest
{
    public override Refusal? Check(TRequest request, Picture now, EngineParts parts) => now.FindUserGroup(request.Group) is { } group
        ? Check(request, group, now, parts)
        : new Refusal("user-group.unknown", $"There is no group {Shown.Name(request.Group)}.") { Field = "group" };

    public override void Change(TRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts) => Change(request, now.FindUserGroup(request.Group)!, caller, now, changes, parts);

    protected abstract Refusal? Check(TRequest request, UserGroup group, Picture now, EngineParts parts);
    protected abstract void Change(TRequest request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts);

    protected static Refusal? Someone(string user, EngineParts parts) =>
        parts.People.Find(user) is null ? new Refusal("user.unknown", $"There is no user {Shown.Name(user)}.") { Field = "user" } : null;
}

internal static class UserGroups
{
    public static Refusal? Free(string name, string field, Picture now) => Rules.Name(name, field)
        ?? (now.UserGroups.Values.Any(g => g.Name == name) ? new Refusal("user-group.exists", $"There is already a group {name}.", "Choose another name.") { Field = field } : null);

    public static UserGroup With(UserGroup group, IEnumerable<Member> members) =>
        group with { Members = [.. members.OrderBy(m => m.User, StringComparer.Ordinal)], Revision = group.Revision + 1 };
}

internal sealed class AddUserGroupOperation : InstantOperation<AddUserGroup>
{
    public override Right Right => Right.Administrator;
    public override Refusal? Check(AddUserGroup request, Picture now, EngineParts parts) => UserGroups.Free(request.Group, "group", now);

    public override void Change(AddUserGroup request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"{(request.Project ? "Project" : "Group")} {request.Group} is there, with nobody in it yet.";
        changes.Raw.UserGroups.Add(new UserGroup(parts.Random.NewGuid(), request.Group, request.Project, parts.Clock.GetUtcNow(), 1));
    }
}

internal sealed class RenameUserGroupOperation : UserGroupOperation<RenameUserGroup>
{
    public override Right Right => Right.Administrator;
    protected override Refusal? Check(RenameUserGroup request, UserGroup group, Picture now, EngineParts parts) => group.Name == request.NewName ? null : UserGroups.Free(request.NewName, "newName", now);

    protected override void Change(RenameUserGroup request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Group {group.Name} is called {request.NewName} now.";
        changes.Raw.UserGroups.Add(group with { Name = request.NewName, Revision = group.Revision + 1 });
    }
}

internal sealed class RemoveUserGroupOperation : UserGroupOperation<RemoveUserGroup>
{
    public override Right Right => Right.Administrator;

    protected override Refusal? Check(RemoveUserGroup request, UserGroup group, Picture now, EngineParts parts) =>
        now.OpenReservations.Any(j => j.Reserved!.Owner == Keys.Group(group.Id))
            ? new Refusal("user-group.busy", $"Something is just being made for {group.Name}.", "Wait for its jobs.") { Field = "group" } : null;

    protected override void Change(RemoveUserGroup request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var key = Keys.Group(group.Id);
        var left = now.Instances.Values.Where(i => i.Owner == key).ToList();
        changes.Text = $"Group {group.Name} is gone. {(left.Count == 0 ? "" : $"{left.Count} instance(s) that were its are nobody's now.")}".Trim();
        changes.Raw.UserGroupsRemoved.Add(group.Id);
        foreach (var i in left) { changes.Write(i with { Owner = "" }); }
        changes.Raw.GrantsRemoved.AddRange(now.Grants.Values.Where(g => g.Subject == key || g.Target == key).Select(g => g.Key));
        if (now.Quotas.ContainsKey(key)) { changes.Raw.QuotasRemoved.Add(key); }
        foreach (var asked in now.UserRequests.Values.Where(r => r.Owner == key && r.State == UserRequestState.Open)) { changes.Raw.UserRequests.Add(asked with { State = UserRequestState.Denied, Answer = "The group is gone.", DecidedAt = parts.Clock.GetUtcNow(), Revision = asked.Revision + 1 }); }
    }
}

internal sealed class SetMemberOperation : UserGroupOperation<SetMember>
{
    public override Right Right => Right.GroupAdmin;

    protected override Refusal? Check(SetMember request, UserGroup group, Picture now, EngineParts parts) =>
        Someone(request.User, parts)
        ?? (request.Limits is not null && !group.Project ? new Refusal("member.no-limits", $"{group.Name} is no project: its members have no limits of their own.", "Leave the limits out.") { Field = "limits" } : null)
        ?? QuotaRules.Sane(request.Limits)
        ?? (group.Members.Count >= 10_000 ? new Refusal("user-group.full", "A group has at most 10000 members.") { Field = "user" } : null);

    protected override void Change(SetMember request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var person = parts.People.Find(request.User)!;
        changes.Text = $"{person.Name} is in {group.Name}.";
        changes.Raw.UserGroups.Add(UserGroups.With(group, group.Members.Where(m => m.User != person.Id).Append(new Member(person.Id, request.Limits))));
    }
}

internal sealed class RemoveMemberOperation : UserGroupOperation<RemoveMember>
{
    public override Right Right => Right.GroupAdmin;

    protected override Refusal? Check(RemoveMember request, UserGroup group, Picture now, EngineParts parts) =>
        group.Find(IdOf(request, parts)) is null ? new Refusal("member.unknown", $"{Shown.Name(request.User)} is not in {group.Name}.") { Field = "user" } : null;

    protected override void Change(RemoveMember request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"{request.User} is not in {group.Name} any more.";
        changes.Raw.UserGroups.Add(UserGroups.With(group, group.Members.Where(m => m.User != IdOf(request, parts))));
    }

    /// <summary>Also of one whose account is gone.</summary>
    private static string IdOf(RemoveMember request, EngineParts parts) => parts.People.Find(request.User)?.Id ?? request.User;
}

internal sealed class ForgetUserOperation : InstantOperation<ForgetUser>
{
    public override Right Right => Right.Superuser;

    public override Refusal? Check(ForgetUser request, Picture now, EngineParts parts) =>
        now.OpenReservations.Any(j => j.Reserved!.Owner == Keys.User(request.User))
            ? new Refusal("user.busy", "Something is just being made for this account.", "Wait for its jobs.") { Field = "user" } : null;

    public override void Change(ForgetUser request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var key = Keys.User(request.User);
        var left = now.Instances.Values.Where(i => i.Owner == key).ToList();
        changes.Text = $"The account has no rights and no places in groups any more. {(left.Count == 0 ? "" : $"{left.Count} instance(s) that were its are nobody's now.")}".Trim();
        foreach (var i in left) { changes.Write(i with { Owner = "" }); }
        foreach (var g in now.UserGroups.Values.Where(g => g.Find(request.User) is not null)) { changes.Raw.UserGroups.Add(g with { Members = [.. g.Members.Where(m => m.User != request.User)], Revision = g.Revision + 1 }); }
        changes.Raw.GrantsRemoved.AddRange(now.Grants.Values.Where(g => g.Subject == key).Select(g => g.Key));
        changes.Raw.SshKeysRemoved.AddRange(now.SshKeys.Values.Where(k => k.User == request.User).Select(k => k.Id));
        foreach (var asked in now.UserRequests.Values.Where(r => r.By == request.User && r.State == UserRequestState.Open)) { changes.Raw.UserRequests.Add(asked with { State = UserRequestState.Withdrawn, DecidedAt = parts.Clock.GetUtcNow(), Revision = asked.Revision + 1 }); }
        if (now.Quotas.ContainsKey(key)) { changes.Raw.QuotasRemoved.Add(key); }
    }
}
