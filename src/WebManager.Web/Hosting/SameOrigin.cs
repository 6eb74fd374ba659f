// A browser sends its cookies also for pages of other ports on this host (SameSite does not see ports): what changes something or
// opens a WebSocket with a cookie must come from the portal's own pages.
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Api;

namespace WebManager.Web.Hosting;

public sealed class SameOrigin(IOptions<PortalOptions> options)
{
    private readonly string[] _more = options.Value.Origins.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public bool Allows(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase)
            || _more.Contains(origin, StringComparer.OrdinalIgnoreCase);
    }

    public static bool Matters(HttpContext http) =>
        http.WebSockets.IsWebSocketRequest || http.Request.Headers.Upgrade.Count > 0
        || !(HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || HttpMethods.IsOptions(http.Request.Method));
}

public static class SameOriginMiddleware
{
    public static void UseSameOrigin(this WebApplication app) => app.Use(async (http, next) =>
    {
        if (SameOrigin.Matters(http) && !http.RequestServices.GetRequiredService<SameOrigin>().Allows(http.Request))
        {
            await Problems.WriteAsync(http, new Refusal("origin.foreign", "This request comes from another site.", "An origin of a reverse proxy belongs into Portal:Origins."), StatusCodes.Status403Forbidden);
            return;
        }
        await next(http);
    });
}
