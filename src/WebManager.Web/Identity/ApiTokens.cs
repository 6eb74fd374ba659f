// Bearer tokens: made, checked, forgotten. The host's own token lies in {data}/local-token for `wm` on this machine.
using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed class ApiTokens(DataFolder folder, IDbContextFactory<PortalDb> dbs, IServiceScopeFactory scopes, TimeProvider time)
{
    public const string LocalFile = "local-token";
    private const int CacheLimit = 10_000;
    private static readonly TimeSpan s_cacheFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lastUseEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private string? _localHash;

    private sealed record Known(string UserId, ClaimsPrincipal Principal, DateTimeOffset Until);

    /// <summary>The token; it is not shown again. lifetime null: until it is removed.</summary>
    public async Task<string> CreateAsync(string userId, string label, TimeSpan? lifetime, CancellationToken ct)
    {
        var token = Secrets.New();
        var now = time.GetUtcNow();
        await using var db = await dbs.CreateDbContextAsync(ct);
        db.ApiTokens.Add(new ApiToken { Id = Guid.CreateVersion7(now), UserId = userId, Label = label, Hash = Secrets.Hash(token), CreatedAt = now, ExpiresAt = now + lifetime });
        await db.SaveChangesAsync(ct);
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
        await using var db = await dbs.CreateDbContextAsync(ct);
        var row = await db.ApiTokens.FirstOrDefaultAsync(t => t.Hash == hash, ct);
        if (row is null || row.ExpiresAt <= now) { return null; }
        var principal = await PrincipalOfAsync(row.UserId, scheme);
        if (principal is null) { return null; }
        if (row.LastUsedAt is not { } last || now - last > s_lastUseEvery)
        {
            // It may have been removed since it was read: then it is not valid any more.
            if (await db.ApiTokens.Where(t => t.Id == row.Id).ExecuteUpdateAsync(t => t.SetProperty(x => x.LastUsedAt, now), ct) == 0) { return null; }
        }
        if (_known.Count >= CacheLimit) { _known.Clear(); }
        _known[hash] = new Known(row.UserId, principal, now + s_cacheFor);
        return principal;
    }

    /// <summary>Ends one token (its bearer signs out).</summary>
    public async Task RemoveAsync(string token, CancellationToken ct)
    {
        var hash = Secrets.Hash(token);
        await using var db = await dbs.CreateDbContextAsync(ct);
        await db.ApiTokens.Where(t => t.Hash == hash).ExecuteDeleteAsync(ct);
        _known.TryRemove(hash, out _);
    }

    /// <summary>Removes all tokens of a user at once (signed out everywhere, disabled).</summary>
    public async Task RemoveAllAsync(string userId, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        await db.ApiTokens.Where(t => t.UserId == userId).ExecuteDeleteAsync(ct);
        Forget(userId);
    }

    /// <summary>What is known of the user is read anew with the next request.</summary>
    public void Forget(string userId)
    {
        foreach (var (hash, _) in _known.Where(k => k.Value.UserId == userId)) { _known.TryRemove(hash, out _); }
    }

    /// <summary>Makes the host's own token when there is none; called at start.</summary>
    public void EnsureLocal()
    {
        if (string.IsNullOrEmpty(folder.ReadText(LocalFile))) { folder.WriteSecret(LocalFile, Secrets.New() + "\n"); }
    }

    private string LocalHash() => _localHash ??= Secrets.Hash(folder.ReadText(LocalFile) is { Length: > 0 } token ? token : Secrets.New());

    private static ClaimsPrincipal LocalPrincipal(string scheme) => new(new ClaimsIdentity(
        [new(ClaimTypes.NameIdentifier, "local"), new(ClaimTypes.Name, "local"), new(Callers.AdministratorClaim, "true")], scheme));

    private async Task<ClaimsPrincipal?> PrincipalOfAsync(string userId, string scheme)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var user = await users.FindByIdAsync(userId);
        // A lock-out is for guesses at the password; it must not stop the person's programs.
        if (user is null) { return null; }
        var made = await scope.ServiceProvider.GetRequiredService<IUserClaimsPrincipalFactory<PortalUser>>().CreateAsync(user);
        return new ClaimsPrincipal(new ClaimsIdentity(made.Claims, scheme));
    }
}
