// /api/v1/instances: list, show, create, act, remove, serial tail. The API only parses; the engine's door decides.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class InstanceRoutes
{
    private const int MostLines = 10_000;

    public static void MapInstances(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/instances").WithTags("instances");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => engine.Feeds.Instances.Current(engine.SightOf(Callers.From(http)).Instance).OrderBy(i => i.Name, StringComparer.Ordinal).Select(i => i.View(engine)).ToList());
        group.MapGet("/{name}", (string name, HttpContext http, IClusterEngine engine) => Seen(engine, name, http) is { } row ? (IResult)TypedResults.Ok(row.View(engine)) : NotFound(name))
            .Produces<InstanceView>().ProducesProblem(404);
        group.MapPost("/", (CreateInstanceRequest body, HttpContext http, IClusterEngine engine) => CreateAsync(body, http, engine)).Accepted();
        group.MapDelete("/{name}", (string name, string? reason, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new RemoveInstance(engine.FindInstance(name)?.Name ?? name), http, reason)).Accepted();
        group.MapPatch("/{name}", ModifyAsync).Accepted();
        MapAction(group, "start", (name, _) => new StartInstance(name));
        MapAction(group, "stop", (name, seconds) => seconds is { } s ? new StopInstance(name) { TimeoutSeconds = s } : new StopInstance(name));
        MapAction(group, "reboot", (name, seconds) => seconds is { } s ? new RebootInstance(name) { TimeoutSeconds = s } : new RebootInstance(name));
        MapAction(group, "failover", (name, seconds) => seconds is { } s ? new FailoverInstance(name) { TimeoutSeconds = s } : new FailoverInstance(name));
        group.MapPost("/{name}/migrate", (string name, MigrateInstanceRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new MigrateInstance(engine.FindInstance(name)?.Name ?? name) { AllowFailover = body?.AllowFailover ?? false }, http, body?.Reason)).Accepted();
        MapAction(group, "resync", (name, _) => new ResyncInstance(name));
        group.MapPost("/{name}/confirm", (string name, ConfirmInstanceRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ConfirmInstance(engine.FindInstance(name)?.Name ?? name, body.Node), http, body.Reason)).Accepted();
        group.MapPost("/{name}/replace-secondary", (string name, ReplaceSecondaryRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new ReplaceSecondary(engine.FindInstance(name)?.Name ?? name) { Node = body?.Secondary }, http, body?.Reason)).Accepted();
        group.MapGet("/{name}/serial", SerialAsync).Produces<SerialView>().ProducesProblem(404).ProducesProblem(503);
    }

    /// <summary>By name, or by id.</summary>
    public static InstanceRow? Find(IClusterEngine engine, string nameOrId) =>
        engine.FindInstance(nameOrId) is { } found ? engine.Feeds.Instances.Find(found.Id)
        : Guid.TryParse(nameOrId, out var id) ? engine.Feeds.Instances.Find(id) : null;

    /// <summary>What may not be seen is not there.</summary>
    private static InstanceRow? Seen(IClusterEngine engine, string nameOrId, HttpContext http) =>
        Find(engine, nameOrId) is { } row && engine.SightOf(Callers.From(http)).Instance(row) ? row : null;

    private static void MapAction(RouteGroupBuilder group, string verb, Func<string, int?, OperationRequest> request) =>
        group.MapPost($"/{{name}}/{verb}", (string name, InstanceActionRequest? body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, request(engine.FindInstance(name)?.Name ?? name, body?.TimeoutSeconds), http, body?.Reason)).Accepted();

    private static Task<IResult> ModifyAsync(string name, ModifyInstanceRequest body, HttpContext http, IClusterEngine engine)
    {
        RecoveryPriority? priority = null;
        if (body.Priority is { } word)
        {
            if (!Enum.TryParse<RecoveryPriority>(word, ignoreCase: true, out var known) || int.TryParse(word, out _))
                return Task.FromResult<IResult>(Problems.From(new Refusal("instance.priority-unknown", $"There is no priority {word}.", "Use low, normal or high.") { Field = "priority" }));
            priority = known;
        }
        return Submit.AsJobAsync(engine, new ModifyInstance(engine.FindInstance(name)?.Name ?? name) { AutoRecover = body.AutoRecover, Priority = priority }, http, body.Reason);
    }

    private static Task<IResult> CreateAsync(CreateInstanceRequest body, HttpContext http, IClusterEngine engine)
    {
        DiskTemplate? disks = null;
        if (body.Template is { } word && (disks = DiskTemplates.Read(word)) is null) { return DiskTemplates.RefuseAsync(word); }
        var owner = body.Owner is { } named ? KeyNames.KeyOf(named, engine.Now, http.RequestServices.GetRequiredService<IPeople>()) : null;
        if (body.FromTemplate is { } from)
        {
            return Submit.AsJobAsync(engine, new CreateFromTemplate(body.Name, from)
            {
                Image = body.Image, Vcpus = body.Vcpus, MemoryMiB = body.MemoryMiB, DiskTemplate = disks, DisksMiB = body.DisksMiB, Nics = body.Nics, OsParams = body.OsParams, Start = body.Start,
                Primary = body.Primary, Secondary = body.Secondary, SshKeys = body.SshKeys ?? [], Owner = owner, Force = body.Force,
            }, http, body.Reason);
        }
        if (body is not { Image: { } image, Vcpus: { } vcpus, MemoryMiB: { } memory, DisksMiB: { } sizes } || disks is not { } template) { return Task.FromResult<IResult>(Incomplete(body)); }
        return Submit.AsJobAsync(engine, new CreateInstance(body.Name, image, vcpus, memory, template, sizes)
        {
            Nics = body.Nics ?? 1, Owner = owner, Force = body.Force, Primary = body.Primary, Secondary = body.Secondary, SshKeys = body.SshKeys ?? [], OsParams = body.OsParams ?? new Dictionary<string, string>(), Start = body.Start ?? true, Tags = body.Tags ?? [],
        }, http, body.Reason);
    }

    /// <summary>Without an instance template all of these are needed: the same answer as for every other field that is missing.</summary>
    private static IResult Incomplete(CreateInstanceRequest body)
    {
        var field = body.Image is null ? "image" : body.Vcpus is null ? "vcpus" : body.MemoryMiB is null ? "memoryMiB" : body.Template is null ? "template" : "disksMiB";
        return Problems.With(new Refusal("request.invalid-json", $"The field {field} is missing.", "See /openapi/v1.json for the fields and their types.") { Field = field }, StatusCodes.Status400BadRequest);
    }

    private static async Task<IResult> SerialAsync(string name, IClusterEngine engine, INodeLinks links, HttpContext http, int last = 100)
    {
        if (Seen(engine, name, http) is not { } row) { return NotFound(name); }
        if (!engine.SightOf(Callers.From(http)).RightsOn(row.Id, row.OwnerKey).HasFlag(InstanceRights.Console))
            return Problems.From(new Refusal("right.missing", $"You may not use the console of {row.Name}."));
        if (engine.Feeds.Nodes.Find(row.Primary) is not { } node)
            return Problems.From(new Refusal("node.unreachable", $"Node {row.Primary} is not there."));
        var reply = await links.To(node.Name, node.Address)
            .CallAsync(new SerialTailRequest(row.Id, Math.Clamp(last, 1, MostLines)), TimeSpan.FromSeconds(5), http.RequestAborted);
        return reply.Ok ? TypedResults.Ok(new SerialView(reply.Value.Lines)) : Problems.From(reply.Refusal);
    }

    private static IResult NotFound(string name) => Problems.From(new Refusal("instance.not-found", $"There is no instance {name}."));
}
