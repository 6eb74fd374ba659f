// Passkeys: the browser asks for options, makes or uses the key, and sends what came of it. A verified passkey is both factors at once.
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using WebManager.Contracts;
using WebManager.Web.Api;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed record NewPasskey(string Name, string Credential);

/// <summary>That it is the account's person who adds one: the password, or the code where there is no password here.</summary>
public sealed record PasskeyProof(string? Password = null, string? Code = null);

internal static class PasskeyForms
{
    private static readonly Refusal s_notAccepted = new("passkey.not-accepted", "This passkey was not accepted.", "Try again.");

    public static void MapPasskeyForms(this WebApplication app)
    {
        // Fetched by js/passkeys.js: SameOrigin refuses other sites, and options alone open nothing.
        app.MapPost("/account/passkey/ask", AskAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/passkey", LoginAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/passkeys/offer", OfferAsync).DisableAntiforgery().ExcludeFromDescription();
        app.MapPost("/account/passkeys", AddAsync).DisableAntiforgery().ExcludeFromDescription();
    }

    private static async Task<IResult> AskAsync(SignInManager<PortalUser> signIn) =>
        TypedResults.Text(await signIn.MakePasskeyRequestOptionsAsync(null), "application/json");

    private static async Task<IResult> LoginAsync(HttpContext http, [FromForm] string? credential, [FromForm] string? returnUrl, IAntiforgery antiforgery,
        SignInManager<PortalUser> signIn, UserManager<PortalUser> users, AccountState state, Sessions sessions, Accounts accounts, SignInAudit audit)
    {
        var back = AccountForms.LocalPath(returnUrl);
        if (!await antiforgery.IsRequestValidAsync(http)) { return AccountForms.To("/login", AccountErrors.Expired, ("returnUrl", back)); }
        var shown = await PerformAsync(() => signIn.PerformPasskeyAssertionAsync(credential ?? ""));
        var refused = shown is not { Succeeded: true } ? s_notAccepted
            : await state.OfAsync(shown.User.Id, default) is not { Active: true } ? new Refusal("user.disabled", "The account is disabled.")
            : !await accounts.TakesPasskeysAsync(shown.User.Id) ? new Refusal("passkey.elsewhere", "The account signs in by its own source only.")
            : !(await users.AddOrUpdatePasskeyAsync(shown.User, shown.Passkey)).Succeeded ? s_notAccepted : null;
        if (refused is not null)
        {
            await audit.RefusedAsync(shown is { Succeeded: true } ? shown.User : null, SignInWay.Passkey, refused, Visitor.Of(http, Callers.Portal));
            return AccountForms.To("/login", AccountErrors.PasskeyFailed, ("returnUrl", back));
        }
        await sessions.SignInAsync(http, shown!.User!, SignInWay.Passkey);
        return TypedResults.LocalRedirect(back);
    }

    // Only what was made for this offer can be added: the offer is in a cookie, for this account and this purpose.
    private static async Task<IResult> OfferAsync(HttpContext http, PasskeyProof proof, Accounts accounts, SignInManager<PortalUser> signIn)
    {
        var profile = await accounts.BeginPasskeyAsync(Callers.From(http.User, Callers.Portal, AccountForms.AddressOf(http)), proof, Callers.SourceOf(http.User));
        if (!profile.Ok) { return Problems.From(profile.Refusal); }
        var me = new PasskeyUserEntity { Id = profile.Value.Id, Name = profile.Value.Name, DisplayName = profile.Value.DisplayName ?? profile.Value.Name };
        return TypedResults.Text(await signIn.MakePasskeyCreationOptionsAsync(me), "application/json");
    }

    private static async Task<IResult> AddAsync(HttpContext http, NewPasskey body, Accounts accounts, SignInManager<PortalUser> signIn)
    {
        var caller = Callers.From(http.User, Callers.Portal, AccountForms.AddressOf(http));
        if (await accounts.MayNotChangeAsync(caller) is { } refusal) { return Problems.From(refusal); }
        var made = await PerformAsync(() => signIn.PerformPasskeyAttestationAsync(body.Credential));
        if (made is not { Succeeded: true } || made.UserEntity.Id != caller.UserId)
            return Problems.From(s_notAccepted);
        var added = await accounts.AddPasskeyAsync(caller, made.Passkey, body.Name);
        return added.Ok ? TypedResults.NoContent() : Problems.From(added.Refusal);
    }

    // Without the cookie of its options, or with text that is no credential, Identity throws.
    private static async Task<T?> PerformAsync<T>(Func<Task<T>> perform) where T : class
    {
        try { return await perform(); }
        catch (Exception ex) when (ex is InvalidOperationException or PasskeyException or ArgumentException or System.Text.Json.JsonException) { return null; }
    }
}
