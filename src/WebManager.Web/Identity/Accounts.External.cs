// People for whom a directory or an OpenID provider vouches: the account at their first sign-in, and what follows the source at each one.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Web.Data;
using WebManager.Web.Hosting;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

public sealed partial class Accounts
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(10);
    private readonly NameGates _arrivals = new();

    private sealed record ExternalLogin(string Source, string Key);

    /// <summary>The id of the person's account, made now if need be. An account is the person's by the source's key alone, never by name or e-mail address.</summary>
    internal Task<Outcome<string>> TakeAsync(ExternalPerson person, ExternalOptions settings, string? address) => _arrivals.AloneAsync<Outcome<string>>($"{person.Source} {person.Key}", async () =>
    {
        if (settings.Refuses(person) is { } stranger) { return stranger; }
        var caller = new Caller("", person.Source, true, person.Source) { Address = address };
        await using var scope = scopes.CreateAsyncScope();
        var (users, db) = (scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>(), scope.ServiceProvider.GetRequiredService<PortalDb>());
        var user = await users.FindByLoginAsync(person.Source, person.Key);
        // A portal that another one replaced lets people in to see that it was, and changes nothing.
        if (engine.Halted is { } halted) { return user is null ? halted : user.Id; }
        if (user is null)
        {
            var made = settings.MakeAccounts ? await MakeExternalAsync(users, db, person, settings) : new Refusal($"{person.Source}.no-account", $"{person.Name} has no account here, and none is made.", "Ask an administrator.");
            await AuditAsync(caller, "user.create", $"user:{Short(person.Name)}", made.Refusal);
            if (!made.Ok) { return made.Refusal; }
            user = made.Value;
        }
        await FollowAsync(new Work(users, db, user), person, settings, caller);
        return user.Id;
    });

    /// <summary>Where the account's person proves who it is, and how people call that; null: here.</summary>
    public async Task<(string Source, string Name)?> SourceOfAsync(string userId)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await LoginOfAsync(scope.ServiceProvider.GetRequiredService<PortalDb>(), userId) is { } login ? (login.Source, sources.NameOf(login.Source)) : null;
    }

    /// <summary>Whether the portal's own passkeys sign this account in.</summary>
    public async Task<bool> TakesPasskeysAsync(string userId) => await SourceOfAsync(userId) is not { } source || sources.Of(source.Source) is { Passkeys: true };

    private static async Task<ExternalLogin?> LoginOfAsync(PortalDb db, string userId) =>
        await db.UserLogins.Where(l => l.UserId == userId).Select(l => new ExternalLogin(l.LoginProvider, l.ProviderKey)).FirstOrDefaultAsync();

    private async Task<Outcome<PortalUser>> MakeExternalAsync(UserManager<PortalUser> users, PortalDb db, ExternalPerson person, ExternalOptions settings)
    {
        if (AccountRules.Name(person.Name, rules.Value) is { } name) { return new Refusal($"{person.Source}.name-invalid", $"{Short(person.Name)} cannot be the name of an account: {name.Message}"); }
        var user = AccountState.Begin(new PortalUser { UserName = person.Name, CreatedAt = time.GetUtcNow() }, superuser: false);
        user.LockoutEnabled = true;
        Describe(user, person);
        await using var transaction = await db.Database.BeginTransactionAsync();
        var made = await users.CreateAsync(user);
        if (!made.Succeeded)
        {
            return made.Errors.Any(e => e.Code == "DuplicateUserName")
                ? new Refusal($"{person.Source}.name-taken", $"There is an account {person.Name} here already, and it is not this person's of {settings.Name}.", "An administrator can remove it, or give it up for another name.")
                : AccountRules.Of(made.Errors.First(), "name");
        }
        if (await users.AddLoginAsync(user, new UserLoginInfo(person.Source, person.Key, settings.Name)) is { Succeeded: false } wrong) { return AccountRules.Of(wrong.Errors.First(), "name"); }
        await transaction.CommitAsync();
        return user;
    }

    /// <summary>What the source does not say stays; what the portal would not take is left out.</summary>
    private static bool Describe(PortalUser user, ExternalPerson person)
    {
        var (email, display) = (AccountRules.Email(person.Email), AccountRules.DisplayName(person.DisplayName));
        var (mail, name) = (email.Ok && email.Value.Length > 0 ? email.Value : user.Email, display.Ok && display.Value.Length > 0 ? display.Value : user.DisplayName);
        if (mail == user.Email && name == user.DisplayName) { return false; }
        (user.Email, user.DisplayName) = (mail, name);
        return true;
    }

    private async Task FollowAsync(Work work, ExternalPerson person, ExternalOptions settings, Caller caller)
    {
        if (Describe(work.User, person) && await SaveAsync(work) is { } unsaved) { log.NotFollowed(work.User.UserName!, caller.Name, unsaved.Code, unsaved.Message); }
        if (settings.SuperuserGroup.Trim().Length > 0) { await FollowSuperuserAsync(work, ExternalOptions.IsIn(settings.SuperuserGroup, person), caller); }
        foreach (var (name, theirs) in settings.GroupMap) { await FollowGroupAsync(work.User, name, ExternalOptions.IsIn(theirs, person), caller); }
    }

    private async Task FollowSuperuserAsync(Work work, bool superuser, Caller caller)
    {
        if (await state.OfAsync(work.User.Id, default) is not { } now || now.Superuser == superuser) { return; }
        var refused = await SetFlagsAsync(work.User.Id, null, superuser);
        if (refused is not null) { log.NotFollowed(work.User.UserName!, caller.Name, refused.Code, refused.Message); }
        await AuditAsync(caller, superuser ? "user.make-superuser" : "user.take-superuser", $"user:{work.User.UserName}", refused);
    }

    private async Task FollowGroupAsync(PortalUser user, string name, bool member, Caller caller)
    {
        var group = engine.Now.FindUserGroup(name);
        if (group is null) { log.NotFollowed(user.UserName!, caller.Name, "group.unknown", $"There is no group {name}."); }
        if (group is null || group.Find(user.Id) is not null == member) { return; }
        OperationRequest change = member ? new SetMember(group.Name, user.Id) : new RemoveMember(group.Name, user.Id);
        var asked = await engine.SubmitAsync(change, caller, $"{user.UserName} signs in: its groups follow {caller.Name}", CancellationToken.None);
        if (!asked.Ok) { log.NotFollowed(user.UserName!, caller.Name, asked.Refusal.Code, asked.Refusal.Message); }
    }

    /// <summary>Why a password of this account cannot be set here; null: it can.</summary>
    private async Task<Refusal?> ElsewhereAsync(Work work, string what) => await LoginOfAsync(work.Db, work.User.Id) is { } login
        ? new Refusal($"user.{what}-elsewhere", $"The {(what == "email" ? "e-mail address" : what)} of {work.User.UserName} comes from {sources.NameOf(login.Source)}.", "Change it there.") { Field = what == "email" ? "email" : null } : null;

    // Wrong tries count like those at the door, so that an open page does not serve for guessing.
    private async Task<Refusal?> ProveAsync(Work work, string? password, string field)
    {
        if (await work.Users.IsLockedOutAsync(work.User)) { return WrongPassword(field); }
        if (await LoginOfAsync(work.Db, work.User.Id) is not { } login)
        {
            if (await work.Users.CheckPasswordAsync(work.User, password ?? "")) { return null; }
        }
        else if (login.Source == Sources.Directory)
        {
            var answer = await directory.AskAsync(work.User.UserName!, password ?? "");
            if (answer.Result == DirectoryResult.Failed) { return new Refusal("directory.unreachable", $"{sources.NameOf(login.Source)} cannot be asked just now.", "Try again later.") { Field = field }; }
            if (answer.Result == DirectoryResult.Known && answer.Person!.Key == login.Key) { return null; }
        }
        else { return new Refusal("user.password-elsewhere", $"{work.User.UserName} has no password here: {sources.NameOf(login.Source)} signs it in.") { Field = field }; }
        await work.Users.AccessFailedAsync(work.User);
        return WrongPassword(field);
    }

    /// <summary>
    /// That it is really the account's person who sits there: the password; without one a code of the second factor; without that one either a sign-in
    /// that is a few minutes old.
    /// </summary>
    private async Task<Refusal?> ProvePersonAsync(Work work, string? password, string? code, Guid? session)
    {
        if (await LoginOfAsync(work.Db, work.User.Id) is not { Source: Sources.OpenId }) { return await ProveAsync(work, password, "password"); }
        if (work.User.TwoFactorEnabled) { return await TakeCodeAsync(work, code); }
        var since = time.GetUtcNow() - s_fresh;
        return await work.Db.Sessions.AnyAsync(s => s.Id == session && s.UserId == work.User.Id && s.CreatedAt > since) ? null
            : new Refusal("user.sign-in-old", "This sign-in is older than ten minutes.", "Sign out and in again, then repeat it.") { Field = "password" };
    }

    private static Refusal WrongPassword(string field) =>
        new("user.password-wrong", "The password is wrong.", "After several failures an account is locked for five minutes.") { Field = field };
}
