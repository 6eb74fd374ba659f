// Checks a name and password for both doors, the page's form and the API's session, with one answer for every kind of failure.
using Microsoft.AspNetCore.Identity;
using WebManager.Web.Data;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity;

internal sealed class SignIn(SignInManager<PortalUser> signIn, UserManager<PortalUser> users, ILogger<SignIn> log)
{
    /// <summary>The user, or null: unknown, wrong, locked out. Takes as long for an unknown name as for a wrong password.</summary>
    public async Task<PortalUser?> CheckAsync(string? name, string? password, string? address)
    {
        var user = string.IsNullOrEmpty(name) ? null : await users.FindByNameAsync(name);
        if (user is null)
        {
            users.PasswordHasher.HashPassword(new PortalUser(), password ?? "");
            log.SignInRefused(address, lockedOut: false);
            return null;
        }
        var result = await signIn.CheckPasswordSignInAsync(user, password ?? "", lockoutOnFailure: true);
        if (!result.Succeeded)
        {
            log.SignInRefused(address, result.IsLockedOut);
            return null;
        }
        log.SignedIn(user.UserName!, address);
        return user;
    }
}
