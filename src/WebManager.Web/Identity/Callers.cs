// Who asks: the one place where a signed-in person or a token becomes the engine's Caller.
using System.Security.Claims;
using WebManager.Engine.Model;

namespace WebManager.Web.Identity;

public static class Callers
{
    /// <summary>Present with value "true" on administrators.</summary>
    public const string AdministratorClaim = "wm:administrator";

    public const string Portal = "portal";
    public const string Api = "api";
    public const string Cli = "cli";

    /// <summary>For pages: From(authenticationState.User, Callers.Portal). The principal must be signed in.</summary>
    public static Caller From(ClaimsPrincipal user, string face, string? address = null)
    {
        var id = user.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");
        return new Caller(id, user.Identity?.Name ?? id, IsAdministrator(user), face) { Address = address };
    }

    /// <summary>For requests: `wm` is told from other callers by its user agent, for the audit only.</summary>
    public static Caller From(HttpContext http)
    {
        var cli = http.Request.Headers.UserAgent.ToString().StartsWith("wm/", StringComparison.Ordinal);
        return From(http.User, cli ? Cli : Api, http.Connection.RemoteIpAddress?.ToString());
    }

    public static bool IsAdministrator(ClaimsPrincipal user) => user.HasClaim(AdministratorClaim, "true");
}
