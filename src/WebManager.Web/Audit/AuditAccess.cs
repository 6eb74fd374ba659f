// Who may look into the audit, and how far.
using System.Reflection;
using System.Security.Claims;
using System.Text.Json.Serialization;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Identity;

namespace WebManager.Web.Audit;

/// <summary>What somebody gets of what was asked for. Addresses: also from where it was done.</summary>
public sealed record AuditSight(AuditFilter Filter, bool Addresses)
{
    public Data.AuditRow Of(Data.AuditRow row) => Addresses ? row : row with { Address = null };
}

public static class AuditAccess
{
    /// <summary>What goes through the engine's door. Accounts, sign-ins and looks into the audit do not.</summary>
    private static readonly IReadOnlyList<string> s_operations =
        [.. typeof(OperationRequest).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(a => a.TypeDiscriminator).OfType<string>()];

    /// <summary>Everything in it, of everybody.</summary>
    public static bool MaySeeAll(ClaimsPrincipal user) => Callers.IsAdministrator(user) && !user.HasClaim(c => c.Type == Callers.OnlyClaim);

    /// <summary>
    /// Superusers see all of it, administrators of the cluster what was done to it, and whoever has admin on an instance what was done to that
    /// one since it is there (not to a namesake before), without addresses. Null: nothing.
    /// </summary>
    public static AuditSight? Of(ClaimsPrincipal user, IClusterEngine engine, AuditFilter asked)
    {
        if (MaySeeAll(user)) { return new AuditSight(asked, true); }
        if (user.Identity?.IsAuthenticated != true) { return null; }
        var (caller, clusters) = (Callers.From(user, Callers.Portal), asked with { Operations = s_operations });
        var sight = engine.SightOf(caller);
        if (sight.ClusterAdmin && caller.Only is null) { return new AuditSight(clusters, true); }
        if (asked.Address is not null || asked.Also is not null || asked.Subject?.Split(':', 2) is not ["instance", var name]) { return null; }
        return engine.Now.Find(name) is { } i && i.Name == name && sight.RightsOn(i.Id, i.Owner).HasFlag(InstanceRights.Admin)
            ? new AuditSight(clusters with { From = asked.From is { } from && from > i.CreatedAt ? from : i.CreatedAt }, false) : null;
    }
}
