// Forms of people who are not signed in: forgotten password, the one-time link, registration.
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Mvc;
using WebManager.Contracts;
using WebManager.Web.Api;

namespace WebManager.Web.Identity;

internal static class LinkForms
{
    public static void MapLinkForms(this WebApplication app)
    {
        app.MapPost("/account/forgot", ForgotAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/reset", ResetAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
        app.MapPost("/account/register", RegisterAsync).DisableAntiforgery().AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> ForgotAsync(HttpContext http, [FromForm] string? who, IAntiforgery antiforgery, Accounts accounts)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) { return AccountForms.To("/forgot", AccountErrors.Expired); }
        await accounts.ForgottenAsync(who, AccountForms.AddressOf(http));
        return TypedResults.LocalRedirect("/forgot?sent=true");
    }

    private static async Task<IResult> ResetAsync(HttpContext http, [FromForm] string? token, [FromForm] string? password, [FromForm] string? confirm, IAntiforgery antiforgery, Accounts accounts)
    {
        IResult Again(string error) => AccountForms.To("/reset", error, ("token", token ?? ""));
        if (!await antiforgery.IsRequestValidAsync(http)) { return Again(AccountErrors.Expired); }
        if (password != confirm) { return Again(AccountErrors.PasswordsDiffer); }
        var set = await accounts.UseLinkAsync(token, password, AccountForms.AddressOf(http));
        return set.Refusal switch
        {
            null => TypedResults.LocalRedirect("/login?done=password"),
            { Code: "link.invalid" } => AccountForms.To("/reset", "link-invalid"),
            var refusal => Again(CodeOf(refusal)),
        };
    }

    private static async Task<IResult> RegisterAsync(HttpContext http, [FromForm] string? username, [FromForm] string? email, [FromForm] string? password, [FromForm] string? confirm,
        IAntiforgery antiforgery, Accounts accounts)
    {
        if (!accounts.RegistrationIsOn) { return Problems.From(new Refusal("register.forbidden", "Nobody can register here.", "Ask an administrator for an account.")); }
        IResult Again(string error) => AccountForms.To("/register", error, ("name", Short(username)), ("email", Short(email)));
        if (!await antiforgery.IsRequestValidAsync(http)) { return Again(AccountErrors.Expired); }
        if (password != confirm) { return Again(AccountErrors.PasswordsDiffer); }
        var made = await accounts.RegisterAsync(username, email, password, AccountForms.AddressOf(http));
        return made.Ok ? TypedResults.LocalRedirect(accounts.MailIsOn ? "/login?done=registered-mail" : "/login?done=registered") : Again(CodeOf(made.Refusal));
    }

    // The pages know the codes' last parts: user.name-invalid is name-invalid there.
    private static string CodeOf(Refusal refusal) => refusal.Code[(refusal.Code.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private static string Short(string? text) => text is null ? "" : text[..Math.Min(text.Length, 254)];
}
