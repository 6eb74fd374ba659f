// /api/v1/profile: one's own account.
using WebManager.Contracts.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Api;

internal static class ProfileRoutes
{
    public static void MapProfile(this RouteGroupBuilder api)
    {
        var group = api.MapGroup("/profile").WithTags("profile").ProducesProblem(403).ProducesProblem(404);
        group.MapGet("/", async (HttpContext http, Accounts accounts, CancellationToken ct) => (await accounts.ProfileAsync(Callers.From(http), ct)).Answer()).Produces<UserView>();
        group.MapPatch("/", async (ModifyProfileRequest body, HttpContext http, Accounts accounts) => (await accounts.ModifyProfileAsync(Callers.From(http), body)).Answer())
            .Produces<UserView>().ProducesProblem(409).ProducesProblem(422);
        group.MapPost("/password", async (ChangePasswordRequest body, HttpContext http, Accounts accounts) =>
            (await accounts.ChangePasswordAsync(Callers.From(http), body.OldPassword, body.NewPassword, Callers.SourceOf(http.User))).Answer()).Produces(204).ProducesProblem(422);
        MapSessions(group);
        MapSecondFactor(group.MapGroup("/second-factor"));
        MapPasskeys(group.MapGroup("/passkeys"));
    }

    private static void MapSessions(RouteGroupBuilder group)
    {
        group.MapGet("/sessions", async (HttpContext http, Accounts accounts, CancellationToken ct) =>
            (await accounts.OwnSessionsAsync(Callers.From(http), Callers.SourceOf(http.User), ct)).Answer()).Produces<List<SessionView>>();
        group.MapDelete("/sessions", async (HttpContext http, Accounts accounts) =>
            (await accounts.EndOwnSessionsAsync(Callers.From(http), null, Callers.SourceOf(http.User))).Answer()).Produces(204);
        group.MapDelete("/sessions/{id:guid}", async (Guid id, HttpContext http, Accounts accounts) => (await accounts.EndOwnSessionsAsync(Callers.From(http), id, null)).Answer()).Produces(204);
    }

    private static void MapSecondFactor(RouteGroupBuilder group)
    {
        group.MapPost("", async (HttpContext http, Accounts accounts) => (await accounts.BeginSecondFactorAsync(Callers.From(http))).Answer()).Produces<SecondFactorOffer>().ProducesProblem(409);
        group.MapPost("/confirm", async (CodeRequest body, HttpContext http, Accounts accounts) => (await accounts.ConfirmSecondFactorAsync(Callers.From(http), body.Code)).Answer())
            .Produces<RecoveryCodesReply>().ProducesProblem(409).ProducesProblem(422);
        group.MapPost("/recovery-codes", async (CodeRequest body, HttpContext http, Accounts accounts) => (await accounts.NewRecoveryCodesAsync(Callers.From(http), body.Code)).Answer())
            .Produces<RecoveryCodesReply>().ProducesProblem(409).ProducesProblem(422);
        group.MapPost("/off", async (SecondFactorOffRequest body, HttpContext http, Accounts accounts) => (await accounts.SecondFactorOffAsync(Callers.From(http), body.Password, body.Code)).Answer())
            .Produces(204).ProducesProblem(409).ProducesProblem(422);
    }

    private static void MapPasskeys(RouteGroupBuilder group)
    {
        group.MapGet("", async (HttpContext http, Accounts accounts) => (await accounts.PasskeysAsync(Callers.From(http))).Answer()).Produces<List<PasskeyView>>();
        group.MapPatch("/{id}", async (string id, RenameRequest body, HttpContext http, Accounts accounts) => (await accounts.RenamePasskeyAsync(Callers.From(http), id, body.Name)).Answer())
            .Produces(204).ProducesProblem(422);
        group.MapDelete("/{id}", async (string id, HttpContext http, Accounts accounts) => (await accounts.RemovePasskeyAsync(Callers.From(http), id)).Answer()).Produces(204);
    }
}
