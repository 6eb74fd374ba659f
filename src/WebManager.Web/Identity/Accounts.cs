// The one way to change accounts: who asks comes first, the right is checked in one place, every change leaves an audit line.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Hosting;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

public sealed partial class Accounts(IServiceScopeFactory scopes, AccountState state, Sessions sessions, ApiTokens tokens, SessionWatch watch, IClusterStore store,
    IClusterEngine engine, Mailer mail, IOptions<PortalOptions> portal, IOptions<IdentityOptions> rules, ExternalSources sources, LdapDirectory directory, SignInAudit signIns,
    TimeProvider time, ILogger<Accounts> log)
{
    // One account within one scope: Identity's manager and the database it works on.
    private sealed record Work(UserManager<PortalUser> Users, PortalDb Db, PortalUser User);

    /// <summary>Somebody who has not signed in: registration, links.</summary>
    public static Caller Nobody(string? address) => new("", "anonymous", false, Callers.Portal) { Address = address };

    /// <summary>Why the caller may not. Others: accounts that are not the caller's own.</summary>
    private async Task<Refusal?> CheckAsync(Caller caller, bool others, bool changes)
    {
        if (caller.Only is not null) { return Missing("This token is for some instances only."); }
        if (changes && caller.ReadOnly) { return Missing("This token may only look."); }
        if (changes && engine.Halted is { } halted) { return halted; }
        if (caller.UserId == ApiTokens.LocalUser) { return others ? null : new Refusal("user.no-account", "The host's own token has no account of its own.", "Sign in: wm login."); }
        // Not what the cookie said when the page was opened, but what holds now.
        if (await state.OfAsync(caller.UserId, default) is not { Active: true } flags) { return Missing("This account is not active."); }
        return others && !flags.Superuser ? Missing("Only superusers may do this.") : null;
    }

    /// <summary>Why the caller may not change its own account; for what asks a browser before Accounts is asked.</summary>
    internal Task<Refusal?> MayNotChangeAsync(Caller caller) => CheckAsync(caller, others: false, changes: true);

    private static Refusal Missing(string why) => new("right.missing", why);

    /// <summary>A change of another's account by a superuser.</summary>
    private Task<Outcome<T>> ChangeAsync<T>(Caller caller, string operation, string name, Func<Work, Task<Outcome<T>>> change) =>
        DoAsync(caller, operation, $"user:{Short(name)}", others: true, users => FindAsync(users, name), change);

    /// <summary>A change of one's own account: one after the other, and after tries at the door, so that every wrong password and code counts.</summary>
    private Task<Outcome<T>> OwnAsync<T>(Caller caller, string operation, Func<Work, Task<Outcome<T>>> change) =>
        SignIn.AloneAsync(caller.Name, () => DoAsync(caller, operation, $"user:{caller.Name}", others: false, users => users.FindByIdAsync(caller.UserId), change));

    private async Task<Outcome<T>> DoAsync<T>(Caller caller, string operation, string subject, bool others, Func<UserManager<PortalUser>, Task<PortalUser?>> find, Func<Work, Task<Outcome<T>>> change)
    {
        var outcome = await CheckAsync(caller, others, changes: true) is { } refusal ? refusal : await InScopeAsync(find, change);
        await AuditAsync(caller, operation, subject, outcome.Refusal);
        return outcome;
    }

    private async Task<Outcome<T>> ReadAsync<T>(Caller caller, string? name, Func<Work, Task<Outcome<T>>> read) =>
        await CheckAsync(caller, others: name is not null, changes: false) is { } refusal ? refusal
        : await InScopeAsync(users => name is null ? users.FindByIdAsync(caller.UserId) : FindAsync(users, name), read);

    private async Task<Outcome<T>> InScopeAsync<T>(Func<UserManager<PortalUser>, Task<PortalUser?>> find, Func<Work, Task<Outcome<T>>> act)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        return await find(users) is { } user ? await act(new Work(users, scope.ServiceProvider.GetRequiredService<PortalDb>(), user))
            : new Refusal("user.not-found", "There is no such user.");
    }

    /// <summary>By name, or by id.</summary>
    private static async Task<PortalUser?> FindAsync(UserManager<PortalUser> users, string nameOrId) =>
        await users.FindByNameAsync(nameOrId) ?? await users.FindByIdAsync(nameOrId);

    private Task AuditAsync(Caller caller, string operation, string subject, Refusal? refusal)
    {
        var line = new Changes();
        line.Audit.Add(new AuditEntry(time.GetUtcNow(), caller.Name, caller.Face, caller.Address, operation, subject, refusal?.Code ?? "success", null, null));
        return store.CommitAsync(line, CancellationToken.None);
    }

    private static async Task<Refusal?> SaveAsync(Work work) =>
        await work.Users.UpdateAsync(work.User) is { Succeeded: false } wrong ? AccountRules.Of(wrong.Errors.First(), "name") : null;

    /// <summary>Signs the user out everywhere: browsers, tokens, consoles. keep: the session or token that asks for it.</summary>
    private async Task EndAllAsync(string userId, Guid? keep)
    {
        await sessions.EndAsync(userId, null, keep, default);
        await tokens.RemoveAsync(userId, null, keep, default);
        watch.End(userId, source => source is null || source != keep);
    }

    private static string Short(string name) => name.Length <= AccountRules.LongestName ? name : name[..AccountRules.LongestName];
}
