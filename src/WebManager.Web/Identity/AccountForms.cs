// What the pages' forms post to: sign in (name and password, then the code), sign out, first set-up. Each answers with a redirect; failures
// carry ?error=code. Only Sessions.SignInAsync makes somebody signed in, and only at the end of a way: password, and code if there is one.
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using WebManager.Web.Data;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

/// <summary>The codes that /login and /setup get in ?error=.</summary>
public static class AccountErrors
{
    /// <summary>Name or password wrong, or locked out for some minutes: the page says one thing for all.</summary>
    public const string Failed = "failed";

    /// <summary>The code of the second step is wrong, used or late.</summary>
    public const string WrongCode = "wrong-code";
    public const string PasskeyFailed = "passkey-failed";

    /// <summary>The OpenID provider does not answer; it or the person said no; what it said does not count.</summary>
    public const string OpenIdUnreachable = "openid-unreachable";
    public const string OpenIdDenied = "openid-denied";
    public const string OpenIdFailed = "openid-failed";
    public const string NameInvalid = "name-invalid";

    /// <summary>The form was too old (cookies changed in between): try again.</summary>
    public const string Expired = "expired";
    public const string WrongToken = "wrong-token";
    public const string UsedToken = "used-token";
    public const string PasswordsDiffer = "passwords-differ";
    // Besides these /setup gets Identity's own codes in lower case with dashes: password-too-short, password-requires-unique-chars, invalid-user-name.
}

internal static class AccountForms
{
    // What the cookie between the steps says: whose password was right, for which sign-in, and that it is for a code and nothing else.
    private const string StepClaim = "wm:step";
    private const string CodeStep = "code";
    private const string WayClaim = "wm:way";

