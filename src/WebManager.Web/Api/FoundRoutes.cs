// /api/v1/found: what nodes have and no record names, and taking it up.
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class FoundRoutes
{
    public static void MapFound(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/found").WithTags("found");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => engine.Feeds.Found.Current(engine.SightOf(Callers.From(http)).For<FoundRow>())
            .OrderBy(f => f.Name, StringComparer.Ordinal).ThenBy(f => f.Id).Select(f => f.View()).ToList());
        group.MapPost("/{id:guid}/adopt", (Guid id, AdoptRequest? body, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, Request(id, body ?? new AdoptRequest(), engine, people), http, body?.Reason)).Accepted();
    }

    private static AdoptInstance Request(Guid id, AdoptRequest body, IClusterEngine engine, IPeople people) => new(body.Name ?? engine.Now.Found.GetValueOrDefault(id)?.Name ?? id.ToString(), id)
    {
        Owner = body.Owner is { } owner ? KeyNames.KeyOf(owner, engine.Now, people) : null, OwnerFromTags = body.OwnerFromTags, NewAddresses = body.NewAddresses, Force = body.Force,
    };

    private static FoundView View(this FoundRow f) => new(f.Id, f.Name, f.Image.Length == 0 ? null : f.Image, f.Vcpus, f.MemoryMiB, f.DiskMiB, f.Template?.ToString().ToLowerInvariant(), f.Primary, f.Secondary, f.Runs)
    {
        Owner = f.OwnerName, OwnerHere = f.OwnerKey is not null, Tags = f.Tags, Nodes = f.Nodes, Why = f.Why,
    };
}
