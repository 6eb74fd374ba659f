// Rights given and taken, and who owns an instance.
using WebManager.Contracts;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Operations;

internal sealed class SetGrantOperation : InstantOperation<SetGrant>
{
    public override Right Right => Right.GrantOn;

    public override Refusal? Check(SetGrant request, Picture now, EngineParts parts) => Subjects.Known(request.Subject, "subject", now, parts) ?? Object(request, now);

    private static Refusal? Object(SetGrant request, Picture now)
    {
        var there = request.Target == Keys.Cluster || (Keys.InstanceOf(request.Target) is { } i && now.Instances.ContainsKey(i)) || (Keys.GroupOf(request.Target) is { } g && now.UserGroups.ContainsKey(g)) || (Keys.TemplateOf(request.Target) is { } t && now.Templates.ContainsKey(t));
        if (!there || RightNames.For(request.Target) is not { } names) { return new Refusal("grant.target-unknown", $"There is no {Shown.Name(request.Target)} to give rights on.", "Name the cluster, an instance, a group or an instance template.") { Field = "target" }; }
        if (request.Rights.FirstOrDefault(r => !names.Contains(r)) is { } odd) { return new Refusal("grant.right-unknown", $"There is no right {Shown.Name(odd)} on it.", $"There are: {string.Join(", ", names)}.") { Field = "rights" }; }
        return request.Rights.Count == 0 && !now.Grants.ContainsKey(Grant.KeyOf(request.Subject, request.Target)) ? new Refusal("grant.none", "No right was given, and there is none to take.", "Choose at least one right.") { Field = "rights" } : null;
    }

    public override void Change(SetGrant request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var key = Grant.KeyOf(request.Subject, request.Target);
        var (who, what) = (Subjects.Name(request.Subject, now, parts), Subjects.Name(request.Target, now, parts));
        if (request.Rights.Count == 0)
        {
            changes.Text = $"{who} has no rights of its own on {what} any more.";
            changes.Raw.GrantsRemoved.Add(key);
            return;
        }
        var rights = RightNames.For(request.Target)!.Where(request.Rights.Contains).ToList();
        changes.Text = $"{who} has on {what}: {string.Join(", ", rights)}.";
        changes.Raw.Grants.Add(new Grant(request.Subject, request.Target, rights, parts.Clock.GetUtcNow(), (now.Grants.GetValueOrDefault(key)?.Revision ?? 0) + 1));
    }
}

/// <summary>Moves the charge and the rights that come with owning it, in one transaction.</summary>
internal sealed class ChangeOwnerOperation : InstanceOperation<ChangeOwner>, IInstantOperation
{
    public override Right Right => Right.Administrator;
    public override QuotaRule Quota => QuotaRule.TakesAllocated;
    public override IEnumerable<string> Locks(ChangeOwner request) => [];
    public override Task<Outcome<Done>> RunAsync(ChangeOwner request, JobContext job, CancellationToken ct) => Task.FromResult<Outcome<Done>>(Done.Value);

    protected override Refusal? Check(ChangeOwner request, Instance i, Picture now, EngineParts parts) =>
        i.Owner == request.Owner ? new Refusal("owner.same", $"{i.Name} is {(i.Owner.Length == 0 ? "nobody" : Subjects.Name(i.Owner, now, parts))}'s already.") { Field = "owner" }
        : now.OpenReservations.Any(j => j.Request is InstanceRequest r && r.Instance == i.Name) ? new Refusal("instance.busy", $"A job works on {i.Name}.", "Wait for it.")
        : request.Owner.Length == 0 ? null : Subjects.Known(request.Owner, "owner", now, parts);

    /// <summary>All that it holds, for the new owner; wanted running counts as running.</summary>
    public override Reservation? Reserves(ChangeOwner request, Caller caller, Picture now) =>
        now.Find(request.Instance) is { } i && Charges.Of(i) is var cost ? new Reservation(request.Owner, cost.Allocated, cost.Running) { Member = Subjects.MemberOf(request.Owner, i.MadeBy, now) } : null;

    public override bool Forced(ChangeOwner request) => request.Force;

    void IInstantOperation.Change(OperationRequest request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var (to, i) = (((ChangeOwner)request).Owner, now.Find(((ChangeOwner)request).Instance)!);
        changes.Text = $"{i.Name} is {(to.Length == 0 ? "nobody's" : Subjects.Name(to, now, parts) + "'s")} now; it was {(i.Owner.Length == 0 ? "nobody's" : Subjects.Name(i.Owner, now, parts) + "'s")}.";
        changes.Write(i with { Owner = to });
    }
}

/// <summary>Keys of users, groups and objects: whether they exist, and what people call them.</summary>
public static class Subjects
{
    public static Refusal? Known(string subject, string field, Picture now, EngineParts parts) =>
        (Keys.UserOf(subject) is { } user && parts.People.Find(user)?.Id == user) || (Keys.GroupOf(subject) is { } group && now.UserGroups.ContainsKey(group)) ? null
            : new Refusal("subject.unknown", $"There is no user or group {Shown.Name(subject)}.", "Choose one that exists.") { Field = field };

    public static string Name(string key, Picture now, EngineParts parts) => Name(key, now, parts.People);

    public static string Name(string key, Picture now, Ports.IPeople people) =>
        Keys.UserOf(key) is { } user ? people.Find(user)?.Name ?? "a removed user"
        : Keys.GroupOf(key) is { } group ? now.UserGroups.GetValueOrDefault(group)?.Name ?? "a removed group"
        : Keys.InstanceOf(key) is { } i ? now.Instances.GetValueOrDefault(i)?.Name ?? "a removed instance"
        : Keys.TemplateOf(key) is { } t ? now.Templates.GetValueOrDefault(t)?.Name ?? "a removed instance template"
        : key == Keys.Cluster ? "the cluster" : key;

    /// <summary>Who is charged beside the owner, when that is a project.</summary>
    public static string? MemberOf(string owner, string user, Picture now) => user.Length > 0 && Keys.GroupOf(owner) is { } id && now.UserGroups.GetValueOrDefault(id) is { Project: true } ? user : null;
}
