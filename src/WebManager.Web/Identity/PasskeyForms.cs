// Passkeys: the browser asks for options, makes or uses the key, and sends what came of it. A verified passkey is both factors at once.
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using WebManager.Contracts;
using WebManager.Web.Api;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed record NewPasskey(string Name, string Credential);

internal static class PasskeyForms
{
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
        SignInManager<PortalUser> signIn, UserManager<PortalUser> users, AccountState state, Sessions sessions)
    {
        var back = AccountForms.LocalPath(returnUrl);
        if (!await antiforgery.IsRequestValidAsync(http)) { return AccountForms.To("/login", AccountErrors.Expired, ("returnUrl", back)); }
        var shown = await PerformAsync(() => signIn.PerformPasskeyAssertionAsync(credential ?? ""));
        if (shown is not { Succeeded: true } || await state.OfAsync(shown.User.Id, default) is not { Active: true } || !(await users.AddOrUpdatePasskeyAsync(shown.User, shown.Passkey)).Succeeded)
            return AccountForms.To("/login", AccountErrors.PasskeyFailed, ("returnUrl", back));
        await sessions.SignInAsync(http, shown.User);
        return TypedResults.LocalRedirect(back);
    }

    private static async Task<IResult> OfferAsync(HttpContext http, Accounts accounts, SignInManager<PortalUser> signIn, CancellationToken ct)
    {
        if (await accounts.MayNotChangeAsync(Callers.From(http)) is { } refusal) { return Problems.From(refusal); }
        var profile = await accounts.ProfileAsync(Callers.From(http), ct);
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
            return Problems.From(new Refusal("passkey.not-accepted", "This passkey was not accepted.", "Try again."));
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
