// /api/v1/session: a token for a name and password, and its end.
using Microsoft.AspNetCore.Http.HttpResults;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class SessionRoutes
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(30);

    public static void MapSession(this RouteGroupBuilder api)
    {
        api.MapPost("/session", CreateAsync).AllowAnonymous().WithTags("session");
        api.MapDelete("/session", async (HttpContext http, ApiTokens tokens, CancellationToken ct) =>
        {
            if (TokenAuthentication.TokenOf(http.Request) is { } token) { await tokens.RemoveAsync(token, ct); }
            return TypedResults.NoContent();
        }).WithTags("session");
    }

    private static async Task<Results<Ok<LoginReply>, ProblemHttpResult>> CreateAsync(LoginRequest request, HttpContext http, SignIn signIn, ApiTokens tokens, CancellationToken ct)
    {
        var user = await signIn.CheckAsync(request.User, request.Password, http.Connection.RemoteIpAddress?.ToString());
        if (user is null)
        {
            return Problems.With(new Refusal("auth.failed", "Name or password is wrong.", "After several failures an account is locked for five minutes."),
                StatusCodes.Status401Unauthorized);
        }
        var agent = http.Request.Headers.UserAgent.ToString();
        return TypedResults.Ok(new LoginReply(await tokens.CreateAsync(user.Id, agent.Length == 0 ? "session" : agent[..Math.Min(agent.Length, 100)], s_lifetime, ct), user.UserName!));
    }
}
