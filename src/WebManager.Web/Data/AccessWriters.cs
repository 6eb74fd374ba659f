using System.Data.Common;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Data;

/// <summary>The statements for groups of people, grants and the ledger.</summary>
internal sealed class AccessWriters(PortalDb db, DbConnection connection) : IDisposable
{
    private readonly RowWriter<UserGroup> _groups = new(db, connection);
    private readonly RowWriter<Grant> _grants = new(db, connection);
    private readonly RowWriter<Holding> _holdings = new(db, connection);
    private readonly RowWriter<OwnerLimits> _quotas = new(db, connection);
    private readonly RowWriter<UserRequest> _requests = new(db, connection);
    private readonly RowWriter<SshKey> _keys = new(db, connection);
    private readonly RowWriter<InstanceTemplate> _templates = new(db, connection);
    private readonly RowWriter<Charge> _charges = new(db, connection);

    public void Write(Changes changes, DbTransaction transaction)
    {
        foreach (var id in changes.UserGroupsRemoved) { _groups.Delete(id, transaction); }
        foreach (var key in changes.GrantsRemoved) { _grants.Delete(key, transaction); }
        foreach (var owner in changes.QuotasRemoved) { _quotas.Delete(owner, transaction); }
        foreach (var group in changes.UserGroups) { Writers.Check(_groups.Write(group, transaction), $"group {group.Name}"); }
        foreach (var grant in changes.Grants) { Writers.Check(_grants.Write(grant, transaction), $"grant {grant.Key}"); }
        foreach (var holding in changes.Holdings) { Writers.Check(_holdings.Write(holding, transaction), $"holding {holding.Owner}"); }
        foreach (var quota in changes.Quotas) { Writers.Check(_quotas.Write(quota, transaction), $"quota {quota.Owner}"); }
        foreach (var id in changes.SshKeysRemoved) { _keys.Delete(id, transaction); }
        foreach (var request in changes.UserRequests) { Writers.Check(_requests.Write(request, transaction), $"request {request.Id}"); }
        foreach (var key in changes.SshKeys) { Writers.Check(_keys.Write(key, transaction), $"SSH key {key.Id}"); }
        foreach (var id in changes.TemplatesRemoved) { _templates.Delete(id, transaction); }
        foreach (var template in changes.Templates) { Writers.Check(_templates.Write(template, transaction), $"instance template {template.Name}"); }
        foreach (var charge in changes.Charges) { _charges.Upsert(charge, transaction); }
    }

    public void Dispose()
    {
        _groups.Dispose();
        _grants.Dispose();
        _holdings.Dispose();
        _quotas.Dispose();
        _charges.Dispose();
        _requests.Dispose();
        _keys.Dispose();
        _templates.Dispose();
    }
}
