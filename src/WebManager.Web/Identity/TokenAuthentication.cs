// Signs a request in by its bearer token; everything else by the cookie.
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Api;

namespace WebManager.Web.Identity;

internal sealed class TokenAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiTokens tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string Name = "Token";

    /// <summary>Chooses per request; the default scheme of the portal.</summary>
    public const string Chooser = "Portal";

    public static string Choose(HttpContext http) => TokenOf(http.Request) is null ? IdentityConstants.ApplicationScheme : Name;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var principal = TokenOf(Request) is { } token ? await tokens.FindAsync(token, Name, Context.RequestAborted) : null;
        return principal is null ? AuthenticateResult.Fail("Unknown token.") : AuthenticateResult.Success(new AuthenticationTicket(principal, Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) =>
        Problems.WriteAsync(Context, new Refusal("auth.token-invalid", "This token is not valid.", "Sign in again: wm login."), StatusCodes.Status401Unauthorized);

    // Browsers cannot set headers on WebSockets: SignalR's client puts the token into the query there, and only there it is taken from it.
    public static string? TokenOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) { return header[7..].Trim(); }
        return request.Path.StartsWithSegments("/hubs") && request.Query["access_token"].ToString() is { Length: > 0 } token ? token : null;
    }
}
