// The steps of signing in, for both doors (the page's form and the API's session): name and password, then a code where there is a second
// factor. One answer for every kind of failure; the audit says which it was. A name with an account of the portal's own is looked up here and
// nowhere else, any other in the directory, where there is one.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Web.Data;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

/// <summary>Whose name and password were right, and who said so.</summary>
internal sealed record Proven(PortalUser User, SignInWay Way);

internal sealed class SignIn(SignInManager<PortalUser> signIn, UserManager<PortalUser> users, AccountState state, PortalDb db, LdapDirectory directory, Accounts accounts, SignInAudit audit, TimeProvider time)
{
    // Tries at one name come one after the other: those that come at once must not count as one.
    private static readonly NameGates s_gates = new();

    private static readonly Refusal s_wrong = new("auth.failed", "The password is wrong.");
    private static readonly Refusal s_unknown = new("auth.failed", "There is no such account.");
    private static readonly Refusal s_noPassword = new("auth.failed", "The account has no password here.");
    private static readonly Refusal s_wrongCode = new("auth.code-wrong", "The code is wrong.");
    private static readonly Refusal s_locked = new("auth.locked", "The account waits after several failures.");
    private static readonly Refusal s_disabled = new("user.disabled", "The account is disabled.");

    /// <summary>False: the password or the second factor has changed since the account was looked at.</summary>
    public async Task<bool> StandsAsync(PortalUser user) => await db.Users.AsNoTracking().Where(u => u.Id == user.Id).Select(u => u.SecurityStamp).FirstOrDefaultAsync() == user.SecurityStamp;

    /// <summary>The first step. Null: unknown, wrong, locked out, disabled. Takes as long for an unknown name as for a wrong password.</summary>
    public Task<Proven?> CheckAsync(string? name, string? password, Visitor from) => AloneAsync(name, async () =>
    {
        var user = string.IsNullOrEmpty(name) || name.Length > 256 ? null : await users.FindByNameAsync(name);
        if (password?.Length > AccountRules.LongestPassword) { password = null; }
        if (directory.IsOn && (user is null || await IsOfDirectoryAsync(user))) { return await ByDirectoryAsync(name ?? "", password ?? "", user, from); }
        return await ByPasswordAsync(user, password ?? "", from);
    });

    private async Task<Proven?> ByPasswordAsync(PortalUser? user, string password, Visitor from)
    {
        var locked = user is not null && await users.IsLockedOutAsync(user);
        if (user?.PasswordHash is null || locked)
        {
            users.PasswordHasher.HashPassword(new PortalUser(), password);
            return await RefuseAsync(user, SignInWay.Password, locked ? s_locked : user is null ? s_unknown : s_noPassword, from);
        }
        var result = await signIn.CheckPasswordSignInAsync(user, password, lockoutOnFailure: true);
        if (!result.Succeeded) { return await RefuseAsync(user, SignInWay.Password, result.IsLockedOut ? s_locked : s_wrong, from); }
        return await ActiveAsync(user, SignInWay.Password, from);
    }

    // Failures of the directory itself are nobody's guesses: they do not count.
    private async Task<Proven?> ByDirectoryAsync(string name, string password, PortalUser? user, Visitor from)
    {
        // As long as for an account of the portal's own: what the directory takes comes on top.
        users.PasswordHasher.HashPassword(new PortalUser(), password);
        if (user is not null && await users.IsLockedOutAsync(user)) { return await RefuseAsync(user, SignInWay.Directory, s_locked, from); }
        var answer = await directory.AskAsync(name, password);
        var known = answer.Person is { } person ? await users.FindByLoginAsync(Sources.Directory, person.Key) ?? user : user;
        if (answer.Result == DirectoryResult.Wrong && known is not null) { await users.AccessFailedAsync(known); }
        if (answer.Result != DirectoryResult.Known) { return await RefuseAsync(known, SignInWay.Directory, answer.Why ?? (answer.Result == DirectoryResult.Wrong ? s_wrong : s_unknown), from); }
        // Somebody may have more names than the one that was counted.
        if (known is not null && await users.IsLockedOutAsync(known)) { return await RefuseAsync(known, SignInWay.Directory, s_locked, from); }
        var taken = await accounts.TakeAsync(answer.Person!, directory.Rules, from.Address);
        if (!taken.Ok) { return await RefuseAsync(known, SignInWay.Directory, taken.Refusal, from); }
        db.ChangeTracker.Clear();   // it was changed by another hand
        if (await users.FindByIdAsync(taken.Value) is not { } account) { return await RefuseAsync(null, SignInWay.Directory, s_unknown, from); }
        if (!account.TwoFactorEnabled) { await users.ResetAccessFailedCountAsync(account); }
        return await ActiveAsync(account, SignInWay.Directory, from);
    }

    private async Task<Proven?> ActiveAsync(PortalUser user, SignInWay way, Visitor from) =>
        await state.OfAsync(user.Id, default) is { Active: true } ? new Proven(user, way) : await RefuseAsync(user, way, s_disabled, from);

    private async Task<Proven?> RefuseAsync(PortalUser? user, SignInWay way, Refusal why, Visitor from)
    {
        await audit.RefusedAsync(user, way, why, from);
        return null;
    }

    private Task<bool> IsOfDirectoryAsync(PortalUser user) => db.UserLogins.AnyAsync(l => l.UserId == user.Id && l.LoginProvider == Sources.Directory);

    /// <summary>The second step, for who has a second factor: a code of the authenticator or a recovery code, each good once.</summary>
    public Task<bool> CheckCodeAsync(PortalUser user, string? code, SignInWay way, Visitor from) => AloneAsync(user.UserName, async () =>
    {
        await db.Entry(user).ReloadAsync();   // the tries before this one count
        var locked = await users.IsLockedOutAsync(user);
        if (!locked && await CodeFitsAsync(users, user, code, time))
        {
            if (await ActiveAsync(user, way, from) is null) { return false; }
            await users.ResetAccessFailedCountAsync(user);
            return true;
        }
        if (!locked) { await users.AccessFailedAsync(user); }
        await audit.RefusedAsync(user, way, locked ? s_locked : s_wrongCode, from);
        return false;
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

    internal static Task<T> AloneAsync<T>(string? name, Func<Task<T>> step) => s_gates.AloneAsync(name ?? "", step);
}
