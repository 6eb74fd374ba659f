// Identity's store, with what it keeps readable (the authenticator's key, recovery codes) protected by the portal's own keys.
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

internal sealed class PortalUserStore(PortalDb db, IDataProtectionProvider protection, IdentityErrorDescriber describer) : UserOnlyStore<PortalUser, PortalDb>(db, describer)
{
    private readonly IDataProtector _protector = protection.CreateProtector("WebManager.SecondFactor");

    public override Task SetTokenAsync(PortalUser user, string loginProvider, string name, string? value, CancellationToken cancellationToken) =>
        base.SetTokenAsync(user, loginProvider, name, value is null ? null : _protector.Protect(value), cancellationToken);

    public override async Task<string?> GetTokenAsync(PortalUser user, string loginProvider, string name, CancellationToken cancellationToken)
    {
        var stored = await base.GetTokenAsync(user, loginProvider, name, cancellationToken);
        try { return stored is null ? null : _protector.Unprotect(stored); }
        catch (CryptographicException) { return null; }   // the keys were lost: no code fits, an administrator resets it
    }
}
