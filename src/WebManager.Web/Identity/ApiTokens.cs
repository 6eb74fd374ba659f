// Bearer tokens: made, checked, forgotten. The host's own token lies in {data}/local-token for `wm` on this machine.
using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed class ApiTokens(DataFolder folder, IDbContextFactory<PortalDb> dbs, IServiceScopeFactory scopes, AccountState state, SessionWatch watch, TimeProvider time)
{
    public const string LocalFile = "local-token";

    /// <summary>The id and name of whoever has the host's own token.</summary>
    public const string LocalUser = "local";
    private const int CacheLimit = 10_000;
    private static readonly TimeSpan s_cacheFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lastUseEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private long _forgotten;
    private string? _localHash;

    private sealed record Known(string UserId, ClaimsPrincipal Principal, DateTimeOffset Until);

    /// <summary>A token and its row, not stored yet; the token is not shown again. lifetime null: until it is removed.</summary>
    public (string Token, ApiToken Row) Make(string userId, string label, TimeSpan? lifetime)
    {
        var (token, now) = (Secrets.New(), time.GetUtcNow());
        return (token, new ApiToken { Id = Guid.CreateVersion7(now), UserId = userId, Label = label, Hash = Secrets.Hash(token), CreatedAt = now, ExpiresAt = now + lifetime });
    }

    /// <summary>What signing in through the API gives.</summary>
    public async Task<string> CreateSessionAsync(string userId, string label, TimeSpan lifetime, CancellationToken ct)
    {
        var (token, row) = Make(userId, label, lifetime);
        row.Session = true;
        await using var db = await dbs.CreateDbContextAsync(ct);
        db.ApiTokens.Add(row);
        await db.SaveChangesAsync(ct);
        await db.Users.Where(u => u.Id == userId).ExecuteUpdateAsync(u => u.SetProperty(x => x.LastSignInAt, row.CreatedAt), ct);
        return token;
    }

    /// <summary>The principal behind a token; null when it is unknown, expired, or its user is gone.</summary>
    public async Task<ClaimsPrincipal?> FindAsync(string token, string scheme, CancellationToken ct)
    {
        var hash = Secrets.Hash(token);
        if (Secrets.Same(hash, LocalHash())) { return LocalPrincipal(scheme); }
        var now = time.GetUtcNow();
        if (_known.TryGetValue(hash, out var known) && known.Until > now) { return known.Principal; }
        _known.TryRemove(hash, out _);
        var before = Interlocked.Read(ref _forgotten);
        await using var db = await dbs.CreateDbContextAsync(ct);
        var row = await db.ApiTokens.FirstOrDefaultAsync(t => t.Hash == hash, ct);
        if (row is null || row.ExpiresAt <= now) { return null; }
        var principal = await PrincipalOfAsync(row, scheme, ct);
        if (principal is null) { return null; }
        if (row.LastUsedAt is not { } last || now - last > s_lastUseEvery)
        {
            // It may have been removed since it was read: then it is not valid any more.
            if (await db.ApiTokens.Where(t => t.Id == row.Id).ExecuteUpdateAsync(t => t.SetProperty(x => x.LastUsedAt, now), ct) == 0) { return null; }
        }
        if (_known.Count >= CacheLimit) { _known.Clear(); }
        // Something was ended while this was read: the answer may be old, the next request asks again.
        if (Interlocked.Read(ref _forgotten) == before) { _known[hash] = new Known(row.UserId, principal, row.ExpiresAt is { } end && end < now + s_cacheFor ? end : now + s_cacheFor); }
        return principal;
    }

    /// <summary>Whether the token with this id still counts.</summary>
    public async Task<bool> IsLiveAsync(Guid id, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await dbs.CreateDbContextAsync(ct);
        var row = await db.ApiTokens.Where(t => t.Id == id).Select(t => new { t.UserId, t.ExpiresAt }).FirstOrDefaultAsync(ct);
        return row is not null && !(row.ExpiresAt <= now) && await state.OfAsync(row.UserId, ct) is { Active: true };
    }

    /// <summary>Ends one token (its bearer signs out). False: there is none, or it is the host's own.</summary>
    public async Task<bool> RemoveAsync(string token, CancellationToken ct)
    {
        var hash = Secrets.Hash(token);
        await using var db = await dbs.CreateDbContextAsync(ct);
        var row = await db.ApiTokens.Where(t => t.Hash == hash).Select(t => new { t.Id, t.UserId }).FirstOrDefaultAsync(ct);
        return row is not null && await RemoveAsync(row.UserId, row.Id, null, ct) > 0;
    }

    /// <summary>Removes one (only), all others (except) or all tokens of a user, at once. How many there were.</summary>
    public async Task<int> RemoveAsync(string userId, Guid? only, Guid? except, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        var rows = await db.ApiTokens.Where(t => t.UserId == userId && (only == null || t.Id == only) && (except == null || t.Id != except)).Select(t => t.Id).ToListAsync(ct);
        await db.ApiTokens.Where(t => rows.Contains(t.Id)).ExecuteDeleteAsync(ct);
        Forget(userId);
        watch.End(userId, source => source is { } id && rows.Contains(id));
        return rows.Count;
    }

    /// <summary>What is known of the user is read anew with the next request.</summary>
    public void Forget(string userId)
    {
        Interlocked.Increment(ref _forgotten);
        foreach (var (hash, _) in _known.Where(k => k.Value.UserId == userId)) { _known.TryRemove(hash, out _); }
    }

    /// <summary>Makes the host's own token when there is none; called at start.</summary>
    public void EnsureLocal()
    {
        if (string.IsNullOrEmpty(folder.ReadText(LocalFile))) { folder.WriteSecret(LocalFile, Secrets.New() + "\n"); }
    }

    private string LocalHash() => _localHash ??= Secrets.Hash(folder.ReadText(LocalFile) is { Length: > 0 } token ? token : Secrets.New());

    private static ClaimsPrincipal LocalPrincipal(string scheme) => new(new ClaimsIdentity(
        [new(ClaimTypes.NameIdentifier, LocalUser), new(ClaimTypes.Name, LocalUser), new(Callers.AdministratorClaim, "true")], scheme));

    private async Task<ClaimsPrincipal?> PrincipalOfAsync(ApiToken row, string scheme, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var user = await users.FindByIdAsync(row.UserId);
        // A lock-out is for guesses at the password; it must not stop the person's programs.
        if (user is null || await state.OfAsync(user.Id, ct) is not { Active: true }) { return null; }
        var made = await scope.ServiceProvider.GetRequiredService<IUserClaimsPrincipalFactory<PortalUser>>().CreateAsync(user);
        var claims = made.Claims.Append(new Claim(Callers.TokenClaim, row.Id.ToString()));
        if (row.ReadOnly) { claims = claims.Append(new Claim(Callers.ReadOnlyClaim, "true")); }
        if (row.Instances is { } only) { claims = claims.Append(new Claim(Callers.OnlyClaim, "")).Concat(only.Select(id => new Claim(Callers.OnlyClaim, id.ToString()))); }
        return new ClaimsPrincipal(new ClaimsIdentity(claims, scheme));
    }
}
