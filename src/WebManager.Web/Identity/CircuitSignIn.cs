// Ends the sign-in of open pages at once when it is over (signed out, ended, disabled, removed); looked at every 15 s besides.
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using System.Security.Claims;

namespace WebManager.Web.Identity;

internal sealed class CircuitSignIn : RevalidatingServerAuthenticationStateProvider
{
    private readonly Sessions _sessions;
    private SessionWatch.Watched? _watched;
    private bool _left;

    public CircuitSignIn(ILoggerFactory logs, Sessions sessions) : base(logs)
    {
        _sessions = sessions;
        AuthenticationStateChanged += state => _ = FollowAsync(state);
    }

    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(15);

    protected override async Task<bool> ValidateAuthenticationStateAsync(AuthenticationState authenticationState, CancellationToken cancellationToken)
    {
        try { return await _sessions.IsLiveAsync(authenticationState.User, cancellationToken); }
        catch (ObjectDisposedException) { return true; }   // the portal is stopping; its pages go with it
    }

    private async Task FollowAsync(Task<AuthenticationState> changed)
    {
        var user = (await changed).User;
        _watched?.Dispose();
        if (user.Identity?.IsAuthenticated != true || _left) { return; }
        var watched = _watched = await _sessions.WatchAsync(user);
        if (_left) { watched.Dispose(); }
        watched.Ended.Register(() => SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity())))));
    }

    protected override void Dispose(bool disposing)
    {
        _left = true;
        _watched?.Dispose();
        base.Dispose(disposing);
    }
}

public static class CircuitSignInServices
{
    /// <summary>After AddPortalUi, whose own provider it replaces.</summary>
    public static IServiceCollection AddCircuitSignIn(this IServiceCollection services) => services.AddScoped<AuthenticationStateProvider, CircuitSignIn>();
}
