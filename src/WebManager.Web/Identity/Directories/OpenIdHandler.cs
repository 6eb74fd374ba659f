// The framework's OpenID handler as this portal uses it: code flow with PKCE, and an answer that comes back as a plain link (GET). A form posted by
// the provider would be a request of another site, which the portal refuses, and would need cookies that every site's requests carry.
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Identity;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace WebManager.Web.Identity.Directories;

internal static class OpenIdHandler
{
    public const string CallbackPath = "/account/openid/callback";

    public static void Configure(OpenIdConnectOptions handler, OpenIdOptions settings, OpenIdSignIn signIn)
    {
        if (!settings.IsOn) { return; }
        handler.Authority = settings.Authority;
        handler.RequireHttpsMetadata = new Uri(settings.Authority).Scheme == "https";   // plain only on this host: OpenIdCheck
        handler.ClientId = settings.ClientId;
        handler.ClientSecret = settings.ClientSecret.Length == 0 ? null : settings.ClientSecret;
        handler.ResponseType = OpenIdConnectResponseType.Code;
        handler.ResponseMode = OpenIdConnectResponseMode.Query;
        handler.UsePkce = true;
        handler.BackchannelTimeout = settings.Limit;
        handler.RemoteAuthenticationTimeout = TimeSpan.FromMinutes(10);
        handler.DisableTelemetry = true;
        handler.CallbackPath = CallbackPath;
        // Signing out here does not sign out there, and nobody signs out here by a link.
        handler.RemoteSignOutPath = handler.SignedOutCallbackPath = default;
        handler.SignInScheme = IdentityConstants.ExternalScheme;   // not used: OpenIdSignIn answers
        handler.Scope.Clear();
        foreach (var scope in settings.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries)) { handler.Scope.Add(scope); }
        Claims(handler, settings);
        Cookies(handler);
        // With the code flow the handler takes unsigned tokens, because they come straight from the provider. This portal does not.
        handler.Events.OnTokenValidated = context =>
        {
            if (string.IsNullOrEmpty(context.SecurityToken.RawSignature) || context.SecurityToken.SignatureAlgorithm is null or "" or "none") { context.Fail("The token is not signed."); }
            return Task.CompletedTask;
        };
        handler.Events.OnTicketReceived = signIn.TakeAsync;
        handler.Events.OnAccessDenied = signIn.DeniedAsync;
        handler.Events.OnRemoteFailure = signIn.FailedAsync;
    }

    private static void Claims(OpenIdConnectOptions handler, OpenIdOptions settings)
    {
        handler.SaveTokens = false;
        handler.MapInboundClaims = false;
        handler.GetClaimsFromUserInfoEndpoint = true;
        handler.TokenValidationParameters.ClockSkew = TimeSpan.FromMinutes(1);
        handler.ClaimActions.Remove("iss");   // would be taken out, and is half of who somebody is
        foreach (var claim in new[] { settings.NameClaim, settings.MailClaim, settings.DisplayNameClaim, settings.GroupsClaim }.Where(c => c.Length > 0)) { handler.ClaimActions.MapJsonKey(claim, claim); }
    }

    // Lax: they come along when the provider sends the browser back, which is a link from another site.
    private static void Cookies(OpenIdConnectOptions handler)
    {
        foreach (var (cookie, name) in new[] { (handler.CorrelationCookie, "webmanager-openid."), (handler.NonceCookie, "webmanager-nonce.") })
        {
            cookie.Name = name;
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.HttpOnly = true;
        }
    }
}
