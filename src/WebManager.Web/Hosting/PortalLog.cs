// Everything the portal's backend logs. Ids 3000 to 3199.
using WebManager.Web.Identity;

namespace WebManager.Web.Hosting;

internal static partial class PortalLog
{
    [LoggerMessage(3001, LogLevel.Information, "There are no users yet; the link to make the first is in {File}")]
    public static partial void SetupLinkWritten(this ILogger log, string file);

    [LoggerMessage(3002, LogLevel.Information, "User {User} made, administrator")]
    public static partial void AdministratorMade(this ILogger log, string user);

    [LoggerMessage(3003, LogLevel.Information, "User {User} signed in from {Address} by {Way}")]
    public static partial void SignedIn(this ILogger log, string user, string? address, SignInWay way);

    [LoggerMessage(3004, LogLevel.Warning, "Sign-in refused from {Address} by {Way}: {Code}: {Why}")]
    public static partial void SignInRefused(this ILogger log, string? address, SignInWay way, string code, string why);

    [LoggerMessage(3005, LogLevel.Information, "Mail sent: {Subject}")]
    public static partial void MailSent(this ILogger log, string subject);

    [LoggerMessage(3006, LogLevel.Error, "Mail could not be sent")]
    public static partial void MailFailed(this ILogger log, Exception failure);

    [LoggerMessage(3007, LogLevel.Error, "The directory was asked in vain: {Code}: {Why}")]
    public static partial void DirectoryFailed(this ILogger log, string code, string why);

    [LoggerMessage(3008, LogLevel.Warning, "The account {User} does not follow {Source}: {Code}: {Why}")]
    public static partial void NotFollowed(this ILogger log, string user, string source, string code, string why);

    [LoggerMessage(3009, LogLevel.Error, "The OpenID provider cannot be used")]
    public static partial void ProviderFailed(this ILogger log, Exception failure);

    [LoggerMessage(3010, LogLevel.Information, "Node {Node} joined from {Address}, job {Job}")]
    public static partial void NodeJoined(this ILogger log, string node, string address, long job);

    [LoggerMessage(3011, LogLevel.Warning, "Node {Node} refused to join: {Code}")]
    public static partial void JoinRefused(this ILogger log, string node, string code);

    [LoggerMessage(3012, LogLevel.Warning, "Node {Node} showed a certificate that is not its own: {Why}")]
    public static partial void WrongCertificate(this ILogger log, string node, string why);

    [LoggerMessage(3013, LogLevel.Debug, "Node {Node} did not answer {Path}: {Why}")]
    public static partial void NodeUnreachable(this ILogger log, string node, string path, string why);

    [LoggerMessage(3020, LogLevel.Information, "Image {Image} {Version} sent to node {Node}")]
    public static partial void ImageSent(this ILogger log, string image, string version, string node);

    [LoggerMessage(3021, LogLevel.Warning, "Image folder {Folder} left out: {Why}")]
    public static partial void ImageIgnored(this ILogger log, string folder, string why);

    [LoggerMessage(3022, LogLevel.Information, "{Count} audit entries removed, older than {Days} days")]
    public static partial void AuditRemoved(this ILogger log, long count, int days);

    [LoggerMessage(3023, LogLevel.Error, "Old audit entries could not be removed")]
    public static partial void AuditNotRemoved(this ILogger log, Exception failure);

    [LoggerMessage(3030, LogLevel.Error, "Request {Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger log, Exception failure, string method, string path);
}
