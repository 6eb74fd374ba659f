// Whether a caller may: the one place that decides it, on the request and what is stored.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Access;

internal static class Authoriser
{
    public const string Missing = "right.missing";

    public static Refusal? Refuses(OperationRequest request, Caller caller, Picture now, IPeople people)
    {
        var right = Catalog.Of(request).Right;
        if (caller == Caller.Watcher) { return null; }
        var account = caller.Account ? people.Find(caller.UserId) : null;
        // What holds now, and not what a sign-in once said.
        if (account is { Superuser: false }) { caller = caller with { Admin = false }; }
        if (account is { Active: false }) { return new Refusal(Missing, $"The account {caller.Name} is not active."); }
        if (caller.ReadOnly) { return new Refusal("right.read-only", "This token may only look.", "Use a token that may write."); }
        if (caller.Only is not null && !OfOnly(request, caller, now)) { return new Refusal(Missing, "This token is for other instances.", "Use another token, or sign in."); }
        if (Allows(right, request, caller, now, people)) { return null; }
        // Whether there is what one may not see is nobody's business.
        if (request is InstanceRequest r and not CreateInstance && !caller.Admin && (now.Access.Cluster(caller.UserId) & ~ClusterRights.CreateVm) == 0 && !(now.Find(r.Instance) is { } i && now.Access.Instance(caller.UserId, i.Id, i.Owner) != InstanceRights.None))
        {
            return new Refusal("instance.unknown", $"There is no instance {Shown.Name(r.Instance)}.") { Field = "instance" };
        }
        if (Hidden(request, caller, now) is { } hidden) { return hidden; }
        if (request is CreateFromTemplate from && Instead(from, caller, now, people) is { } instead) { return instead; }
        if (request is JobRequest j && !caller.Admin && !(now.Jobs.TryGetValue(j.Job, out var about) && new Sight(() => now, caller).Job(about))) { return JobChecks.Unknown(j.Job); }
        return new Refusal(Missing, $"{caller.Name} may not do that ({request.Name}).", "Ask an administrator.");
    }

    private static bool OfOnly(OperationRequest request, Caller caller, Picture now) =>
        request is InstanceRequest r and not (CreateInstance or TemplateFromInstance) && now.Find(r.Instance) is { } i && caller.Only!.Contains(i.Id);

    private static bool Allows(Right right, OperationRequest request, Caller caller, Picture now, IPeople people)
    {
        if (right == Right.WatcherOnly) { return false; }
        if (right is Right.Account or Right.OwnQuota) { return caller.Account && (right == Right.Account || (request is AskQuota own && now.Access.IsOne(caller.UserId, own.Owner))); }
        if (request is AddSshKey { User: null }) { return caller.Account; }
        if (caller.Admin) { return true; }
        if (caller.UserId.Length == 0) { return false; }
        var cluster = now.Access.Cluster(caller.UserId);
        return right switch
        {
            Right.Superuser or Right.WatcherOnly => false,
            Right.Administrator => cluster.HasFlag(ClusterRights.Admin),
            Right.Migrate => cluster.HasFlag(ClusterRights.Migrate),
            Right.ReplaceDisks => cluster.HasFlag(ClusterRights.ReplaceDisks),
            Right.ClusterTags => cluster.HasFlag(ClusterRights.Tags),
            Right.InstancePower => On(request, caller, now).HasFlag(InstanceRights.Power),
            Right.InstanceModify => On(request, caller, now).HasFlag(InstanceRights.Modify),
            Right.InstanceTags => On(request, caller, now).HasFlag(InstanceRights.Tags),
            Right.InstanceRemove => On(request, caller, now).HasFlag(InstanceRights.Remove),
            Right.InstanceAdmin => On(request, caller, now).HasFlag(InstanceRights.Admin),
            Right.CreateInstance => MayCreate(((CreateInstance)request).OwnerFor(caller), caller, now),
            Right.GroupAdmin => request is UserGroupRequest g && now.FindUserGroup(g.Group) is { } group && (cluster.HasFlag(ClusterRights.Admin) || now.Access.Group(caller.UserId, group.Id).HasFlag(UserGroupRights.Admin)),
            Right.Account or Right.OwnQuota => false,   // decided above: an administrator asks like everybody
            Right.Decide => request is DecideRequest d && MayDecide(d, caller, now, cluster),
            Right.OwnRequest => request is WithdrawRequest w && now.UserRequests.GetValueOrDefault(w.Request)?.By == caller.UserId,
            Right.OwnKeys => (request is AddSshKey a && (a.User is null || a.User == caller.UserId)) || (request is RemoveSshKey k && now.SshKeys.GetValueOrDefault(k.Key)?.User == caller.UserId),
            Right.MakeTemplate => MayMakeTemplates(caller, now),
            Right.TemplateAdmin => request is TemplateRequest t && now.FindTemplate(t.Template) is { } template && now.Access.Template(caller.UserId, template.Id, template.Owner).HasFlag(TemplateRights.Admin),
            Right.TemplateOfInstance => MayMakeTemplates(caller, now) && On(request, caller, now).HasFlag(InstanceRights.Modify),
            Right.UseTemplate => request is CreateFromTemplate u && MayUse(u, u.OwnerFor(caller), caller, now, people),
            Right.OwnJob => cluster.HasFlag(ClusterRights.Admin) || (request is JobRequest r && now.Jobs.TryGetValue(r.Job, out var job) && MayOn(job, caller, now, people)),
            Right.GrantOn => request is SetGrant s && MayGrant(s.Target, caller, now),
        };
    }

