// /api/v1/requests: what people ask for and what became of it; /api/v1/ssh-keys: the keys of new instances.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class SelfServiceRoutes
{
    public static void MapSelfService(this RouteGroupBuilder api)
    {
        var requests = api.MapGroup("/requests").WithTags("requests");
        requests.MapGet("/", (HttpContext http, IClusterEngine engine) => engine.Feeds.UserRequests.Current(engine.SightOf(Callers.From(http)).For<UserRequestRow>()).OrderByDescending(r => r.At).Select(View).ToList());
        requests.MapPost("/", Ask).Accepted();
        requests.MapPost("/{id:guid}/decide", (Guid id, DecideRequestRequest body, HttpContext http, IClusterEngine engine) =>
            Submit.AsJobAsync(engine, new DecideRequest(id, body.Approve, body.Answer) { Limits = body.Limits?.Model() }, http, null)).Accepted();
        requests.MapDelete("/{id:guid}", (Guid id, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new WithdrawRequest(id), http, null)).Accepted();
        var keys = api.MapGroup("/ssh-keys").WithTags("ssh-keys");
        keys.MapGet("/", (HttpContext http, IClusterEngine engine, IPeople people) => engine.Feeds.SshKeys.Current(engine.SightOf(Callers.From(http)).For<SshKey>()).OrderBy(k => k.At)
            .Select(k => new SshKeyView(k.Id, people.Find(k.User)?.Name ?? k.User, k.Name, k.Line, k.Fingerprint, k.At)).ToList());
        keys.MapPost("/", (AddSshKeyRequest body, HttpContext http, IClusterEngine engine, IPeople people) =>
            Submit.AsJobAsync(engine, new AddSshKey(body.Name, body.Key) { User = body.User is { } user ? people.Find(user)?.Id ?? user : null }, http, null)).Accepted();
        keys.MapDelete("/{id:guid}", (Guid id, HttpContext http, IClusterEngine engine) => Submit.AsJobAsync(engine, new RemoveSshKey(id), http, null)).Accepted();
    }

    private static Task<IResult> Ask(AskRequest body, HttpContext http, IClusterEngine engine, IPeople people)
    {
        var owner = body.Owner is { } named ? KeyNames.KeyOf(named, engine.Now, people) : Keys.User(Callers.From(http).UserId);
        return body.Kind switch
        {
            "quota" when body.Limits is { } limits => Submit.AsJobAsync(engine, new AskQuota(owner, limits.Model(), body.Reason), http, body.Reason),
            "quota" => Refuse(new Refusal("request.no-limits", "Say what the quota is to be.", "Give limits.") { Field = "limits" }),
            "membership" => Submit.AsJobAsync(engine, new AskMembership(owner, body.Reason), http, body.Reason),
            _ => Refuse(new Refusal("request.kind-unknown", "There is no such kind of request.", "Use quota or membership.") { Field = "kind" }),
        };
    }

    private static Task<IResult> Refuse(Refusal refusal) => Task.FromResult<IResult>(Problems.From(refusal));

    private static UserRequestView View(UserRequestRow r) => new(r.Id, r.Kind.ToString().ToLowerInvariant(), r.ByName, r.Owner, r.OwnerName, r.Reason, r.At, r.State.ToString().ToLowerInvariant())
    {
        Limits = r.Limits?.View(), DecidedBy = r.DecidedBy, DecidedAt = r.DecidedAt, Answer = r.Answer,
    };
}
