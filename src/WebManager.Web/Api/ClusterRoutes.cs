// /api/v1/cluster, /events, /images, and /healthz.
using System.Text.Json;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Hosting;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class ClusterRoutes
{
    public static readonly string Version = PortalVersion.Own.Split('+')[0];

    public static void MapCluster(this RouteGroupBuilder api)
    {
        api.MapGet("/cluster", Cluster).WithTags("cluster");
        api.MapPatch("/cluster", (ModifyClusterRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ModifyCluster { AutoRecover = body.AutoRecover, ReplaceAfterSeconds = body.ReplaceAfterSeconds }, http, body.Reason)).Accepted().WithTags("cluster");
        api.MapPost("/cluster/unfreeze", (ReasonRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new UnfreezeCluster(), http, body?.Reason)).Accepted().WithTags("cluster");
        api.MapGet("/images", (IImageCatalog catalog) => catalog.Images.Select(i => i.View()).ToList()).WithTags("images");
        api.MapGet("/events", async (HttpContext http, IClusterEngine engine, IClusterStore store, CancellationToken ct, long? before = null, int limit = 100) =>
            (await SeenPages.OfAsync(store.EventsAsync, e => e.Id, engine.SightOf(Callers.From(http)).Event, before, Math.Clamp(limit, 1, 1000), ct)).Select(e => e.View()).ToList()).WithTags("events");
    }

    public static void MapHealth(this WebApplication app) =>
        app.MapGet("/healthz", (IServiceProvider services) => Health(services) is { } missing
            ? TypedResults.Text(missing + "\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : TypedResults.Text("ok\n")).AllowAnonymous().ExcludeFromDescription();

    /// <summary>Counts of what may be seen.</summary>
    private static ClusterView Cluster(HttpContext http, IClusterEngine engine)
    {
        var sight = engine.SightOf(Callers.From(http));
        var nodes = engine.Feeds.Nodes.Current(sight.Node);
        var instances = engine.Feeds.Instances.Current(sight.Instance);
        var kinds = nodes.Where(n => n.Hypervisor is not null).Select(n => JsonNamingPolicy.CamelCase.ConvertName(n.Hypervisor.ToString()!)).Distinct().Order();
        return new ClusterView(engine.Cluster.Name, Version, nodes.Count(n => n.Health == NodeHealth.Online), nodes.Count,
            instances.Count(i => i.Status is InstanceStatus.Running or InstanceStatus.Migrating), instances.Count, string.Join(", ", kinds) is { Length: > 0 } all ? all : null)
        {
            AutoRecover = !engine.Cluster.RecoveryOff, FrozenAt = engine.Cluster.FrozenAt, FrozenText = engine.Cluster.FrozenText, ReplaceAfterSeconds = engine.Cluster.ReplaceAfterSeconds, Tags = engine.Cluster.Tags,
        };
    }

    /// <summary>Null when all is well; otherwise what is missing, on one line.</summary>
    private static string? Health(IServiceProvider services)
    {
        if (services.GetRequiredService<IClusterEngine>().Halted is { } halted) { return halted.Message; }
        var nodes = services.GetRequiredService<IClusterEngine>().Feeds.Nodes.Current().Values.Where(n => n.Health != NodeHealth.Offline).ToList();
        var waiting = nodes.Where(n => n.Health != NodeHealth.Online).Select(n => $"{n.Name} is {n.Health.ToString().ToLowerInvariant()}").Order().ToList();
        if (waiting.Count > 0) { return string.Join(", ", waiting); }
        var expected = services.Portal().ExpectedNodes;
        return nodes.Count < expected ? $"{nodes.Count} of {expected} nodes have joined" : null;
    }
}