    private static InstanceRights On(OperationRequest request, Caller caller, Picture now) =>
        request is InstanceRequest r && now.Find(r.Instance) is { } i ? now.Access.Instance(caller.UserId, i.Id, i.Owner) : InstanceRights.None;

    /// <summary>For oneself with a right of one's own; for a group that one is in with the group's; a cluster's administrator for everybody.</summary>
    public static bool MayCreate(string owner, Caller caller, Picture now) =>
        caller.Admin || now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin)
        || (now.Access.IsOne(caller.UserId, owner) && now.Access.ClusterOf(owner).HasFlag(ClusterRights.CreateVm));

    /// <summary>With a right to create of one's own: what a group's members may make is the group's.</summary>
    public static bool MayMakeTemplates(Caller caller, Picture now) =>
        caller.Admin || now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin) || now.Access.ClusterOf(Keys.User(caller.UserId)).HasFlag(ClusterRights.CreateVm);

    /// <summary>
    /// Who may create for the owner anyway and sees the template; or the owner, oneself or a group one is in, was given the use of a template whose
    /// own owner may create.
    /// </summary>
    private static bool MayUse(CreateFromTemplate request, string owner, Caller caller, Picture now, IPeople people)
    {
        if (now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin)) { return true; }
        if (now.FindTemplate(request.Template) is not { } t) { return false; }
        if (MayCreate(owner, caller, now)) { return now.Access.Template(caller.UserId, t.Id, t.Owner) != TemplateRights.None; }
        return now.Access.IsOne(caller.UserId, owner) && now.Access.TemplateOf(owner, t.Id).HasFlag(TemplateRights.Use) && TemplateRules.Stands(t, now, people);
    }

    /// <summary>Templates that one may not see are not there.</summary>
    private static Refusal? Hidden(OperationRequest request, Caller caller, Picture now)
    {
        bool Sees(string name) => now.FindTemplate(name) is { } t && now.Access.Template(caller.UserId, t.Id, t.Owner) != TemplateRights.None;
        return request switch
        {
            TemplateRequest t and not AddTemplate when !Sees(t.Template) => TemplateRules.Unknown(t.Template),
            CreateFromTemplate c when !Sees(c.Template) => TemplateRules.Unknown(c.Template, "fromTemplate"),
            _ => null,
        };
    }

    /// <summary>Why a template that one sees is of no use now, and for whom it would be.</summary>
    private static Refusal? Instead(CreateFromTemplate request, Caller caller, Picture now, IPeople people)
    {
        var t = now.FindTemplate(request.Template)!;
        var owners = now.Access.SubjectsOf(caller.UserId).Where(owner => MayUse(request, owner, caller, now, people)).Select(owner => Subjects.Name(owner, now, people)).ToList();
        return owners.Count > 0 ? new Refusal(Missing, $"{caller.Name} may use the instance template {t.Name} only for {Shown.Some(owners)}.", $"Name {owners[0]} as the owner.") { Field = "owner" }
            : TemplateRules.Stands(t, now, people) ? null : new Refusal(Missing, $"The instance template {t.Name} is of somebody who may not create instances any more.", "Ask an administrator for another one.");
    }

    /// <summary>A quota: who administers the cluster. A place in a group: who administers that, too.</summary>
    private static bool MayDecide(DecideRequest d, Caller caller, Picture now, ClusterRights cluster) => cluster.HasFlag(ClusterRights.Admin)
        || (now.UserRequests.GetValueOrDefault(d.Request) is { Kind: UserRequestKind.Membership } r && Keys.GroupOf(r.Owner) is { } id && now.Access.Group(caller.UserId, id).HasFlag(UserGroupRights.Admin));

    /// <summary>Who filed it, who may do the same to the same, and who administers the cluster.</summary>
    private static bool MayOn(Job job, Caller caller, Picture now, IPeople people) =>
        job.Caller.UserId == caller.UserId
        || (job.Request is CreateInstance create ? MayCreate(create.OwnerFor(job.Caller), caller, now) : job.Request is not JobRequest && Allows(Catalog.Of(job.Request).Right, job.Request, caller, now, people));

    /// <summary>Who administers an object gives rights on it; to whom does not matter.</summary>
    private static bool MayGrant(string on, Caller caller, Picture now) =>
        now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin)
        || (Keys.InstanceOf(on) is { } id && now.Instances.TryGetValue(id, out var i) && now.Access.Instance(caller.UserId, id, i.Owner).HasFlag(InstanceRights.Admin))
        || (Keys.TemplateOf(on) is { } t && now.Templates.TryGetValue(t, out var template) && now.Access.Template(caller.UserId, t, template.Owner).HasFlag(TemplateRights.Admin));
}
