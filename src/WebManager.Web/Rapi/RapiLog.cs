// What Ganeti's remote API logs. Ids 3200 to 3219.
namespace WebManager.Web.Rapi;

internal static partial class RapiLog
{
    [LoggerMessage(3200, LogLevel.Information, "Ganeti's remote API is served on {Address}")]
    public static partial void RapiServed(this ILogger log, Uri address);

    [LoggerMessage(3201, LogLevel.Error, "Ganeti's remote API is not served: port {Port} cannot be had ({Why}). Set WEBMANAGER_RAPI_PORT to another one")]
    public static partial void RapiNotServed(this ILogger log, int port, string why);

    [LoggerMessage(3202, LogLevel.Error, "{Method} {Path} of the remote API failed")]
    public static partial void RapiFailed(this ILogger log, Exception ex, string method, string path);
}
