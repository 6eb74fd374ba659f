using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Web.Data;
using WebManager.Web.Identity;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Rights;

/// <summary>The roles of rights.txt as people and tokens. "otto" is who others' things belong to; "extra" is whom things are done to.</summary>
internal static class RightsPeople
{
    public static readonly string[] Roles = ["una", "olga", "mia", "ivan", "pia", "greta", "cora", "mig", "dis", "tag", "carl", "sue"];

    private static readonly string s_hash = new PasswordHasher<PortalUser>().HashPassword(new PortalUser(), Support.People.Password);

    /// <summary>Whose account a role has: tokens are somebody's.</summary>
    public static string PersonOf(string role) => role switch { "look" or "only" => "sue", "write" => "olga", _ => role };

    public static PortalUser Account(string name) => AccountState.Begin(new PortalUser
    {
        Id = name, UserName = name, NormalizedUserName = name.ToUpperInvariant(), PasswordHash = s_hash, SecurityStamp = Guid.NewGuid().ToString(), LockoutEnabled = true, CreatedAt = DateTimeOffset.UtcNow,
    }, name == "sue");

    /// <summary>As pages know them.</summary>
    public static Caller Caller(string role) => new(PersonOf(role), PersonOf(role), PersonOf(role) == "sue", Callers.Portal);

    /// <summary>A token as the role has it: of a sign-in for people; look may only look, only is for one instance, both are a superuser's.</summary>
    public static async Task<(Guid Id, string Token)> TokenAsync(this TestPortal portal, string role, bool session = true)
    {
        var person = PersonOf(role);
        var (token, row) = portal.Services.GetRequiredService<ApiTokens>().Make(person, $"{role}-{Guid.NewGuid():n}", TimeSpan.FromHours(1));
        row.Session = session && person == role;
        row.ReadOnly = role == "look";
        row.Instances = role == "only" ? [portal.Services.GetRequiredService<IClusterEngine>().FindInstance("web-own")!.Id] : null;
        await portal.ChangeAsync(db => db.ApiTokens.Add(row));
        return (row.Id, token);
    }

    public static async Task<Guid> SessionAsync(this TestPortal portal, string person)
    {
        var row = new UserSession { Id = Guid.NewGuid(), UserId = person, CreatedAt = DateTimeOffset.UtcNow, LastSeenAt = DateTimeOffset.UtcNow };
        await portal.ChangeAsync(db => db.Sessions.Add(row));
        return row.Id;
    }

    /// <summary>The id of a passkey of that person, which nobody can sign in with.</summary>
    public static async Task<string> PasskeyAsync(this TestPortal portal, string person)
    {
        var id = System.Text.Encoding.UTF8.GetBytes("passkey-" + person);
        await using var scope = portal.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var user = (await users.FindByIdAsync(person))!;
        if (await users.GetPasskeyAsync(user, id) is null) { await users.AddOrUpdatePasskeyAsync(user, new UserPasskeyInfo(id, [1], DateTimeOffset.UtcNow, 0, [], true, false, false, [1], [1]) { Name = "key" }); }
        return System.Buffers.Text.Base64Url.EncodeToString(id);
    }

    public static async Task AccountAsync(this TestPortal portal, string name) => await portal.ChangeAsync(db => db.Users.Add(Account(name)));

    private static async Task ChangeAsync(this TestPortal portal, Action<PortalDb> change)
    {
        await using var db = await portal.Services.GetRequiredService<IDbContextFactory<PortalDb>>().CreateDbContextAsync();
        change(db);
        await db.SaveChangesAsync();
    }
}
