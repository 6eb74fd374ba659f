// What the pages' forms post to: sign in, sign out, first set-up. Each answers with a redirect; failures carry ?error=code.
using System.Text.Json;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Http.HttpResults;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

/// <summary>The codes that /login and /setup get in ?error=.</summary>
public static class AccountErrors
{
    /// <summary>Name or password wrong, or locked out for some minutes: the page says one thing for all.</summary>
    public const string Failed = "failed";

    /// <summary>The form was too old (cookies changed in between): try again.</summary>
    public const string Expired = "expired";
    public const string WrongToken = "wrong-token";
    public const string UsedToken = "used-token";
    public const string PasswordsDiffer = "passwords-differ";
    // Besides these /setup gets Identity's own codes in lower case with dashes: password-too-short, password-requires-unique-chars, invalid-user-name.
}

internal static class AccountForms
{
    public static void MapAccountForms(this WebApplication app)
    {
        // Antiforgery is checked by hand: a stale form leads back to the page instead of to a bare 400.
        app.MapPost("/account/login", LoginAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/logout", LogoutAsync).DisableAntiforgery().ExcludeFromDescription();
        app.MapPost("/setup", SetupAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>Only paths of this portal: "//host" and "/\host" lead elsewhere.</summary>
    public static string LocalPath(string? url) =>
        url is { Length: > 0 } && url[0] == '/' && (url.Length == 1 || (url[1] != '/' && url[1] != '\\')) && !url.Any(char.IsControl) ? url : "/";

    private static async Task<IResult> LoginAsync(HttpContext http, [FromForm] string? username, [FromForm] string? password, [FromForm] string? returnUrl,
        IAntiforgery antiforgery, SignIn check, SignInManager<PortalUser> signIn)
    {
        var back = LocalPath(returnUrl);
        if (!await antiforgery.IsRequestValidAsync(http)) { return To("/login", AccountErrors.Expired, ("returnUrl", back)); }
        var user = await check.CheckAsync(username, password, http.Connection.RemoteIpAddress?.ToString());
        if (user is null) { return To("/login", AccountErrors.Failed, ("returnUrl", back)); }
        await signIn.SignInAsync(user, isPersistent: false);
        return TypedResults.LocalRedirect(back);
    }

    private static async Task<IResult> LogoutAsync(HttpContext http, IAntiforgery antiforgery, SignInManager<PortalUser> signIn, UserManager<PortalUser> users)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) { return TypedResults.LocalRedirect("/"); }
        // A new stamp ends the sessions of all tabs and circuits, not only this cookie's.
        if (await users.GetUserAsync(http.User) is { } user) { await users.UpdateSecurityStampAsync(user); }
        await signIn.SignOutAsync();
        return TypedResults.LocalRedirect("/login");
    }

    private static async Task<IResult> SetupAsync(HttpContext http, [FromForm] string? token, [FromForm] string? username, [FromForm] string? password,
        [FromForm] string? confirm, IAntiforgery antiforgery, SetupLink setup, PortalDb db, UserManager<PortalUser> users, SignInManager<PortalUser> signIn)
    {
        IResult Again(string error) => To("/setup", error, ("token", token ?? ""));
        if (!await antiforgery.IsRequestValidAsync(http)) { return Again(AccountErrors.Expired); }
        if (password != confirm) { return Again(AccountErrors.PasswordsDiffer); }
        var (result, user, code) = await setup.UseAsync(db, users, token, username ?? "", password ?? "", http.RequestAborted);
        switch (result)
        {
            case SetupResult.WrongToken: return To("/setup", AccountErrors.WrongToken);
            case SetupResult.UsedToken: return To("/setup", AccountErrors.UsedToken);
            case SetupResult.Refused: return Again(JsonNamingPolicy.KebabCaseLower.ConvertName(code ?? "refused"));
            case SetupResult.Done:
                await signIn.SignInAsync(user!, isPersistent: false);
                return TypedResults.LocalRedirect("/");
            default: throw new InvalidOperationException($"Unknown result {result}.");
        }
    }

    private static RedirectHttpResult To(string page, string error, params (string Name, string Value)[] more) =>
        TypedResults.LocalRedirect($"{page}?error={error}" + string.Concat(more.Select(m => $"&{m.Name}={Uri.EscapeDataString(m.Value)}")));
}
