// Ends the sign-in of open pages when the person signed out elsewhere or was removed: looked at every 15 s.
using System.Security.Claims;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

internal sealed class CircuitSignIn(ILoggerFactory logs, IServiceScopeFactory scopes, IOptions<IdentityOptions> options) : RevalidatingServerAuthenticationStateProvider(logs)
{
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(15);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var user = await users.GetUserAsync(authenticationState.User);
        return user is not null
            && authenticationState.User.FindFirstValue(options.Value.ClaimsIdentity.SecurityStampClaimType) == await users.GetSecurityStampAsync(user);
    }
}

public static class CircuitSignInServices
{
    /// <summary>After AddPortalUi, whose own provider it replaces.</summary>
    public static IServiceCollection AddCircuitSignIn(this IServiceCollection services) => services.AddScoped<AuthenticationStateProvider, CircuitSignIn>();
}
