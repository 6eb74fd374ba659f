// Sign-ins in browsers: a row each, its id in the cookie. A cookie counts as long as its row and an active account are there.
using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts.Api;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed class Sessions(IDbContextFactory<PortalDb> dbs, IServiceScopeFactory scopes, AccountState state, ApiTokens tokens, SessionWatch watch, SignInAudit audit, TimeProvider time)
{
    /// <summary>As long as the cookie, counted from when it was last used.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);
    private static readonly TimeSpan s_cacheFor = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_seenEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<Guid, Known> _known = new();
    private long _forgotten;

    private sealed record Known(string UserId, bool Superuser, DateTimeOffset Until);

    /// <summary>The last step of every way in: makes the row, writes the audit's line and sends the cookie.</summary>
    public async Task SignInAsync(HttpContext http, PortalUser user, SignInWay way, bool withCode = false)
    {
        var now = time.GetUtcNow();
        var agent = http.Request.Headers.UserAgent.ToString();
        var session = new UserSession
        {
            Id = Guid.CreateVersion7(now), UserId = user.Id, CreatedAt = now, LastSeenAt = now,
            Address = http.Connection.RemoteIpAddress?.ToString(), UserAgent = agent[..Math.Min(agent.Length, 300)],
        };
        await using var db = await dbs.CreateDbContextAsync();
        var old = now - Lifetime;
        await db.Sessions.Where(s => s.UserId == user.Id && s.LastSeenAt < old).ExecuteDeleteAsync();
        db.Sessions.Add(session);
        await db.SaveChangesAsync();
        // The password may have been changed while it was looked at; the row came too late to be ended with the others.
        if (await db.Users.Where(u => u.Id == user.Id).Select(u => u.SecurityStamp).FirstOrDefaultAsync() != user.SecurityStamp)
        {
            await db.Sessions.Where(s => s.Id == session.Id).ExecuteDeleteAsync();
            return;
        }
        await db.Users.Where(u => u.Id == user.Id).ExecuteUpdateAsync(u => u.SetProperty(x => x.LastSignInAt, now));
        await audit.DoneAsync(user, way, withCode, Visitor.Of(http, Callers.Portal));
        await http.SignOutAsync(IdentityConstants.TwoFactorUserIdScheme);
        await http.SignInAsync(IdentityConstants.ApplicationScheme, await PrincipalAsync(user, session.Id), new AuthenticationProperties { IsPersistent = false });
    }

    /// <summary>For each request with a cookie.</summary>
    public async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var known = context.Principal is { } principal ? await FindAsync(principal, context.HttpContext.RequestAborted) : null;
        if (known is null)
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(IdentityConstants.ApplicationScheme);
        }
        else if (known.Superuser != Callers.IsAdministrator(context.Principal!))
        {
            // Made or no longer superuser since the cookie was sent.
            await using var scope = scopes.CreateAsyncScope();
            var user = await scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>().FindByIdAsync(known.UserId);
            if (user is null) { context.RejectPrincipal(); return; }
            context.ReplacePrincipal(await PrincipalAsync(user, Callers.SourceOf(context.Principal!)!.Value));
            context.ShouldRenew = true;
        }
    }

    /// <summary>Whether what this principal was made from still counts; for what stays open after its request.</summary>
    public async Task<bool> IsLiveAsync(ClaimsPrincipal who, CancellationToken ct) =>
        who.HasClaim(c => c.Type == Callers.SessionClaim) ? await FindAsync(who, ct) is not null
        : who.FindFirstValue(ClaimTypes.NameIdentifier) == ApiTokens.LocalUser || (Callers.SourceOf(who) is { } token && await tokens.IsLiveAsync(token, ct));

    /// <summary>Ends with the sign-in; is over already when that ended before.</summary>
    public async Task<SessionWatch.Watched> WatchAsync(ClaimsPrincipal who, CancellationToken ct = default)
    {
        var watched = watch.Watch(who);
        if (!await IsLiveAsync(who, ct)) { watched.End(); }
        return watched;
    }

    public async Task<List<SessionView>> ListAsync(string userId, Guid? current, CancellationToken ct)
    {
        var old = time.GetUtcNow() - Lifetime;
        await using var db = await dbs.CreateDbContextAsync(ct);
        var rows = await db.Sessions.Where(s => s.UserId == userId && s.LastSeenAt >= old).OrderByDescending(s => s.LastSeenAt).ToListAsync(ct);
        return [.. rows.Select(s => new SessionView(s.Id, s.CreatedAt, s.LastSeenAt, s.Address, s.UserAgent, s.Id == current))];
    }

    /// <summary>Ends one (only), all others (except) or all sessions. How many there were.</summary>
    public async Task<int> EndAsync(string userId, Guid? only, Guid? except, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        var rows = await db.Sessions.Where(s => s.UserId == userId && (only == null || s.Id == only) && (except == null || s.Id != except)).Select(s => s.Id).ToListAsync(ct);
        await db.Sessions.Where(s => rows.Contains(s.Id)).ExecuteDeleteAsync(ct);
        Forget(userId);
        watch.End(userId, source => source is { } id && rows.Contains(id));
        return rows.Count;
    }

    /// <summary>What is known of the user is read anew with the next request.</summary>
    public void Forget(string userId)
    {
        Interlocked.Increment(ref _forgotten);
        foreach (var (id, _) in _known.Where(k => k.Value.UserId == userId)) { _known.TryRemove(id, out _); }
    }

    private async Task<Known?> FindAsync(ClaimsPrincipal who, CancellationToken ct)
    {
        if (!Guid.TryParse(who.FindFirstValue(Callers.SessionClaim), out var id)) { return null; }
        var now = time.GetUtcNow();
        if (_known.TryGetValue(id, out var known) && known.Until > now) { return known; }
        var before = Interlocked.Read(ref _forgotten);
        await using var db = await dbs.CreateDbContextAsync(ct);
        var row = await db.Sessions.AsNoTracking().FirstOrDefaultAsync(s => s.Id == id, ct);
        if (row is null || row.LastSeenAt < now - Lifetime || row.UserId != who.FindFirstValue(ClaimTypes.NameIdentifier)) { return null; }
        if (await state.OfAsync(row.UserId, ct) is not { Active: true } flags) { return null; }
        if (now - row.LastSeenAt > s_seenEvery) { await db.Sessions.Where(s => s.Id == id).ExecuteUpdateAsync(s => s.SetProperty(x => x.LastSeenAt, now), ct); }
        known = new Known(row.UserId, flags.Superuser, now + s_cacheFor);
        // Something was ended while this was read: the answer may be old, the next one asks again.
        if (Interlocked.Read(ref _forgotten) == before) { _known[id] = known; }
        return known;
    }

    private async Task<ClaimsPrincipal> PrincipalAsync(PortalUser user, Guid session)
    {
        await using var scope = scopes.CreateAsyncScope();
        var principal = await scope.ServiceProvider.GetRequiredService<IUserClaimsPrincipalFactory<PortalUser>>().CreateAsync(user);
        ((ClaimsIdentity)principal.Identity!).AddClaim(new Claim(Callers.SessionClaim, session.ToString()));
        return principal;
    }
}
