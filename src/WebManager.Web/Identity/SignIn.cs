// The steps of signing in, for both doors (the page's form and the API's session): name and password, then a code where there is a second
// factor. One answer for every kind of failure. Other sources of accounts (a directory) come into CheckAsync.
using Microsoft.AspNetCore.Identity;
using WebManager.Web.Data;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity;

internal sealed class SignIn(SignInManager<PortalUser> signIn, UserManager<PortalUser> users, AccountState state, PortalDb db, TimeProvider time, ILogger<SignIn> log)
{
    // Tries at one name come one after the other: those that come at once must not count as one.
    private static readonly SemaphoreSlim[] s_gates = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>The first step. The user, or null: unknown, wrong, locked out, disabled. Takes as long for an unknown name as for a wrong password.</summary>
    public Task<PortalUser?> CheckAsync(string? name, string? password, string? address) => AloneAsync(name, async () =>
    {
        var user = string.IsNullOrEmpty(name) || name.Length > 256 ? null : await users.FindByNameAsync(name);
        if (password?.Length > AccountRules.LongestPassword) { password = null; }
        var locked = user is not null && await users.IsLockedOutAsync(user);
        if (user?.PasswordHash is null || locked)
        {
            users.PasswordHasher.HashPassword(new PortalUser(), password ?? "");
            log.SignInRefused(address, locked);
            return null;
        }
        var result = await signIn.CheckPasswordSignInAsync(user, password ?? "", lockoutOnFailure: true);
        if (!result.Succeeded || await state.OfAsync(user.Id, default) is not { Active: true })
        {
            log.SignInRefused(address, result.IsLockedOut);
            return null;
        }
        if (!user.TwoFactorEnabled) { log.SignedIn(user.UserName!, address); }
        return user;
    });

    /// <summary>The second step, for who has a second factor: a code of the authenticator or a recovery code, each good once.</summary>
    public Task<bool> CheckCodeAsync(PortalUser user, string? code, string? address) => AloneAsync(user.UserName, async () =>
    {
        await db.Entry(user).ReloadAsync();   // the tries before this one count
        if (await users.IsLockedOutAsync(user) || !await CodeFitsAsync(users, user, code, time) || await state.OfAsync(user.Id, default) is not { Active: true })
        {
            if (!await users.IsLockedOutAsync(user)) { await users.AccessFailedAsync(user); }
            log.SignInRefused(address, await users.IsLockedOutAsync(user));
            return false;
        }
        await users.ResetAccessFailedCountAsync(user);
        log.SignedIn(user.UserName!, address);
        return true;
    });

    /// <summary>Takes the code: it does not fit a second time.</summary>
    internal static async Task<bool> CodeFitsAsync(UserManager<PortalUser> users, PortalUser user, string? code, TimeProvider time)
    {
        var plain = new string([.. (code ?? "").Where(c => !char.IsWhiteSpace(c)).Take(40)]);
        if (plain.Length == 0 || await users.GetAuthenticatorKeyAsync(user) is not { Length: > 0 } key) { return false; }
        if (plain.Length != 6 || !plain.All(char.IsAsciiDigit)) { return (await users.RedeemTwoFactorRecoveryCodeAsync(user, plain.ToUpperInvariant())).Succeeded; }
        if (Totp.Match(key, plain, time.GetUtcNow(), user.LastCodeStep) is not { } step) { return false; }
        user.LastCodeStep = step;
        return (await users.UpdateAsync(user)).Succeeded;   // fails when another request took a code at the same time
    }

    internal static async Task<T> AloneAsync<T>(string? name, Func<Task<T>> step)
    {
        var gate = s_gates[(uint)StringComparer.OrdinalIgnoreCase.GetHashCode(name ?? "") % s_gates.Length];
        await gate.WaitAsync();
        try { return await step(); }
        finally { gate.Release(); }
    }
}
