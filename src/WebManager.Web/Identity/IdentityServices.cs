// Registers accounts, sign-in and the rule that everything needs it.
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Api;
using WebManager.Web.Data;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

public static class IdentityServices
{
    // Pages and routes that must work before anybody has signed in.
    private static readonly string[] s_open = ["/login", "/setup", "/forgot", "/reset", "/register",
        "/account/login", "/account/code", "/account/forgot", "/account/reset", "/account/register", "/account/passkey", "/account/openid", "/join", "/healthz", "/api/v1/session", "/_framework", "/_content", "/error", "/not-found"];

    public static IServiceCollection AddPortalIdentity(this IServiceCollection services)
    {
        services.AddIdentityCore<PortalUser>(Rules)
            .AddEntityFrameworkStores<PortalDb>()
            .AddUserStore<PortalUserStore>()
            .AddSignInManager()
            .AddDefaultTokenProviders()
            .AddClaimsPrincipalFactory<PortalClaims>();
        services.AddAuthentication(options => options.DefaultScheme = TokenAuthentication.Chooser)
            .AddPolicyScheme(TokenAuthentication.Chooser, null, options => options.ForwardDefaultSelector = TokenAuthentication.Choose)
            .AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(TokenAuthentication.Name, null)
            .AddIdentityCookies();
        services.ConfigureApplicationCookie(Cookie);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(Allowed).Build());
        services.AddHttpContextAccessor();
        services.AddCascadingAuthenticationState();
        services.Configure<CookieAuthenticationOptions>(IdentityConstants.TwoFactorUserIdScheme, StepCookie);
        services.AddSingleton<AccountState>();
        services.AddSingleton<SessionWatch>();
        services.AddSingleton<ApiTokens>();
        services.AddSingleton<Sessions>();
        services.AddSingleton<SignInAudit>();
        // A passkey stands for both factors: a touch alone is not enough.
        services.Configure<IdentityPasskeyOptions>(o => o.UserVerificationRequirement = "required");
        services.AddDirectories();
        services.AddSingleton<Accounts>();
        services.AddScoped<SignIn>();
        services.AddPortalMail();
        services.AddSingleton<SetupLink>();
        services.AddHostedService<AccountsStart>();
        return services;
    }

    private static void Rules(IdentityOptions options)
    {
        // Length is what counts; rules about kinds of characters make passwords worse.
        options.Password.RequiredLength = 10;
        options.Password.RequireDigit = options.Password.RequireUppercase = options.Password.RequireLowercase = options.Password.RequireNonAlphanumeric = false;
        options.Password.RequiredUniqueChars = 5;
        options.Lockout.MaxFailedAccessAttempts = 5;
        options.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
        options.User.AllowedUserNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@";
    }

    private static void Cookie(CookieAuthenticationOptions options)
    {
        options.Cookie.Name = "webmanager";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = Sessions.Lifetime;
        options.SlidingExpiration = true;
        options.LoginPath = "/login";
        options.AccessDeniedPath = "/login";
        options.ReturnUrlParameter = "returnUrl";
        options.Events.OnRedirectToLogin = context => ForPeople(context.Request)
            ? Redirect(context.Response, context.RedirectUri)
            : Problems.WriteAsync(context.HttpContext, new Refusal("auth.required", "Sign in first.", "Sign in in the browser, or send a token: wm login."), 401);
        options.Events.OnRedirectToAccessDenied = context =>
            Problems.WriteAsync(context.HttpContext, new Refusal("auth.forbidden", "You may not do this."), 403);
        options.Events.OnValidatePrincipal = context => context.HttpContext.RequestServices.GetRequiredService<Sessions>().ValidateAsync(context);
    }

    // Between the steps of a sign-in: says who has given the right password (or which passkey is asked for), and opens nothing.
    private static void StepCookie(CookieAuthenticationOptions options)
    {
        options.Cookie.Name = "webmanager-step";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = TimeSpan.FromMinutes(5);
        options.SlidingExpiration = false;
    }

    private static Task Redirect(HttpResponse response, string to)
    {
        response.Redirect(to);
        return Task.CompletedTask;
    }

    private static bool ForPeople(HttpRequest request) =>
        !(request.Path.StartsWithSegments("/api") || request.Path.StartsWithSegments("/hubs") || request.Path.StartsWithSegments("/console")
            || request.Path.StartsWithSegments("/openapi") || request.Path.StartsWithSegments("/_blazor"));

    private static bool Allowed(AuthorizationHandlerContext context) =>
        context.User.Identity?.IsAuthenticated == true
        || (context.Resource is HttpContext http && s_open.Any(open => http.Request.Path.StartsWithSegments(open)));
}

/// <summary>Adds the administrator's claim.</summary>
internal sealed class PortalClaims(UserManager<PortalUser> users, AccountState state, IOptions<IdentityOptions> options) : UserClaimsPrincipalFactory<PortalUser>(users, options)
{
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(PortalUser user)
    {
        var identity = await base.GenerateClaimsAsync(user);
        if (await state.OfAsync(user.Id, default) is { Superuser: true }) { identity.AddClaim(new Claim(Callers.AdministratorClaim, "true")); }
        return identity;
    }
}
