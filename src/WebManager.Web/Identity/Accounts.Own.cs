// What people do with their own account: profile, password, sessions, second factor, passkeys.
using System.Buffers.Text;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;
using WebManager.Web.Identity.Directories;

namespace WebManager.Web.Identity;

public sealed partial class Accounts
{
    private const int RecoveryCodes = 10;
    private const int MostPasskeys = 20;

    public Task<Outcome<UserView>> ProfileAsync(Caller caller, CancellationToken ct) => ReadAsync<UserView>(caller, null, async work => await ViewAsync(work, ct));

    public Task<Outcome<UserView>> ModifyProfileAsync(Caller caller, ModifyProfileRequest request) => OwnAsync<UserView>(caller, "profile.modify", async work =>
    {
        if (request is { DisplayName: null, Email: null }) { return new Refusal("user.nothing-to-change", "Nothing is to be changed."); }
        var (email, display) = (AccountRules.Email(request.Email), AccountRules.DisplayName(request.DisplayName));
        if (!email.Ok) { return email.Refusal; }
        if (!display.Ok) { return display.Refusal; }
        if (request.Email is not null && NullIfEmpty(email.Value) != work.User.Email)
        {
            if (await ElsewhereAsync(work, "email") is { } elsewhere) { return elsewhere; }
            // Who finds a page open must not send the next password link to himself.
            if (await ProveAsync(work, request.Password, "password") is { } wrong) { return wrong; }
            work.User.Email = NullIfEmpty(email.Value);
        }
        if (request.DisplayName is not null) { work.User.DisplayName = NullIfEmpty(display.Value); }
        return await SaveAsync(work) is { } unsaved ? unsaved : await ViewAsync(work, default);
    });

    /// <summary>Ends all other sessions and all other tokens. current: the session or token that asks.</summary>
    public Task<Outcome<Done>> ChangePasswordAsync(Caller caller, string oldPassword, string newPassword, Guid? current) => OwnAsync<Done>(caller, "profile.password", async work =>
    {
        if ((await ElsewhereAsync(work, "password") ?? await ProveAsync(work, oldPassword, "oldPassword")) is { } wrong) { return wrong; }
        if (oldPassword == newPassword) { return new Refusal("user.password-same", "This is the old password.") { Field = "newPassword" }; }
        if ((await PreparePasswordAsync(work, newPassword, "newPassword") ?? await SaveStampAsync(work)) is { } refused) { return refused; }
        await EndAllAsync(work.User.Id, current);
        return Done.Value;
    });

    public Task<Outcome<List<SessionView>>> OwnSessionsAsync(Caller caller, Guid? current, CancellationToken ct) =>
        ReadAsync<List<SessionView>>(caller, null, async work => await sessions.ListAsync(work.User.Id, current, ct));

    /// <summary>Ends one session, or all but the current one.</summary>
    public Task<Outcome<Done>> EndOwnSessionsAsync(Caller caller, Guid? only, Guid? current) => OwnAsync<Done>(caller, "profile.end-sessions", async work =>
        await sessions.EndAsync(work.User.Id, only, only is null ? current : null, default) > 0 || only is null ? Done.Value : NoSession);

    /// <summary>Signing out ends this browser's session in all its tabs.</summary>
    public async Task SignOutAsync(Caller caller, Guid session)
    {
        await sessions.EndAsync(caller.UserId, session, null, default);
        await signIns.OutAsync(caller);
    }

    /// <summary>A new key for an authenticator; it counts once a code of it was shown.</summary>
    public Task<Outcome<SecondFactorOffer>> BeginSecondFactorAsync(Caller caller) => OwnAsync<SecondFactorOffer>(caller, "profile.second-factor-begin", async work =>
    {
        if (work.User.TwoFactorEnabled) { return new Refusal("user.second-factor-on", "The second factor is on.", "Turn it off first."); }
        work.User.LastCodeStep = 0;   // of another key
        await work.Users.ResetAuthenticatorKeyAsync(work.User);
        var key = await work.Users.GetAuthenticatorKeyAsync(work.User) ?? throw new InvalidOperationException("No key was stored.");
        return new SecondFactorOffer(key, Totp.Uri(engine.Cluster.Name, work.User.UserName!, key));
    });

    /// <summary>The recovery codes; they are not shown again.</summary>
    public Task<Outcome<RecoveryCodesReply>> ConfirmSecondFactorAsync(Caller caller, string code) => OwnAsync<RecoveryCodesReply>(caller, "profile.second-factor-on", async work =>
    {
        if (work.User.TwoFactorEnabled) { return new Refusal("user.second-factor-on", "The second factor is on already."); }
        if (await TakeCodeAsync(work, code) is { } wrong) { return wrong; }
        await work.Users.SetTwoFactorEnabledAsync(work.User, true);
        return await NewCodesAsync(work);
    });

    public Task<Outcome<RecoveryCodesReply>> NewRecoveryCodesAsync(Caller caller, string code) => OwnAsync<RecoveryCodesReply>(caller, "profile.recovery-codes", async work =>
        !work.User.TwoFactorEnabled ? new Refusal("user.no-second-factor", "There is no second factor to recover.")
        : await TakeCodeAsync(work, code) is { } wrong ? wrong : await NewCodesAsync(work));

