// Ways in without a sign-in: one-time links to set a password, and registration where it is on.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public sealed partial class Accounts
{
    private enum LinkKind { NewAccount, Registered, Reset }

    /// <summary>Between two links that somebody asks for without being signed in.</summary>
    private static readonly TimeSpan s_linkEvery = TimeSpan.FromMinutes(1);

    // The address was typed by whoever asks: it gets one letter in a while.
    private readonly Seldom _lettersTo = new(TimeSpan.FromMinutes(1));

    private static readonly Refusal InvalidLink = new("link.invalid", "This link is not valid (any more): it works once and for some time only.", "Ask for a new one.");

    public bool RegistrationIsOn => portal.Value.Registration;
    public bool MailIsOn => mail.IsOn;

    /// <summary>For the form "forgotten password": the same whether there is such a user or not, and as quick.</summary>
    public async Task ForgottenAsync(string? nameOrEmail, string? address)
    {
        if (nameOrEmail?.Trim() is not { Length: > 0 and <= 254 } wanted || !mail.IsOn) { return; }
        await mail.LaterAsync(async () =>
        {
            await using var scope = scopes.CreateAsyncScope();
            var (users, db) = (scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>(), scope.ServiceProvider.GetRequiredService<PortalDb>());
            var (name, email) = (users.NormalizeName(wanted), users.NormalizeEmail(wanted));
            var recent = time.GetUtcNow() - s_linkEvery;
            foreach (var user in await db.Users.Where(u => (u.NormalizedUserName == name || u.NormalizedEmail == email) && u.Email != null).Take(10).ToListAsync())
            {
                if (await state.OfAsync(user.Id, default) is not { Active: true } || await db.AccountLinks.AnyAsync(l => l.UserId == user.Id && l.CreatedAt > recent)) { continue; }
                var (caller, work) = (Nobody(address), new Work(users, db, user));
                var elsewhere = await ElsewhereAsync(work, "password");
                if (elsewhere is not null && !_lettersTo.Allows(user.Email!, time.GetUtcNow())) { continue; }
                if (elsewhere is not null) { await mail.SendLaterAsync(user.Email!, ElsewhereLetter(elsewhere)); }
                else { await LinkAsync(work, LinkKind.Reset, caller); }
                await AuditAsync(caller, "user.forgotten-password", $"user:{user.UserName}", elsewhere);
            }
        });
    }

    /// <summary>Whether the link would be accepted now; for the page.</summary>
    public async Task<bool> LinkIsGoodAsync(string? token)
    {
        await using var scope = scopes.CreateAsyncScope();
        var (hash, now) = (Secrets.Hash(token ?? ""), time.GetUtcNow());
        return await scope.ServiceProvider.GetRequiredService<PortalDb>().AccountLinks.AnyAsync(l => l.Hash == hash && l.ExpiresAt > now);
    }

    /// <summary>Uses the link and sets the password, both or neither; the user is signed out everywhere.</summary>
    public async Task<Outcome<Done>> UseLinkAsync(string? token, string? password, string? address)
    {
        var (hash, now) = (Secrets.Hash(token ?? ""), time.GetUtcNow());
        await using var scope = scopes.CreateAsyncScope();
        var (users, db) = (scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>(), scope.ServiceProvider.GetRequiredService<PortalDb>());
        if (engine.Halted is { } halted) { return halted; }
        var link = await db.AccountLinks.AsNoTracking().FirstOrDefaultAsync(l => l.Hash == hash && l.ExpiresAt > now);
        if (link is null || await state.OfAsync(link.UserId, default) is not { Active: true } || await users.FindByIdAsync(link.UserId) is not { } user) { return InvalidLink; }
        if (await LoginOfAsync(db, user.Id) is not null) { return InvalidLink; }
        var outcome = await SetByLinkAsync(new Work(users, db, user), hash, password);
        if (outcome.Ok) { await EndAllAsync(user.Id, null); }
        await AuditAsync(Nobody(address), "user.password-by-link", $"user:{user.UserName}", outcome.Refusal);
        return outcome;
    }

    private static async Task<Outcome<Done>> SetByLinkAsync(Work work, string hash, string? password)
    {
        if (await PreparePasswordAsync(work, password, "password") is { } weak) { return weak; }
        (work.User.AccessFailedCount, work.User.LockoutEnd) = (0, null);
        await using var transaction = await work.Db.Database.BeginTransactionAsync();
        if (await work.Db.AccountLinks.Where(l => l.Hash == hash).ExecuteDeleteAsync() != 1) { return InvalidLink; }
        if (await SaveStampAsync(work) is { } unsaved) { return unsaved; }
        await work.Db.AccountLinks.Where(l => l.UserId == work.User.Id).ExecuteDeleteAsync();
        await transaction.CommitAsync();
        return Done.Value;
    }

    /// <summary>
    /// With mail the answer is the same whether the name is taken or not, and as quick: a letter to the address that was given has a link to set the
    /// password, or says that the name is taken. Without mail there is nobody else to say it to, and the page does.
    /// </summary>
    public async Task<Outcome<Done>> RegisterAsync(string? name, string? email, string? password, string? address)
    {
        if (!RegistrationIsOn) { return new Refusal("register.forbidden", "Nobody can register here.", "Ask an administrator for an account."); }
        if (engine.Halted is { } halted) { return halted; }
        if (string.IsNullOrWhiteSpace(email)) { return new Refusal("user.email-missing", "An e-mail address is needed.") { Field = "email" }; }
        if (MailIsOn) { return await RegisterByMailAsync(new AddUserRequest(name ?? "") { Email = email }, address); }
        await using var scope = scopes.CreateAsyncScope();
        var made = await StoreNewAsync(scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>(), new AddUserRequest(name ?? "") { Email = email }, password ?? "");
        await AuditAsync(Nobody(address), "user.register", $"user:{Short(name ?? "")}", made.Refusal);
        return made.Ok ? Done.Value : made.Refusal;
    }

    private async Task<Outcome<Done>> RegisterByMailAsync(AddUserRequest request, string? address)
    {
        if (AccountRules.Name(request.Name, rules.Value) is { } name) { return name; }
        var email = AccountRules.Email(request.Email);
        if (!email.Ok) { return email.Refusal; }
        if (!_lettersTo.Allows(email.Value, time.GetUtcNow())) { return Done.Value; }
        await mail.LaterAsync(async () =>
        {
            await using var scope = scopes.CreateAsyncScope();
            var (users, db) = (scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>(), scope.ServiceProvider.GetRequiredService<PortalDb>());
            var made = await StoreNewAsync(users, request, null);
            if (made.Ok) { await LinkAsync(new Work(users, db, made.Value), LinkKind.Registered, Nobody(address)); }
            else { await mail.SendLaterAsync(email.Value, TakenLetter(request.Name)); }
            await AuditAsync(Nobody(address), "user.register", $"user:{Short(request.Name)}", made.Refusal);
        });
        return Done.Value;
    }

    private async Task<UserLinkReply> LinkAsync(Work work, LinkKind kind, Caller by)
    {
        var (token, now) = (Secrets.New(), time.GetUtcNow());
        var until = now + (kind == LinkKind.Reset ? TimeSpan.FromHours(1) : TimeSpan.FromDays(3));
        await work.Db.AccountLinks.Where(l => l.UserId == work.User.Id || l.ExpiresAt < now).ExecuteDeleteAsync();
        work.Db.AccountLinks.Add(new AccountLink { Id = Guid.CreateVersion7(now), UserId = work.User.Id, Hash = Secrets.Hash(token), CreatedAt = now, ExpiresAt = until });
        await work.Db.SaveChangesAsync();
        var link = $"{portal.Value.Address}/reset?token={token}";
        var mailed = mail.IsOn && work.User.Email is not null;
        if (mailed) { await mail.SendLaterAsync(work.User.Email!, Letter(kind, work.User.UserName!, link, by)); }
        return new UserLinkReply(work.User.UserName!, link, until, mailed);
    }

    private Letter Letter(LinkKind kind, string name, string link, Caller by) => kind switch
    {
        LinkKind.NewAccount => new Letter($"Your account on {engine.Cluster.Name}", $"{by.Name} made the account {name} for you on {engine.Cluster.Name}.\n\nSet your password here, within three days:\n{link}\n"),
        LinkKind.Registered => new Letter($"Your account on {engine.Cluster.Name}", $"Somebody gave this address to make the account {name} on {engine.Cluster.Name}.\n\nSet its password here, within three days:\n{link}\n\nIf it was not you, do nothing.\n"),
        LinkKind.Reset => new Letter($"A new password for {engine.Cluster.Name}", $"Somebody asked for a new password for the account {name} on {engine.Cluster.Name}.\n\nSet it here, within one hour:\n{link}\n\nIf it was not you, do nothing: your password stays as it is.\n"),
    };

    private Letter ElsewhereLetter(Refusal why) => new($"A new password for {engine.Cluster.Name}", $"Somebody asked for a new password on {engine.Cluster.Name}.\n\n{why.Message} {why.Remedy}\n\nIf it was not you, do nothing.\n");

    private Letter TakenLetter(string name) => new($"No account on {engine.Cluster.Name} yet", $"Somebody gave this address to make the account {name} on {engine.Cluster.Name}. There is an account of that name already.\n\nChoose another name:\n{portal.Value.Address}/register\n\nIf it was not you, do nothing.\n");
}
