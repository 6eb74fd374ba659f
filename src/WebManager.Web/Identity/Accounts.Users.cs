// Superusers and the accounts of others: list, show, create, change, links, remove.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed partial class Accounts
{
    public async Task<Outcome<List<UserView>>> ListAsync(Caller caller, CancellationToken ct)
    {
        if (await CheckAsync(caller, others: true, changes: false) is { } refusal) { return refusal; }
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortalDb>();
        var flags = await state.AllAsync(ct);
        var passkeys = await db.Set<IdentityUserPasskey<string>>().GroupBy(p => p.UserId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var logins = await db.UserLogins.ToDictionaryAsync(l => l.UserId, l => l.LoginProvider, ct);
        var users = await db.Users.AsNoTracking().OrderBy(u => u.NormalizedUserName).ToListAsync(ct);
        return users.Where(u => flags.ContainsKey(u.Id)).Select(u => View(u, flags[u.Id], passkeys.GetValueOrDefault(u.Id), logins.GetValueOrDefault(u.Id))).ToList();
    }

    public Task<Outcome<UserView>> ShowAsync(Caller caller, string name, CancellationToken ct) => ReadAsync<UserView>(caller, name, async work => await ViewAsync(work, ct));

    /// <summary>The account, and the link by which the person sets a password.</summary>
    public async Task<Outcome<UserLinkReply>> CreateAsync(Caller caller, AddUserRequest request)
    {
        var outcome = await CheckAsync(caller, others: true, changes: true) is { } refusal ? refusal : await MakeAsync(caller, request);
        await AuditAsync(caller, "user.create", $"user:{Short(request.Name)}", outcome.Refusal);
        return outcome;
    }

    private async Task<Outcome<UserLinkReply>> MakeAsync(Caller caller, AddUserRequest request)
    {
        await using var scope = scopes.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var made = await StoreNewAsync(users, request, null);
        if (!made.Ok) { return made.Refusal; }
        return await LinkAsync(new Work(users, scope.ServiceProvider.GetRequiredService<PortalDb>(), made.Value), LinkKind.NewAccount, caller);
    }

    private async Task<Outcome<PortalUser>> StoreNewAsync(UserManager<PortalUser> users, AddUserRequest request, string? password)
    {
        if (AccountRules.Name(request.Name, rules.Value) is { } name) { return name; }
        var (email, display) = (AccountRules.Email(request.Email), AccountRules.DisplayName(request.DisplayName));
        if (!email.Ok) { return email.Refusal; }
        if (!display.Ok) { return display.Refusal; }
        var user = AccountState.Begin(new PortalUser { UserName = request.Name, Email = NullIfEmpty(email.Value), DisplayName = NullIfEmpty(display.Value), CreatedAt = time.GetUtcNow() }, request.Superuser);
        user.LockoutEnabled = true;
        if (password is not null && await AccountRules.PasswordAsync(users, user, password, "password") is { } weak) { return weak; }
        var made = password is null ? await users.CreateAsync(user) : await users.CreateAsync(user, password);
        return made.Succeeded ? user : AccountRules.Of(made.Errors.First(), "password");
    }

    public Task<Outcome<UserView>> ModifyAsync(Caller caller, string name, ModifyUserRequest request) => ChangeAsync<UserView>(caller, "user.modify", name, async work =>
    {
        if (request is { DisplayName: null, Email: null, Active: null, Superuser: null }) { return new Refusal("user.nothing-to-change", "Nothing is to be changed."); }
        var (email, display) = (AccountRules.Email(request.Email), AccountRules.DisplayName(request.DisplayName));
        if (!email.Ok) { return email.Refusal; }
        if (!display.Ok) { return display.Refusal; }
        if (request.Active is not null || request.Superuser is not null)
        {
            if (await SetFlagsAsync(work.User.Id, request.Active, request.Superuser) is { } refused) { return refused; }
            await work.Db.Entry(work.User).ReloadAsync();
        }
        if (request.Email is not null) { work.User.Email = NullIfEmpty(email.Value); }
        if (request.DisplayName is not null) { work.User.DisplayName = NullIfEmpty(display.Value); }
        if ((request.Email ?? request.DisplayName) is not null && await SaveAsync(work) is { } unsaved) { return unsaved; }
        return await ViewAsync(work, default);
    });

    private async Task<Refusal?> SetFlagsAsync(string userId, bool? active, bool? superuser)
    {
        var before = await state.OfAsync(userId, default);
        var changed = await state.ChangeAsync(userId, active, superuser, default);
        if (!changed.Ok) { return changed.Refusal; }
        if (!changed.Value.Active) { await EndAllAsync(userId, null); }
        else if (before != changed.Value)
        {
            // Open pages come back with the other rights; the sign-in stays.
            sessions.Forget(userId);
            tokens.Forget(userId);
            watch.End(userId);
        }
        return null;
    }

    public Task<Outcome<Done>> RemoveAsync(Caller caller, string name) => ChangeAsync<Done>(caller, "user.remove", name, async work =>
    {
        // What is just being made for it would come to belong to nobody.
        if (engine.WouldRefuse(new ForgetUser(work.User.Id), caller) is { } busy) { return busy; }
        var removed = await state.RemoveAsync(work.User.Id, default);
        if (!removed.Ok) { return removed; }
        await EndAllAsync(work.User.Id, null);
        var forgotten = await engine.SubmitAsync(new ForgetUser(work.User.Id), caller, $"{work.User.UserName} was removed", CancellationToken.None);
        return forgotten.Ok ? removed : forgotten.Refusal;
    });

    /// <summary>A link to set a new password; the old one serves until it is used.</summary>
    public Task<Outcome<UserLinkReply>> ResetPasswordAsync(Caller caller, string name) => ChangeAsync<UserLinkReply>(caller, "user.reset-password", name, async work =>
        await ElsewhereAsync(work, "password") is { } elsewhere ? elsewhere
        : await state.OfAsync(work.User.Id, default) is { Active: true } ? await LinkAsync(work, LinkKind.Reset, caller)
        : new Refusal("user.disabled", $"{work.User.UserName} is disabled.", "Make the account active first."));

    /// <summary>For who lost the authenticator: the password alone signs in until a new one is set up.</summary>
    public Task<Outcome<Done>> ResetSecondFactorAsync(Caller caller, string name) => ChangeAsync<Done>(caller, "user.reset-second-factor", name, async work =>
    {
        if (!work.User.TwoFactorEnabled) { return new Refusal("user.no-second-factor", $"{work.User.UserName} has no second factor."); }
        await ForgetSecondFactorAsync(work);
        return Done.Value;
    });

    /// <summary>Signs the user out everywhere. Tokens with a name stay.</summary>
    public Task<Outcome<Done>> EndSessionsAsync(Caller caller, string name, Guid? only) => ChangeAsync<Done>(caller, "user.end-sessions", name, async work =>
    {
        var ended = await sessions.EndAsync(work.User.Id, only, null, default);
        if (only is not null) { return ended > 0 ? Done.Value : NoSession; }
        foreach (var id in await work.Db.ApiTokens.Where(t => t.UserId == work.User.Id && t.Session).Select(t => t.Id).ToListAsync()) { await tokens.RemoveAsync(work.User.Id, id, null, default); }
        return Done.Value;
    });

    public Task<Outcome<List<SessionView>>> SessionsAsync(Caller caller, string name, CancellationToken ct) =>
        ReadAsync<List<SessionView>>(caller, name, async work => await sessions.ListAsync(work.User.Id, null, ct));

    private async Task<UserView> ViewAsync(Work work, CancellationToken ct) =>
        View(work.User, await state.OfAsync(work.User.Id, ct) ?? default, (await work.Users.GetPasskeysAsync(work.User)).Count, (await LoginOfAsync(work.Db, work.User.Id))?.Source);

    private UserView View(PortalUser user, AccountFlags flags, int passkeys, string? source) => new(user.Id, user.UserName!, flags.Active, flags.Superuser, user.TwoFactorEnabled, user.CreatedAt)
    {
        DisplayName = user.DisplayName, Email = user.Email, LastSignIn = user.LastSignInAt, Passkeys = passkeys, HasPassword = user.PasswordHash is not null,
        Source = source, SourceName = source is null ? null : sources.NameOf(source), TakesPasskeys = source is null || sources.Of(source) is { Passkeys: true },
    };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static readonly Refusal NoSession = new("session.not-found", "There is no such session (any more).");
}
