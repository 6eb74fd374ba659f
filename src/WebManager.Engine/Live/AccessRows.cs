// Keeps the feeds of groups, grants and holdings equal to the picture.
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;
using WebManager.Engine.Quota;

namespace WebManager.Engine.Live;

internal sealed class AccessRows(ClusterState state, ClusterFeeds feeds, IPeople people)
{
    public void OnCommitted(Picture before, Changes changes)
    {
        var regrouped = changes.UserGroups.Count + changes.UserGroupsRemoved.Count > 0;
        if (regrouped || changes.Grants.Count + changes.GrantsRemoved.Count > 0)
        {
            Groups();
            Grants();
            Templates();
            if (regrouped) { Owners(); }
            feeds.Recheck();
        }
        foreach (var r in changes.UserRequests) { Request(r); }
        foreach (var k in changes.SshKeys) { feeds.SshKeys.Set(k.Id, k); }
        foreach (var id in changes.SshKeysRemoved) { feeds.SshKeys.Set(id, null); }
        foreach (var t in changes.Templates) { Template(t); }
        foreach (var id in changes.TemplatesRemoved) { feeds.Templates.Set(id, null); }
        var owners = changes.Holdings.Select(h => h.Owner).Concat(changes.Quotas.Select(q => q.Owner)).Concat(changes.QuotasRemoved)
            .Concat(changes.Jobs.Select(j => j.Reserved?.Owner).OfType<string>()).Where(o => o.Length > 0).ToHashSet(StringComparer.Ordinal);
        if (owners.Contains(OwnerLimits.DefaultOwner)) { Owners(); }
        else { foreach (var owner in owners) { Owner(owner); } }
    }

    public void All()
    {
        Groups();
        Grants();
        Owners();
        Templates();
        foreach (var r in state.Now.UserRequests.Values) { Request(r); }
        foreach (var k in state.Now.SshKeys.Values) { feeds.SshKeys.Set(k.Id, k); }
    }

    private void Request(UserRequest r) => feeds.UserRequests.Set(r.Id, new UserRequestRow(r.Id, r.Kind, r.By, people.Find(r.By)?.Name ?? "a removed user", r.Owner, Subjects.Name(r.Owner, state.Now, people), r.Reason, r.At, r.State)
    {
        Limits = r.Limits, DecidedBy = r.DecidedBy, DecidedAt = r.DecidedAt, Answer = r.Answer,
    });

    /// <summary>All of them: whether one stands depends on what its owner may.</summary>
    private void Templates()
    {
        foreach (var t in state.Now.Templates.Values) { Template(t); }
    }

    private void Template(InstanceTemplate t) => feeds.Templates.Set(t.Id, new TemplateRow(t, t.Owner.Length == 0 ? "" : Subjects.Name(t.Owner, state.Now, people), TemplateRules.Stands(t, state.Now, people)));

    private void Groups()
    {
        foreach (var g in state.Now.UserGroups.Values)
        {
            feeds.UserGroups.Set(g.Id, new UserGroupRow(g.Id, g.Name, g.Project, [.. g.Members.Select(m => new MemberRow(m.User, people.Find(m.User)?.Name ?? "a removed user", m.Limits)).OrderBy(m => m.Name, StringComparer.Ordinal)]));
        }
        foreach (var gone in feeds.UserGroups.Current().Keys.Where(id => !state.Now.UserGroups.ContainsKey(id))) { feeds.UserGroups.Set(gone, null); }
    }

    private void Grants()
    {
        foreach (var g in state.Now.Grants.Values)
        {
            feeds.Grants.Set(g.Key, new GrantRow(g.Subject, Subjects.Name(g.Subject, state.Now, people), g.Target, Subjects.Name(g.Target, state.Now, people), g.Rights));
        }
        foreach (var gone in feeds.Grants.Current().Keys.Where(k => !state.Now.Grants.ContainsKey(k))) { feeds.Grants.Set(gone, null); }
    }

    private void Owners()
    {
        foreach (var owner in state.Now.Holdings.Keys.Union(state.Now.Quotas.Keys, StringComparer.Ordinal).Union(feeds.Owners.Current().Keys, StringComparer.Ordinal)) { Owner(owner); }
    }

    private void Owner(string owner)
    {
        var row = RowOf(owner);
        feeds.Owners.Set(owner, row is null || (!row.Own && row is { Allocated.Instances: 0, PendingAllocated.Instances: 0 }) ? null : row);
    }

    /// <summary>Null: there is no such owner.</summary>
    public OwnerRow? RowOf(string owner)
    {
        var now = state.Now;
        if (!Exists(owner, now)) { return null; }
        var (held, pending) = (Charges.HeldBy(now, owner), Charges.Pending(now, owner));
        return new OwnerRow(owner, owner == OwnerLimits.DefaultOwner ? "everybody" : Subjects.Name(owner, now, people), held.Allocated, held.Running, pending.Allocated, pending.Running,
            Charges.LimitsOf(now, owner), now.Quotas.ContainsKey(owner));
    }

    private bool Exists(string owner, Picture now) => owner == OwnerLimits.DefaultOwner || (Keys.UserOf(owner) is { } user && people.Find(user)?.Id == user)
        || (Keys.GroupOf(owner) is { } id && now.UserGroups.ContainsKey(id));
}
