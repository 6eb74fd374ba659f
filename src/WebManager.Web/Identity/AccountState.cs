// Whether an account is active and a superuser: the only place that reads and writes these two flags. One active superuser always remains.
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

public readonly record struct AccountFlags(bool Active, bool Superuser);

public sealed class AccountState(IDbContextFactory<PortalDb> dbs, People people)
{
    // One at a time: the check for the last superuser and the change are one step.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Null: there is no such account.</summary>
    public async Task<AccountFlags?> OfAsync(string userId, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        return await FindAsync(db, userId, ct);
    }

    /// <summary>Of all accounts, by their ids.</summary>
    public async Task<IReadOnlyDictionary<string, AccountFlags>> AllAsync(CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        return await db.Users.ToDictionaryAsync(u => u.Id, u => new AccountFlags(u.Active, u.Administrator), ct);
    }

    /// <summary>Changes what is given. Refused when no active superuser would remain.</summary>
    public Task<Outcome<AccountFlags>> ChangeAsync(string userId, bool? active, bool? superuser, CancellationToken ct) => AloneAsync<AccountFlags>(userId, async db =>
    {
        if (await FindAsync(db, userId, ct) is not { } now) { return Unknown; }
        var then = new AccountFlags(active ?? now.Active, superuser ?? now.Superuser);
        if (then == now) { return then; }
        if (IsKey(now) && !IsKey(then) && await IsLastAsync(db, userId, ct)) { return Last with { Field = then.Active ? "superuser" : "active" }; }
        // The new stamp makes a change that was read before this one fail, instead of writing the old flags back.
        await db.Users.Where(u => u.Id == userId).ExecuteUpdateAsync(
            u => u.SetProperty(x => x.Active, then.Active).SetProperty(x => x.Administrator, then.Superuser).SetProperty(x => x.ConcurrencyStamp, Secrets.New()), ct);
        return then;
    }, ct);

    /// <summary>Removes the account and all that hangs on it.</summary>
    public Task<Outcome<Done>> RemoveAsync(string userId, CancellationToken ct) => AloneAsync<Done>(userId, async db =>
    {
        if (await FindAsync(db, userId, ct) is not { } now) { return Unknown; }
        if (IsKey(now) && await IsLastAsync(db, userId, ct)) { return Last; }
        await db.Sessions.Where(s => s.UserId == userId).ExecuteDeleteAsync(ct);
        await db.ApiTokens.Where(t => t.UserId == userId).ExecuteDeleteAsync(ct);
        await db.AccountLinks.Where(l => l.UserId == userId).ExecuteDeleteAsync(ct);
        await db.Users.Where(u => u.Id == userId).ExecuteDeleteAsync(ct);
        return Done.Value;
    }, ct);

    /// <summary>For an account that is about to be stored.</summary>
    public static PortalUser Begin(PortalUser user, bool superuser)
    {
        (user.Active, user.Administrator) = (true, superuser);
        return user;
    }

    private static bool IsKey(AccountFlags flags) => flags is { Active: true, Superuser: true };

    private static async Task<bool> IsLastAsync(PortalDb db, string userId, CancellationToken ct) =>
        !await db.Users.AnyAsync(u => u.Id != userId && u.Active && u.Administrator, ct);

    private static async Task<AccountFlags?> FindAsync(PortalDb db, string userId, CancellationToken ct) =>
        await db.Users.Where(u => u.Id == userId).Select(u => (AccountFlags?)new AccountFlags(u.Active, u.Administrator)).FirstOrDefaultAsync(ct);

    private async Task<Outcome<T>> AloneAsync<T>(string userId, Func<PortalDb, Task<Outcome<T>>> change, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            await using var db = await dbs.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var outcome = await change(db);
            if (!outcome.Ok) { return outcome; }
            await transaction.CommitAsync(ct);
            // These statements go past EF's change tracking, by which the engine would hear of it.
            await people.RefreshAsync(db, userId, CancellationToken.None);
            return outcome;
        }
        finally { _one.Release(); }
    }

    private static readonly Refusal Unknown = new("user.not-found", "There is no such user.");

    private static readonly Refusal Last = new("user.last-superuser", "This is the last active superuser.", "Make another user superuser first.");
}