    public static void MapAccountForms(this WebApplication app)
    {
        // Antiforgery is checked by hand: a stale form leads back to the page instead of to a bare 400.
        app.MapPost("/account/login", LoginAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/code", CodeAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/logout", LogoutAsync).DisableAntiforgery().ExcludeFromDescription();
        app.MapPost("/setup", SetupAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapLinkForms();
        app.MapPasskeyForms();
        app.MapOpenIdForms();
    }

    /// <summary>Only paths of this portal: "//host" and "/\host" lead elsewhere.</summary>
    public static string LocalPath(string? url) =>
        url is { Length: > 0 } && url[0] == '/' && (url.Length == 1 || (url[1] != '/' && url[1] != '\\')) && !url.Any(char.IsControl) ? url : "/";

    private static async Task<IResult> LoginAsync(HttpContext http, [FromForm] string? username, [FromForm] string? password, [FromForm] string? returnUrl,
        IAntiforgery antiforgery, SignIn check, Sessions sessions)
    {
        var back = LocalPath(returnUrl);
        if (!await antiforgery.IsRequestValidAsync(http)) { return To("/login", AccountErrors.Expired, ("returnUrl", back)); }
        if (await check.CheckAsync(username, password, Visitor.Of(http, Callers.Portal)) is not { User: var user, Way: var way }) { return To("/login", AccountErrors.Failed, ("returnUrl", back)); }
        if (user.TwoFactorEnabled) { return TypedResults.LocalRedirect(await AskCodeAsync(http, user, way, back)); }
        await sessions.SignInAsync(http, user, way);
        return TypedResults.LocalRedirect(back);
    }

    /// <summary>For who is known so far: the cookie between the steps. Where the code is asked for.</summary>
    internal static async Task<string> AskCodeAsync(HttpContext http, PortalUser user, SignInWay way, string back)
    {
        await http.SignInAsync(IdentityConstants.TwoFactorUserIdScheme, Step(user, way));
        return $"/login/code?returnUrl={Uri.EscapeDataString(back)}";
    }

    private static async Task<IResult> CodeAsync(HttpContext http, [FromForm] string? code, [FromForm] string? returnUrl,
        IAntiforgery antiforgery, SignIn check, UserManager<PortalUser> users, Sessions sessions)
    {
        var back = LocalPath(returnUrl);
        if (!await antiforgery.IsRequestValidAsync(http)) { return To("/login/code", AccountErrors.Expired, ("returnUrl", back)); }
        // The stamp changes with the password and the second factor: a step from before does not count.
        if (await StepOfAsync(http) is not { } step || await users.FindByIdAsync(step.User) is not { TwoFactorEnabled: true } user || user.SecurityStamp != step.Stamp)
        {
            await http.SignOutAsync(IdentityConstants.TwoFactorUserIdScheme);
            return To("/login", AccountErrors.Expired, ("returnUrl", back));
        }
        if (!await check.CheckCodeAsync(user, code, step.Way, Visitor.Of(http, Callers.Portal))) { return To("/login/code", AccountErrors.WrongCode, ("returnUrl", back)); }
        await sessions.SignInAsync(http, user, step.Way, withCode: true);
        return TypedResults.LocalRedirect(back);
    }

    private static ClaimsPrincipal Step(PortalUser user, SignInWay way) => new(new ClaimsIdentity(
        [new(StepClaim, CodeStep), new(WayClaim, way.ToString()), new(ClaimTypes.NameIdentifier, user.Id), new(ClaimTypes.SerialNumber, user.SecurityStamp ?? "")],
        IdentityConstants.TwoFactorUserIdScheme));

    /// <summary>Whose code is waited for; null: nobody has given a password, or too long ago.</summary>
    internal static async Task<(string User, string Stamp, SignInWay Way)?> StepOfAsync(HttpContext http) =>
        (await http.AuthenticateAsync(IdentityConstants.TwoFactorUserIdScheme)).Principal is { } step && step.HasClaim(StepClaim, CodeStep)
            && step.FindFirstValue(ClaimTypes.NameIdentifier) is { } user && step.FindFirstValue(ClaimTypes.SerialNumber) is { } stamp
            && Enum.TryParse<SignInWay>(step.FindFirstValue(WayClaim), out var way) ? (user, stamp, way) : null;

    private static async Task<IResult> LogoutAsync(HttpContext http, IAntiforgery antiforgery, Accounts accounts)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) { return TypedResults.LocalRedirect("/"); }
        // The session's row goes, and with it all tabs and circuits of this browser, not only this cookie.
        if (Callers.SourceOf(http.User) is { } session) { await accounts.SignOutAsync(Callers.From(http.User, Callers.Portal, AddressOf(http)), session); }
        await http.SignOutAsync(IdentityConstants.ApplicationScheme);
        return TypedResults.LocalRedirect("/login");
    }

    private static async Task<IResult> SetupAsync(HttpContext http, [FromForm] string? token, [FromForm] string? username, [FromForm] string? password,
        [FromForm] string? confirm, IAntiforgery antiforgery, SetupLink setup, PortalDb db, UserManager<PortalUser> users, Sessions sessions, IOptions<IdentityOptions> rules)
    {
        IResult Again(string error) => To("/setup", error, ("token", token ?? ""));
        if (!await antiforgery.IsRequestValidAsync(http)) { return Again(AccountErrors.Expired); }
        if (password != confirm) { return Again(AccountErrors.PasswordsDiffer); }
        if (AccountRules.Name(username, rules.Value) is not null) { return Again(AccountErrors.NameInvalid); }
        var (result, user, code) = await setup.UseAsync(db, users, token, username ?? "", password ?? "", http.RequestAborted);
        switch (result)
        {
            case SetupResult.WrongToken: return To("/setup", AccountErrors.WrongToken);
            case SetupResult.UsedToken: return To("/setup", AccountErrors.UsedToken);
            case SetupResult.Refused: return Again(JsonNamingPolicy.KebabCaseLower.ConvertName(code ?? "refused"));
            case SetupResult.Done:
                await sessions.SignInAsync(http, user!, SignInWay.SetupLink);
                return TypedResults.LocalRedirect("/");
            default: throw new InvalidOperationException($"Unknown result {result}.");
        }
    }

    internal static string? AddressOf(HttpContext http) => http.Connection.RemoteIpAddress?.ToString();

    internal static RedirectHttpResult To(string page, string error, params (string Name, string Value)[] more) =>
        TypedResults.LocalRedirect($"{page}?error={error}" + string.Concat(more.Select(m => $"&{m.Name}={Uri.EscapeDataString(m.Value)}")));
}
