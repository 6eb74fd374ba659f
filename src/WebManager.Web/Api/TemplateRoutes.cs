// /api/v1/templates: what instances are made from. Making one from them is POST /api/v1/instances with fromTemplate.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class TemplateRoutes
{
    public static void MapTemplates(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/templates").WithTags("templates");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => Seen(http, engine).Select(t => t.View(engine, Callers.From(http))).ToList());
        group.MapGet("/{name}", (string name, HttpContext http, IClusterEngine engine) => Seen(http, engine).FirstOrDefault(t => t.Name == name || t.Id.ToString() == name) is { } found
            ? (IResult)TypedResults.Ok(found.View(engine, Callers.From(http))) : Problems.From(new Refusal("template.not-found", $"There is no instance template {name}."))).Produces<TemplateView>().ProducesProblem(404);
        group.MapPost("/", (AddTemplateRequest body, HttpContext http, IClusterEngine engine) => AddAsync(body, http, engine)).Accepted();
        group.MapPatch("/{name}", (string name, ModifyTemplateRequest body, HttpContext http, IClusterEngine engine) => ModifyAsync(name, body, http, engine)).Accepted();
        group.MapDelete("/{name}", (string name, string? reason, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveTemplate(name), http, reason)).Accepted();
        group.MapPost("/{name}/copy", (string name, CopyTemplateRequest body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new CopyTemplate(name, body.NewName), http, body.Reason)).Accepted();
        group.MapPost("/from-instance", (TemplateFromInstanceRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new TemplateFromInstance(engine.FindInstance(body.Instance)?.Name ?? body.Instance, body.Name) { Description = body.Description, SizesFree = body.SizesFree }, http, body.Reason)).Accepted();
    }

    private static IEnumerable<TemplateRow> Seen(HttpContext http, IClusterEngine engine) =>
        engine.Feeds.Templates.Current(engine.SightOf(Callers.From(http)).For<TemplateRow>()).OrderBy(t => t.Name, StringComparer.Ordinal);

    private static Task<IResult> AddAsync(AddTemplateRequest body, HttpContext http, IClusterEngine engine) =>
        DiskTemplates.Read(body.Template) is not { } disks ? DiskTemplates.RefuseAsync(body.Template)
            : Submit.AsJobAsync(engine, new AddTemplate(body.Name, new TemplateParameters(body.Image, body.Vcpus, body.MemoryMiB, disks, body.DisksMiB)
            {
                Nics = body.Nics, OsParams = body.OsParams ?? new Dictionary<string, string>(), Start = body.Start, SizesFree = body.SizesFree,
            }) { Description = body.Description }, http, body.Reason);

    /// <summary>Merged with what is stored; a template that is not there, or not to be seen, is the door's to refuse.</summary>
    private static Task<IResult> ModifyAsync(string name, ModifyTemplateRequest body, HttpContext http, IClusterEngine engine)
    {
        DiskTemplate? disks = null;
        if (body.Template is { } word && (disks = DiskTemplates.Read(word)) is null) { return DiskTemplates.RefuseAsync(word); }
        var touches = body is not { Image: null, Vcpus: null, MemoryMiB: null, Template: null, DisksMiB: null, Nics: null, OsParams: null, Start: null, SizesFree: null };
        var stored = touches ? engine.Now.FindTemplate(name) : null;
        var merged = stored?.Parameters is { } p ? p with
        {
            Image = body.Image ?? p.Image, Vcpus = body.Vcpus ?? p.Vcpus, MemoryMiB = body.MemoryMiB ?? p.MemoryMiB, Template = disks ?? p.Template, DisksMiB = body.DisksMiB ?? (disks == DiskTemplate.Diskless ? [] : p.DisksMiB),
            Nics = body.Nics ?? p.Nics, OsParams = body.OsParams ?? p.OsParams, Start = body.Start ?? p.Start, SizesFree = body.SizesFree ?? p.SizesFree,
        } : null;
        return Submit.AsJobAsync(engine, new ModifyTemplate(name) { NewName = body.NewName, Description = body.Description, Parameters = merged, Seen = stored?.Revision }, http, body.Reason);
    }

    public static TemplateView View(this TemplateRow t, IClusterEngine engine, Caller caller) => new(t.Id, t.Name, t.Owner, t.Template.Description, t.Parameters.Image, t.Parameters.Vcpus, t.Parameters.MemoryMiB,
        DiskTemplates.Word(t.Parameters.Template), t.Parameters.DisksMiB)
    {
        Nics = t.Parameters.Nics, OsParams = t.Parameters.OsParams, Start = t.Parameters.Start, SizesFree = t.Parameters.SizesFree, Stands = t.Stands, At = t.Template.At,
        Rights = RightNames.Names(engine.SightOf(caller).RightsOnTemplate(t.Id, t.OwnerKey)),
    };
}

/// <summary>Disk templates as the API names them.</summary>
internal static class DiskTemplates
{
    public static DiskTemplate? Read(string word) =>
        Enum.TryParse<DiskTemplate>(word, ignoreCase: true, out var template) && Enum.IsDefined(template) && !int.TryParse(word, out _) ? template : null;

    public static string Word(DiskTemplate template) => template.ToString().ToLowerInvariant();

    public static Task<IResult> RefuseAsync(string word) => Task.FromResult<IResult>(Problems.From(
        new Refusal("instance.template-unknown", $"There is no disk template {word}.", $"Use one of {string.Join(", ", Enum.GetValues<DiskTemplate>().Select(Word))}.") { Field = "template" }));
}