    public Task<Outcome<Done>> SecondFactorOffAsync(Caller caller, string password, string code) => OwnAsync<Done>(caller, "profile.second-factor-off", async work =>
    {
        if (!work.User.TwoFactorEnabled) { return new Refusal("user.no-second-factor", "There is no second factor to turn off."); }
        // Who has no password here shows the code only.
        var proven = await LoginOfAsync(work.Db, work.User.Id) is { Source: Sources.OpenId } ? null : await ProveAsync(work, password, "password");
        if ((proven ?? await TakeCodeAsync(work, code)) is { } wrong) { return wrong; }
        await ForgetSecondFactorAsync(work);
        return Done.Value;
    });

    public Task<Outcome<int>> RecoveryCodesLeftAsync(Caller caller) => ReadAsync<int>(caller, null, async work => await work.Users.CountRecoveryCodesAsync(work.User));

    public Task<Outcome<List<PasskeyView>>> PasskeysAsync(Caller caller) => ReadAsync<List<PasskeyView>>(caller, null, async work =>
        (await work.Users.GetPasskeysAsync(work.User)).OrderBy(p => p.CreatedAt).Select(p => new PasskeyView(Base64Url.EncodeToString(p.CredentialId), p.Name ?? "passkey", p.CreatedAt)).ToList());

    /// <summary>Before one is made: it will sign in without password and code, so it takes what they prove. session: the one that asks.</summary>
    public Task<Outcome<UserView>> BeginPasskeyAsync(Caller caller, PasskeyProof proof, Guid? session) => OwnAsync<UserView>(caller, "profile.passkey-begin", async work =>
    {
        if (!await TakesPasskeysAsync(work.User.Id)) { return s_noPasskeys; }
        return await ProvePersonAsync(work, proof.Password, proof.Code, session) is { } unproven ? unproven : await ViewAsync(work, default);
    });

    /// <summary>A passkey that the browser has made and Identity has verified.</summary>
    public Task<Outcome<Done>> AddPasskeyAsync(Caller caller, UserPasskeyInfo passkey, string? name) => OwnAsync<Done>(caller, "profile.passkey-add", async work =>
    {
        if (AccountRules.Label(name, "passkey") is { } wrong) { return wrong; }
        if (!await TakesPasskeysAsync(work.User.Id)) { return s_noPasskeys; }
        if ((await work.Users.GetPasskeysAsync(work.User)).Count >= MostPasskeys) { return new Refusal("passkey.too-many", $"There are {MostPasskeys} passkeys already.", "Remove one first."); }
        passkey.Name = name!.Trim();
        var added = await work.Users.AddOrUpdatePasskeyAsync(work.User, passkey);
        return added.Succeeded ? Done.Value : AccountRules.Of(added.Errors.First(), "name");
    });

    public Task<Outcome<Done>> RenamePasskeyAsync(Caller caller, string id, string name) => OwnAsync<Done>(caller, "profile.passkey-rename", async work =>
    {
        if (AccountRules.Label(name, "passkey") is { } wrong) { return wrong; }
        if (Bytes(id) is not { } credential || await work.Users.GetPasskeyAsync(work.User, credential) is not { } passkey) { return NoPasskey; }
        passkey.Name = name.Trim();
        await work.Users.AddOrUpdatePasskeyAsync(work.User, passkey);
        return Done.Value;
    });

    public Task<Outcome<Done>> RemovePasskeyAsync(Caller caller, string id) => OwnAsync<Done>(caller, "profile.passkey-remove", async work =>
    {
        if (Bytes(id) is not { } credential || await work.Users.GetPasskeyAsync(work.User, credential) is null) { return NoPasskey; }
        await work.Users.RemovePasskeyAsync(work.User, credential);
        return Done.Value;
    });

    private static readonly Refusal s_noPasskeys = new("passkey.elsewhere", "Passkeys of this portal do not sign this account in.", "Ask an administrator.");

    private static readonly Refusal NoPasskey = new("passkey.not-found", "There is no such passkey (any more).");

    private static byte[]? Bytes(string id)
    {
        try { return Base64Url.DecodeFromChars(id); }
        catch (FormatException) { return null; }
    }

    private async Task<Refusal?> TakeCodeAsync(Work work, string? code)
    {
        if (!await work.Users.IsLockedOutAsync(work.User) && await SignIn.CodeFitsAsync(work.Users, work.User, code, time)) { return null; }
        if (!await work.Users.IsLockedOutAsync(work.User)) { await work.Users.AccessFailedAsync(work.User); }
        return new Refusal("user.code-wrong", "This code is not right.", "Take the newest one of your authenticator; each works once.") { Field = "code" };
    }

    private static async Task<RecoveryCodesReply> NewCodesAsync(Work work) =>
        new([.. await work.Users.GenerateNewTwoFactorRecoveryCodesAsync(work.User, RecoveryCodes) ?? []]);

    private static async Task ForgetSecondFactorAsync(Work work)
    {
        await work.Users.SetTwoFactorEnabledAsync(work.User, false);
        await work.Db.UserTokens.Where(t => t.UserId == work.User.Id).ExecuteDeleteAsync();
    }

    // Hashing takes its time: not within a transaction.
    private static async Task<Refusal?> PreparePasswordAsync(Work work, string? password, string field)
    {
        if (await AccountRules.PasswordAsync(work.Users, work.User, password, field) is { } weak) { return weak; }
        work.User.PasswordHash = work.Users.PasswordHasher.HashPassword(work.User, password!);
        return null;
    }

    private static async Task<Refusal?> SaveStampAsync(Work work) =>
        await work.Users.UpdateSecurityStampAsync(work.User) is { Succeeded: false } wrong ? AccountRules.Of(wrong.Errors.First(), "password") : null;
}
