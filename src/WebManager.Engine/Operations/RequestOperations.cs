// Self-service: people ask, those who may decide.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

internal static class RequestRules
{
    private const int MostOpen = 20, MostText = 2000;

    public static Refusal? Text(string text, string field) =>
        text.Trim().Length == 0 ? new Refusal("reason.missing", "Say why.", "One sentence is enough.") { Field = field }
        : text.Length > MostText || text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t')) ? new Refusal("reason.invalid", $"That is longer than {MostText} characters, or has control characters.", "Shorten it.") { Field = field } : null;

    public static Refusal? Free(UserRequestKind kind, string owner, string by, Picture now) =>
        now.UserRequests.Values.Any(r => r.State == UserRequestState.Open && r.Kind == kind && r.Owner == owner && r.By == by) ? new Refusal("request.exists", "You have asked for that already.", "Wait for the answer, or withdraw it.")
        : now.UserRequests.Values.Count(r => r.State == UserRequestState.Open && r.By == by) >= MostOpen ? new Refusal("request.too-many", $"You have {MostOpen} open requests.", "Withdraw one.") : null;

    public static Refusal? Open(Guid id, Picture now) => now.UserRequests.GetValueOrDefault(id) is not { } r ? new Refusal("request.unknown", "There is no such request.")
        : r.State != UserRequestState.Open ? new Refusal("request.decided", $"It was {r.State.ToString().ToLowerInvariant()} already.") : null;
}

internal sealed class AskQuotaOperation : InstantOperation<AskQuota>
{
    public override Right Right => Right.OwnQuota;

    public override Refusal? Check(AskQuota request, Picture now, EngineParts parts) => RequestRules.Text(request.Reason, "reason") ?? QuotaRules.Sane(request.Limits) ?? Subjects.Known(request.Owner, "owner", now, parts);

    public override Refusal? CheckFor(AskQuota request, Caller caller, Picture now) => RequestRules.Free(UserRequestKind.Quota, request.Owner, caller.UserId, now);

    public override void Change(AskQuota request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"{caller.Name} asks for a higher quota of {Subjects.Name(request.Owner, now, parts)}.";
        changes.Raw.UserRequests.Add(new UserRequest(parts.Random.NewGuid(), UserRequestKind.Quota, caller.UserId, request.Owner, request.Reason.Trim(), parts.Clock.GetUtcNow(), 1) { Limits = request.Limits });
    }
}

internal sealed class AskMembershipOperation : UserGroupOperation<AskMembership>
{
    public override Right Right => Right.Account;

    protected override Refusal? Check(AskMembership request, UserGroup group, Picture now, EngineParts parts) => RequestRules.Text(request.Reason, "reason");

    public override Refusal? CheckFor(AskMembership request, Caller caller, Picture now) => now.FindUserGroup(request.Group) is not { } group ? null
        : group.Find(caller.UserId) is not null ? new Refusal("member.already", $"You are in {group.Name}.") { Field = "group" }
        : RequestRules.Free(UserRequestKind.Membership, Keys.Group(group.Id), caller.UserId, now);

    protected override void Change(AskMembership request, UserGroup group, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"{caller.Name} asks for a place in {group.Name}.";
        changes.Raw.UserRequests.Add(new UserRequest(parts.Random.NewGuid(), UserRequestKind.Membership, caller.UserId, Keys.Group(group.Id), request.Reason.Trim(), parts.Clock.GetUtcNow(), 1));
    }
}

/// <summary>An approval carries out what was asked for, in the same transaction.</summary>
internal sealed class DecideRequestOperation : InstantOperation<DecideRequest>
{
    public override Right Right => Right.Decide;

    public override Refusal? Check(DecideRequest request, Picture now, EngineParts parts) =>
        RequestRules.Open(request.Request, now) ?? (request.Approve && request.Answer.Length == 0 ? null : RequestRules.Text(request.Answer, "answer")) ?? QuotaRules.Sane(request.Limits)
        ?? (request.Approve && now.UserRequests[request.Request] is var r && Gone(r, now, parts) ? new Refusal("request.void", "Who asked, or what it is about, is gone.", "Deny it.") : null);

    private static bool Gone(UserRequest r, Picture now, EngineParts parts) => Subjects.Known(r.Owner, "", now, parts) is not null || parts.People.Find(r.By) is null;

    public override void Change(DecideRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var asked = now.UserRequests[request.Request];
        changes.Raw.UserRequests.Add(asked with
        {
            State = request.Approve ? UserRequestState.Approved : UserRequestState.Denied, DecidedBy = caller.Name, DecidedAt = parts.Clock.GetUtcNow(), Answer = request.Answer.Trim(), Revision = asked.Revision + 1,
        });
        changes.Text = $"{(request.Approve ? "Approved" : "Denied")}: {Subjects.Name(Keys.User(asked.By), now, parts)} asked for {(asked.Kind == UserRequestKind.Quota ? "a higher quota of" : "a place in")} {Subjects.Name(asked.Owner, now, parts)}.";
        if (!request.Approve) { return; }
        if (asked.Kind == UserRequestKind.Quota)
        {
            changes.Raw.Quotas.Add(new OwnerLimits(asked.Owner, request.Limits ?? asked.Limits!, (now.Quotas.GetValueOrDefault(asked.Owner)?.Revision ?? 0) + 1));
            return;
        }
        var group = now.FindUserGroup(asked.Owner)!;
        if (group.Find(asked.By) is null) { changes.Raw.UserGroups.Add(UserGroups.With(group, group.Members.Append(new Member(asked.By, null)))); }
    }
}

internal sealed class WithdrawRequestOperation : InstantOperation<WithdrawRequest>
{
    public override Right Right => Right.OwnRequest;
    public override Refusal? Check(WithdrawRequest request, Picture now, EngineParts parts) => RequestRules.Open(request.Request, now);

    public override void Change(WithdrawRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var asked = now.UserRequests[request.Request];
        changes.Text = "The request was withdrawn.";
        changes.Raw.UserRequests.Add(asked with { State = UserRequestState.Withdrawn, DecidedAt = parts.Clock.GetUtcNow(), Revision = asked.Revision + 1 });
    }
}
