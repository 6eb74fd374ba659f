using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Web.Data;
using WebManager.Web.Identity;

namespace WebManager.Web.Tests.Support;

/// <summary>Users of a test's portal.</summary>
internal static class UserTokens
{
    /// <summary>Makes the user; a token of theirs.</summary>
    public static async Task<string> UserAsync(this TestPortal portal, string name, bool administrator = false)
    {
        await using var scope = portal.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<PortalUser>>();
        var user = new PortalUser { UserName = name, Administrator = administrator, CreatedAt = DateTimeOffset.UtcNow };
        var made = await users.CreateAsync(user, People.Password);
        Assert.True(made.Succeeded, string.Join(' ', made.Errors.Select(e => e.Description)));
        return await scope.ServiceProvider.GetRequiredService<ApiTokens>().CreateSessionAsync(user.Id, "test", TimeSpan.FromHours(1), default);
    }
}
