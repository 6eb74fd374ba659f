// Who asks: the one place where a signed-in person or a token becomes the engine's Caller.
using System.Security.Claims;
using WebManager.Engine.Model;

namespace WebManager.Web.Identity;

public static class Callers
{
    /// <summary>Present with value "true" on administrators.</summary>
    public const string AdministratorClaim = "wm:administrator";

    /// <summary>The id of the sign-in in a browser, or of the token.</summary>
    public const string SessionClaim = "wm:session";
    public const string TokenClaim = "wm:token";

    /// <summary>Present with value "true" on tokens that may only look.</summary>
    public const string ReadOnlyClaim = "wm:read-only";

    /// <summary>One for each instance that a token is for, and one with an empty value, so that a list of none is a list.</summary>
    public const string OnlyClaim = "wm:only";

    public const string Portal = "portal";
    public const string Api = "api";
    public const string Cli = "cli";

    /// <summary>For pages: From(authenticationState.User, Callers.Portal). The principal must be signed in.</summary>
    public static Caller From(ClaimsPrincipal user, string face, string? address = null)
    {
        var id = user.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");
        var only = user.FindAll(OnlyClaim).ToList();
        return new Caller(id, user.Identity?.Name ?? id, IsAdministrator(user), face)
        {
            Address = address, ReadOnly = user.HasClaim(ReadOnlyClaim, "true"),
            Only = only.Count == 0 ? null : [.. only.Where(c => c.Value.Length > 0).Select(c => Guid.Parse(c.Value))],
        };
    }

    /// <summary>For requests: `wm` is told from other callers by its user agent, for the audit only.</summary>
    public static Caller From(HttpContext http) => From(http.User, FaceOf(http), http.Connection.RemoteIpAddress?.ToString());

    public static string FaceOf(HttpContext http) => http.Request.Headers.UserAgent.ToString().StartsWith("wm/", StringComparison.Ordinal) ? Cli : Api;

    public static bool IsAdministrator(ClaimsPrincipal user) => user.HasClaim(AdministratorClaim, "true");

    /// <summary>The session or token behind a principal; null: the host's own token.</summary>
    public static Guid? SourceOf(ClaimsPrincipal user) =>
        Guid.TryParse(user.FindFirstValue(SessionClaim) ?? user.FindFirstValue(TokenClaim), out var id) ? id : null;
}
