// /api/v1/quotas: limits, what is held, the ledger's lines, the recount; and who owns an instance.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class QuotaRoutes
{
    public static void MapQuotas(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/quotas").WithTags("quotas");
        group.MapGet("/", (HttpContext http, IClusterEngine engine) => engine.Feeds.Owners.Current(engine.SightOf(Callers.From(http)).For<OwnerRow>()).OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => o.View()).ToList());
        group.MapGet("/{owner}", Show).Produces<QuotaView>().ProducesProblem(404);
        group.MapPut("/{owner}", (string owner, SetQuotaRequest body, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, new SetQuota(KeyNames.KeyOf(owner, engine.Now, people), body.Limits.Model()), http, body.Reason)).Accepted();
        group.MapDelete("/{owner}", (string owner, string? reason, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, new SetQuota(KeyNames.KeyOf(owner, engine.Now, people), null), http, reason)).Accepted();
        group.MapGet("/{owner}/charges", ChargesAsync).Produces<IReadOnlyList<ChargeView>>().ProducesProblem(404);
        group.MapPost("/recount", (RecountRequest? body, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RecountQuota { Repair = body?.Repair ?? false }, http, body?.Reason)).Accepted();
        api.MapPost("/instances/{name}/change-owner", (string name, ChangeOwnerRequest body, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, new ChangeOwner(engine.FindInstance(name)?.Name ?? name, KeyNames.KeyOf(body.Owner, engine.Now, people)) { Force = body.Force }, http, body.Reason)).Accepted().WithTags("instances");
    }

    private static IResult Show(string owner, HttpContext http, IClusterEngine engine, IPeople people) => Row(owner, http, engine, people) is { } row ? TypedResults.Ok(row.View()) : NotFound(owner);

    private static OwnerRow? Row(string owner, HttpContext http, IClusterEngine engine, IPeople people)
    {
        var key = owner == "me" ? Keys.User(Callers.From(http).UserId) : KeyNames.KeyOf(owner, engine.Now, people);
        return engine.SightOf(Callers.From(http)).Owner(key) ? engine.OwnerRow(key) : null;
    }

    private static async Task<IResult> ChargesAsync(string owner, HttpContext http, IClusterEngine engine, IPeople people, IClusterStore store, CancellationToken ct, int limit = 100) =>
        Row(owner, http, engine, people) is { } row
            ? TypedResults.Ok((await store.ChargesAsync(row.Owner, Math.Clamp(limit, 1, 1000), ct)).Select(c => c.View()).ToList()) : NotFound(owner);

    private static IResult NotFound(string owner) => Problems.From(new Refusal("owner.not-found", $"There is no user or group {owner}."));
}

internal static class AccessViews
{
    public static UserGroupView View(this UserGroupRow g) => new(g.Id, g.Name, g.Project, [.. g.Members.Select(m => new MemberView(m.User, m.Name, m.Limits?.View()))]);
    public static QuotaView View(this OwnerRow o) => new(o.Owner, o.Name, o.Allocated.View(), o.Running.View(), o.PendingAllocated.View(), o.PendingRunning.View(), o.Limits.View(), o.Own);
    public static ChargeView View(this Charge c) => new(c.At, c.Instance, c.Why, c.Job, c.Allocated.View(), c.Running.View(), c.AllocatedAfter.View(), c.RunningAfter.View());
    public static QuotaLimits Model(this QuotaLimitsView l) => new(l.Allocated.Model(), l.Running.Model());

    private static UsageView View(this Usage u) => new(u.Instances, u.Vcpus, u.MemoryMiB, u.DiskMiB);
    public static QuotaLimitsView View(this QuotaLimits l) => new(l.Allocated.View(), l.Running.View());
    private static LimitsView View(this Limits l) => new(l.Instances, l.Vcpus, l.MemoryMiB, l.DiskMiB);
    private static Limits Model(this LimitsView l) => new(l.Instances, l.Vcpus, l.MemoryMiB, l.DiskMiB);
}
