// Signing in through the OpenID provider: the way there, and what becomes of its answer. The handler has checked state, signature, issuer, audience,
// nonce and times before TakeAsync sees anything.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Data;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity.Directories;

internal sealed class OpenIdSignIn(IOptions<OpenIdOptions> options, IServiceProvider services, TimeProvider time, ILogger<OpenIdSignIn> log)
{
    public const string Scheme = "OpenId";

    // Answers are looked at before the limits: an address gets one line about failures in a while.
    private readonly Seldom _told = new(TimeSpan.FromSeconds(1));

    public bool IsOn => options.Value.IsOn;

    /// <summary>Sends the browser to the provider. False: it does not answer.</summary>
    public async Task<bool> BeginAsync(HttpContext http, string back)
    {
        try
        {
            await http.ChallengeAsync(Scheme, new AuthenticationProperties { RedirectUri = back });
            return true;
        }
        catch (Exception ex) when (ex is InvalidOperationException or HttpRequestException or IOException or TimeoutException or TaskCanceledException && !http.RequestAborted.IsCancellationRequested)
        {
            log.ProviderFailed(ex);
            return false;
        }
    }

    public async Task TakeAsync(TicketReceivedContext context)
    {
        context.HandleResponse();
        context.Response.Redirect(await WhereAsync(context.HttpContext, context.Principal!, AccountForms.LocalPath(context.ReturnUri)));
    }

    public async Task DeniedAsync(AccessDeniedContext context)
    {
        context.HandleResponse();
        await TellAsync(context.HttpContext, new Refusal("openid.denied", "The person or the provider said no."));
        context.Response.Redirect($"/login?error={AccountErrors.OpenIdDenied}");
    }

    public async Task FailedAsync(RemoteFailureContext context)
    {
        context.HandleResponse();
        var why = string.Join(' ', (context.Failure?.Message ?? "It gave no reason.").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        await TellAsync(context.HttpContext, new Refusal("openid.failed", why[..Math.Min(why.Length, 300)]));
        context.Response.Redirect($"/login?error={AccountErrors.OpenIdFailed}");
    }

    private async Task<string> WhereAsync(HttpContext http, ClaimsPrincipal said, string back)
    {
        var person = PersonOf(said);
        if (!person.Ok) { return await RefuseAsync(http, null, person.Refusal); }
        await using var scope = services.CreateAsyncScope();
        var taken = await scope.ServiceProvider.GetRequiredService<Accounts>().TakeAsync(person.Value, options.Value, http.Connection.RemoteIpAddress?.ToString());
        if (!taken.Ok) { return await RefuseAsync(http, null, taken.Refusal); }
        if (await scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>().FindByIdAsync(taken.Value) is not { } user) { return $"/login?error={AccountErrors.OpenIdFailed}"; }
        if (await scope.ServiceProvider.GetRequiredService<AccountState>().OfAsync(user.Id, http.RequestAborted) is not { Active: true })
            return await RefuseAsync(http, user, new Refusal("openid.disabled", "The account is disabled."));
        if (options.Value.SecondFactor && user.TwoFactorEnabled) { return await AccountForms.AskCodeAsync(http, user, SignInWay.OpenId, back); }
        await scope.ServiceProvider.GetRequiredService<Sessions>().SignInAsync(http, user, SignInWay.OpenId);
        return back;
    }

    private Outcome<ExternalPerson> PersonOf(ClaimsPrincipal said)
    {
        var settings = options.Value;
        string? First(string claim) => claim.Length > 0 && said.FindFirst(claim) is { Value: { Length: > 0 } value } ? value : null;
        if (First("iss") is not { } issuer || First("sub") is not { } subject) { return new Refusal("openid.failed", "The provider does not say who it is."); }
        if (First(settings.NameClaim) is not { } name) { return new Refusal("openid.name-invalid", $"The provider says no {settings.NameClaim} (OpenId:NameClaim)."); }
        var groups = settings.GroupsClaim.Length == 0 ? [] : said.FindAll(settings.GroupsClaim).Select(g => g.Value).Distinct(StringComparer.Ordinal).ToList();
        return new ExternalPerson(Sources.OpenId, $"{issuer} {subject}", name, First(settings.MailClaim), First(settings.DisplayNameClaim), groups);
    }

    private async Task<string> RefuseAsync(HttpContext http, PortalUser? user, Refusal why)
    {
        await services.GetRequiredService<SignInAudit>().RefusedAsync(user, SignInWay.OpenId, why, Visitor.Of(http, Callers.Portal));
        return $"/login?error={why.Code.Replace('.', '-')}";
    }

    private async Task TellAsync(HttpContext http, Refusal why)
    {
        if (_told.Allows(http.Connection.RemoteIpAddress?.ToString() ?? "", time.GetUtcNow())) { await RefuseAsync(http, null, why); }
    }
}

internal static class OpenIdForms
{
    // A link and no form: the policy of the pages lets forms lead to the portal only, redirects included. It changes nothing here; the limits count it.
    public static void MapOpenIdForms(this WebApplication app) => app.MapGet("/account/openid", BeginAsync).AllowAnonymous().ExcludeFromDescription();

    private static async Task<IResult> BeginAsync(HttpContext http, [FromQuery] string? returnUrl, OpenIdSignIn signIn)
    {
        var back = AccountForms.LocalPath(returnUrl);
        if (!signIn.IsOn) { return TypedResults.LocalRedirect("/login"); }
        return await signIn.BeginAsync(http, back) ? TypedResults.Empty : AccountForms.To("/login", AccountErrors.OpenIdUnreachable, ("returnUrl", back));
    }
}
