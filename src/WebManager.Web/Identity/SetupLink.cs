// The first administrator: by a one-time link that the host prints, or by WEBMANAGER_ADMIN_PASSWORD.
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using WebManager.Web.Data;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity;

/// <summary>What became of a set-up. Refused: the name or password was not accepted; Identity's code says why.</summary>
public enum SetupResult { Done, WrongToken, UsedToken, Refused }

public sealed class SetupLink(DataFolder folder, IDbContextFactory<PortalDb> dbs, IOptions<PortalOptions> options, TimeProvider time)
{
    public const string File = "setup-link.txt";
    private const string Key = "setup.token-sha256";

    /// <summary>Makes a new link while there are no users; the old one is void. Null: there are users.</summary>
    public async Task<string?> RenewAsync(CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        if (await db.Users.AnyAsync(ct))
        {
            folder.Remove(File);
            return null;
        }
        var token = Secrets.New();
        await db.Settings.Where(s => s.Name == Key).ExecuteDeleteAsync(ct);
        db.Settings.Add(new Setting { Name = Key, Value = Secrets.Hash(token) });
        await db.SaveChangesAsync(ct);
        var link = $"{options.Value.Address}/setup?token={token}";
        folder.WriteSecret(File, link + "\n");
        return link;
    }

    /// <summary>Whether the token would be accepted now; for the set-up page.</summary>
    public async Task<SetupResult> CheckAsync(string? token, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        return await CheckAsync(db, token, ct);
    }

    /// <summary>Uses the token and makes the administrator, both or neither. The users must work on db (one scope).</summary>
    public async Task<(SetupResult Result, PortalUser? User, string? Code)> UseAsync(PortalDb db, UserManager<PortalUser> users, string? token, string name, string password, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var check = await CheckAsync(db, token, ct);
        if (check != SetupResult.Done) { return (check, null, null); }
        var hash = Secrets.Hash(token!);
        if (await db.Settings.Where(s => s.Name == Key && s.Value == hash).ExecuteDeleteAsync(ct) != 1) { return (SetupResult.UsedToken, null, null); }
        var user = NewAdministrator(name);
        var made = await users.CreateAsync(user, password);
        if (!made.Succeeded) { return (SetupResult.Refused, null, made.Errors.First().Code); }
        await transaction.CommitAsync(ct);
        folder.Remove(File);
        return (SetupResult.Done, user, null);
    }

    public PortalUser NewAdministrator(string name) => AccountState.Begin(new PortalUser { UserName = name, CreatedAt = time.GetUtcNow() }, superuser: true);

    private static async Task<SetupResult> CheckAsync(PortalDb db, string? token, CancellationToken ct)
    {
        if (await db.Users.AnyAsync(ct)) { return SetupResult.UsedToken; }
        var stored = await db.Settings.Where(s => s.Name == Key).Select(s => s.Value).FirstOrDefaultAsync(ct);
        return stored is not null && !string.IsNullOrEmpty(token) && Secrets.Same(stored, Secrets.Hash(token)) ? SetupResult.Done : SetupResult.WrongToken;
    }
}

/// <summary>At start: the local token, and a way in for the first administrator.</summary>
internal sealed class AccountsStart(ApiTokens tokens, SetupLink setup, IServiceScopeFactory scopes, IConfiguration configuration, ILogger<AccountsStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        tokens.EnsureLocal();
        if (configuration[HostSettings.AdminPassword] is { Length: > 0 } password) { await MakeAdminAsync(password, cancellationToken); }
        if (await setup.RenewAsync(cancellationToken) is { } link)
        {
            // For the person at the terminal, not for the log: the link is a secret until it is used.
            await Console.Out.WriteLineAsync($"First start: make the administrator's account at {link}");
            log.SetupLinkWritten(SetupLink.File);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task MakeAdminAsync(string password, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortalDb>();
        if (await db.Users.AnyAsync(ct)) { return; }
        var made = await scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>().CreateAsync(setup.NewAdministrator("admin"), password);
        if (!made.Succeeded)
            throw new InvalidOperationException("WEBMANAGER_ADMIN_PASSWORD was not accepted: " + string.Join(" ", made.Errors.Select(e => e.Description)));
        log.AdministratorMade("admin");
    }
}
