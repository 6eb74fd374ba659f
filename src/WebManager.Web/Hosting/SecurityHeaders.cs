// What every answer tells the browser: which scripts may run and where they may connect, that no other site may frame these pages, and the rest.
using System.Text.RegularExpressions;

namespace WebManager.Web.Hosting;

public static partial class SecurityHeaders
{
    private const string Features = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

    /// <summary>Before everything else, so that also refusals and errors have them. They are set as the answer begins: what was set meanwhile is replaced.</summary>
    public static void UseSecurityHeaders(this WebApplication app) => app.Use((http, next) =>
    {
        http.Response.OnStarting(Set, http);
        return next(http);
    });

    /// <summary>
    /// No script but the portal's own files: nothing inline, no eval. Styles may be inline: the terminal makes a sheet of its own and the pages set
    /// widths. data: images are xterm.js's and noVNC's cursors. The WebSocket's own address is named for browsers whose 'self' does not include it.
    /// </summary>
    public static string Policy(HttpRequest request) =>
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        + $"connect-src 'self'{Sockets(request)}; worker-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    private static Task Set(object state)
    {
        var http = (HttpContext)state;
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy(http.Request);
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = Features;
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // Answers of the API have names, keys and tokens in them: no copy of them stays anywhere.
        if (http.Request.Path.StartsWithSegments("/api") && headers.CacheControl.Count == 0) { headers.CacheControl = "no-store"; }
        if (http.Request.IsHttps && !IsLoopback(http.Request.Host.Host)) { headers.StrictTransportSecurity = "max-age=31536000"; }
        return Task.CompletedTask;
    }

    private static string Sockets(HttpRequest request) =>
        HostAndPort().IsMatch(request.Host.Value ?? "") ? $" {(request.IsHttps ? "wss" : "ws")}://{request.Host.Value}" : "";

    // A browser that once learnt it would refuse every other program on this machine that speaks plain HTTP.
    private static bool IsLoopback(string host) => host is "localhost" or "127.0.0.1" or "[::1]";

    [GeneratedRegex(@"\A[A-Za-z0-9.\[\]:-]{1,260}\z")]
    private static partial Regex HostAndPort();
}
