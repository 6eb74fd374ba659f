// /api/v1/users: accounts of others, for superusers. The API only parses; Accounts decides.
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class UserRoutes
{
    public static void MapUsers(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/users").WithTags("users").ProducesProblem(403);
        group.MapGet("/", async (HttpContext http, Accounts accounts, CancellationToken ct) => (await accounts.ListAsync(Callers.From(http), ct)).Answer()).Produces<List<UserView>>();
        group.MapPost("/", AddAsync).Produces<UserLinkReply>(201).ProducesProblem(409).ProducesProblem(422);
        var one = group.MapGroup("/{name}").ProducesProblem(404);
        one.MapGet("", async (string name, HttpContext http, Accounts accounts, CancellationToken ct) => (await accounts.ShowAsync(Callers.From(http), name, ct)).Answer()).Produces<UserView>();
        one.MapPatch("", async (string name, ModifyUserRequest body, HttpContext http, Accounts accounts) => (await accounts.ModifyAsync(Callers.From(http), name, body)).Answer())
            .Produces<UserView>().ProducesProblem(409).ProducesProblem(422);
        one.MapDelete("", async (string name, HttpContext http, Accounts accounts) => (await accounts.RemoveAsync(Callers.From(http), name)).Answer()).Produces(204).ProducesProblem(409);
        one.MapPost("/reset-password", async (string name, HttpContext http, Accounts accounts) => (await accounts.ResetPasswordAsync(Callers.From(http), name)).Answer())
            .Produces<UserLinkReply>().ProducesProblem(409);
        one.MapPost("/reset-second-factor", async (string name, HttpContext http, Accounts accounts) => (await accounts.ResetSecondFactorAsync(Callers.From(http), name)).Answer())
            .Produces(204).ProducesProblem(409);
        one.MapGet("/sessions", async (string name, HttpContext http, Accounts accounts, CancellationToken ct) => (await accounts.SessionsAsync(Callers.From(http), name, ct)).Answer())
            .Produces<List<SessionView>>();
        one.MapDelete("/sessions", async (string name, HttpContext http, Accounts accounts) => (await accounts.EndSessionsAsync(Callers.From(http), name, null)).Answer()).Produces(204);
        one.MapDelete("/sessions/{id:guid}", async (string name, Guid id, HttpContext http, Accounts accounts) => (await accounts.EndSessionsAsync(Callers.From(http), name, id)).Answer()).Produces(204);
    }

    private static async Task<IResult> AddAsync(AddUserRequest body, HttpContext http, Accounts accounts)
    {
        var made = await accounts.CreateAsync(Callers.From(http), body);
        return made.Ok ? TypedResults.Created($"/api/v1/users/{Uri.EscapeDataString(made.Value.Name)}", made.Value) : Problems.From(made.Refusal);
    }

    /// <summary>200 with the value, 204 when there is nothing to say, or why not.</summary>
    public static IResult Answer<T>(this Outcome<T> outcome) => outcome switch
    {
        { Ok: false, Refusal: { } refusal } => Problems.From(refusal),
        { Value: Done } => TypedResults.NoContent(),
        _ => TypedResults.Ok(outcome.Value),
    };
}
