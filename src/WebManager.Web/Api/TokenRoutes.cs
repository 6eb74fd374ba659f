// /api/v1/tokens: one's own tokens for programs.
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class TokenRoutes
{
    public static void MapTokens(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/tokens").WithTags("tokens").ProducesProblem(403);
        group.MapGet("/", async (HttpContext http, Accounts accounts, CancellationToken ct) => (await accounts.TokensAsync(Callers.From(http), ct)).Answer()).Produces<List<TokenView>>();
        group.MapPost("/", AddAsync).Produces<AddTokenReply>(201).ProducesProblem(409).ProducesProblem(422);
        group.MapDelete("/{id}", async (string id, HttpContext http, Accounts accounts) => (await accounts.RemoveTokenAsync(Callers.From(http), id)).Answer()).Produces(204).ProducesProblem(404);
    }

    private static async Task<IResult> AddAsync(AddTokenRequest body, HttpContext http, Accounts accounts)
    {
        var made = await accounts.AddTokenAsync(Callers.From(http), body);
        return made.Ok ? TypedResults.Created($"/api/v1/tokens/{made.Value.View.Id}", made.Value) : Problems.From(made.Refusal);
    }
}
