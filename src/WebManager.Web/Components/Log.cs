// Log lines of the pages: ids 5400 to 5499.
namespace WebManager.Web.Components;

internal static partial class Log
{
    [LoggerMessage(5401, LogLevel.Error, "Page {Page} failed")]
    public static partial void PageFailed(this ILogger log, Exception problem, string page);
}
