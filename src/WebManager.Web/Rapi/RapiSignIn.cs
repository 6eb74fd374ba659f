// HTTP basic with a portal account or an API token as password. A password that fits is remembered for some minutes, so that a thousand requests a
// second do not hash a thousand passwords.
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Identity;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Identity;

namespace WebManager.Web.Rapi;

/// <summary>
/// What is remembered ends at once with SessionWatch (another password, a disabled account, a superuser made or unmade), and after ten minutes
/// anyway. Accounts with a second factor need a token: a program has no code to give.
/// </summary>
internal sealed class RapiSignIn(ApiTokens tokens, IServiceScopeFactory scopes, SessionWatch watch, IPeople people, RapiLimits limits, TimeProvider time)
{
    public const string Realm = "Ganeti Remote API";
    private const int MostRemembered = 1000, LongestHeader = 2048;
    // Each password that is looked at anew is a sign-in in the audit: not one a minute for a client that polls.
    private static readonly TimeSpan s_remembered = TimeSpan.FromMinutes(10);
    private static readonly Contracts.Refusal s_codeRequired = new("auth.code-required", "The account has a second factor.");
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    private sealed record Known(ClaimsPrincipal Who, string UserId, SessionWatch.Watched Watched, DateTimeOffset Until);

    /// <summary>How many passwords are remembered now.</summary>
    public int Remembered { get { lock (_gate) { return _known.Count; } } }

    public async Task<ClaimsPrincipal> FindAsync(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (Read(header) is not { } given) { throw new RapiError(401, "Unauthorized"); }
        var print = Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(header)));
        if (Recall(print) is { } known) { return known; }
        if (LooksLikeToken(given.Password) && await tokens.FindAsync(given.Password, TokenAuthentication.Name, http.RequestAborted) is { } bearer)
        {
            return string.Equals(bearer.Identity?.Name, given.Name, StringComparison.OrdinalIgnoreCase) ? bearer : throw new RapiError(401, "Unauthorized");
        }
        limits.CountTry(http, given.Name);
        // A token that is no good any more is no guess at the password: a program that polls with it must not lock its person out.
        if (LooksLikeToken(given.Password)) { throw new RapiError(401, "Unauthorized"); }
        await using var scope = scopes.CreateAsyncScope();
        if (await scope.ServiceProvider.GetRequiredService<SignIn>().CheckAsync(given.Name, given.Password, Visitor.Of(http, RapiServer.Face)) is not { User: var user, Way: var way }) { throw new RapiError(401, "Unauthorized"); }
        var (audit, from) = (scope.ServiceProvider.GetRequiredService<SignInAudit>(), Visitor.Of(http, RapiServer.Face));
        if (user.TwoFactorEnabled)
        {
            await audit.RefusedAsync(user, way, s_codeRequired, from);
            throw new RapiError(401, "This account has a second factor: use an API token as the password");
        }
        var made = await scope.ServiceProvider.GetRequiredService<IUserClaimsPrincipalFactory<PortalUser>>().CreateAsync(user);
        var who = new ClaimsPrincipal(new ClaimsIdentity(made.Claims, "Basic"));
        Remember(print, who, user.Id);
        // The password may have been changed while this one was looked at, just before anybody watched for that.
        await using var after = scopes.CreateAsyncScope();
        if (await after.ServiceProvider.GetRequiredService<UserManager<PortalUser>>().FindByIdAsync(user.Id) is { } now && now.PasswordHash == user.PasswordHash && now.SecurityStamp == user.SecurityStamp && now.Administrator == user.Administrator)
        {
            await audit.DoneAsync(user, way, withCode: false, from);
            return who;
        }
        Forget(print);
        throw new RapiError(401, "Unauthorized");
    }

    private ClaimsPrincipal? Recall(string print)
    {
        lock (_gate)
        {
            if (!_known.TryGetValue(print, out var known)) { return null; }
            if (known.Until > time.GetUtcNow() && !known.Watched.Ended.IsCancellationRequested && people.Find(known.UserId) is { Active: true }) { return known.Who; }
            Drop(print, known);
            return null;
        }
    }

    private void Remember(string print, ClaimsPrincipal who, string userId)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            foreach (var (old, known) in _known.Where(k => k.Value.Until <= now || k.Value.Watched.Ended.IsCancellationRequested || k.Key == print).ToList()) { Drop(old, known); }
            if (_known.Count >= MostRemembered) { var oldest = _known.MinBy(k => k.Value.Until); Drop(oldest.Key, oldest.Value); }
            _known[print] = new Known(who, userId, watch.Watch(who), now + s_remembered);
        }
    }

    private void Forget(string print)
    {
        lock (_gate) { if (_known.TryGetValue(print, out var known)) { Drop(print, known); } }
    }

    private void Drop(string print, Known known)
    {
        _known.Remove(print);
        known.Watched.Dispose();
    }

    private static bool LooksLikeToken(string password) => password.Length == 43 && password.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static (string Name, string Password)? Read(string header)
    {
        if (header.Length > LongestHeader || !header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) { return null; }
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(header[6..].Trim()));
            return text.IndexOf(':') is > 0 and var at ? (text[..at], text[(at + 1)..]) : null;
        }
        catch (FormatException) { return null; }
    }
}
