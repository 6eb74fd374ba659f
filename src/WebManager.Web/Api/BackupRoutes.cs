// GET /api/v1/backup: database and secrets as one file, for administrators.
using WebManager.Contracts;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class BackupRoutes
{
    public static void MapBackup(this RouteGroupBuilder api) => api.MapGet("/backup", MakeAsync).WithTags("cluster")
        .Produces(200, contentType: "application/gzip").ProducesProblem(403);

    private static async Task<IResult> MakeAsync(HttpContext http, IClusterEngine engine, IClusterStore store, BackupMaker maker, TimeProvider time)
    {
        var caller = Callers.From(http);
        var refusal = caller.Unlimited ? engine.Halted : new Refusal("backup.forbidden", "Only administrators may take a backup: it holds the cluster's keys.");
        var audit = new Changes();
        audit.Audit.Add(new AuditEntry(time.GetUtcNow(), caller.Name, caller.Face, caller.Address, "portal.backup", "cluster", refusal?.Code ?? "success", null, null));
        await store.CommitAsync(audit, CancellationToken.None);
        if (refusal is not null) { return Problems.From(refusal); }
        var made = await maker.MakeAsync(engine.Cluster.Name, ClusterRoutes.Version, http.RequestAborted);
        return TypedResults.File(made, "application/gzip", $"{engine.Cluster.Name}-{time.GetUtcNow():yyyyMMdd-HHmmss}.wmbackup");
    }
}
