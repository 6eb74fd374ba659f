// /api/v1/session: a token for a name and password, and its end.
using Microsoft.AspNetCore.Http.HttpResults;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class SessionRoutes
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(30);

    private static readonly Refusal s_failed = new("auth.failed", "Name or password is wrong.", "After several failures an account is locked for five minutes.");
    private static readonly Refusal s_codeRequired = new("auth.code-required", "This account has a second factor: its code is needed, too.", "Send it as code.") { Field = "code" };
    private static readonly Refusal s_codeWrong = new("auth.code-wrong", "This code is not right.", "Take the newest one of your authenticator; each works once.") { Field = "code" };

    public static void MapSession(this RouteGroupBuilder api)
    {
        api.MapPost("/session", CreateAsync).AllowAnonymous().WithTags("session");
        api.MapDelete("/session", async (HttpContext http, ApiTokens tokens, SignInAudit audit, CancellationToken ct) =>
        {
            if (TokenAuthentication.TokenOf(http.Request) is { } token && await tokens.RemoveAsync(token, ct)) { await audit.OutAsync(Callers.From(http)); }
            return TypedResults.NoContent();
        }).WithTags("session");
    }

    private static async Task<Results<Ok<LoginReply>, ProblemHttpResult>> CreateAsync(LoginRequest request, HttpContext http, SignIn signIn, ApiTokens tokens, SignInAudit audit, CancellationToken ct)
    {
        var from = Visitor.Of(http, Callers.FaceOf(http));
        if (await signIn.CheckAsync(request.User, request.Password, from) is not { User: var user, Way: var way }) { return Problems.With(s_failed, StatusCodes.Status401Unauthorized); }
        if (user.TwoFactorEnabled)
        {
            if (string.IsNullOrWhiteSpace(request.Code)) { return Problems.With(s_codeRequired, StatusCodes.Status401Unauthorized); }
            if (!await signIn.CheckCodeAsync(user, request.Code, way, from)) { return Problems.With(s_codeWrong, StatusCodes.Status401Unauthorized); }
        }
        var agent = http.Request.Headers.UserAgent.ToString();
        var token = await tokens.CreateSessionAsync(user.Id, agent.Length == 0 ? "session" : agent[..Math.Min(agent.Length, 100)], s_lifetime, ct);
        if (!await signIn.StandsAsync(user))
        {
            await tokens.RemoveAsync(token, ct);
            return Problems.With(s_failed, StatusCodes.Status401Unauthorized);
        }
        await audit.DoneAsync(user, way, user.TwoFactorEnabled, from);
        return TypedResults.Ok(new LoginReply(token, user.UserName!));
    }
}
