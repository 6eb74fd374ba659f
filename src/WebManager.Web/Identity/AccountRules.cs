// What names, addresses and passwords of accounts may look like; refusals name the field.
using System.Globalization;
using System.Net.Mail;
using Microsoft.AspNetCore.Identity;
using WebManager.Contracts;
using WebManager.Web.Data;

namespace WebManager.Web.Identity;

internal static class AccountRules
{
    public const int LongestName = 64;
    public const int LongestPassword = 256;

    // With these names others than people stand in jobs and in the audit.
    private static readonly string[] s_reserved = [ApiTokens.LocalUser, "watcher", "anonymous", "portal", Directories.Sources.Directory, Directories.Sources.OpenId];

    public static Refusal? Name(string? name, IdentityOptions options) => name switch
    {
        null or "" => new Refusal("user.name-missing", "A user needs a name.") { Field = "name" },
        { Length: > LongestName } => new Refusal("user.name-invalid", $"A name has 1 to {LongestName} characters.") { Field = "name" },
        _ when !name.All(c => options.User.AllowedUserNameCharacters.Contains(c, StringComparison.Ordinal)) =>
            new Refusal("user.name-invalid", "A name has letters (a to z), digits and - . _ @ only.") { Field = "name" },
        _ when s_reserved.Contains(name, StringComparer.OrdinalIgnoreCase) => new Refusal("user.name-invalid", $"{name} is a name of the portal's own.", "Choose another name.") { Field = "name" },
        _ => null,
    };

    /// <summary>Empty takes it away.</summary>
    public static Outcome<string> Email(string? text) => text?.Trim() is not { Length: > 0 } mail ? ""
        : mail.Length <= 254 && IsPlain(mail) && !mail.Any(char.IsWhiteSpace) && MailAddress.TryCreate(mail, out var parsed) && parsed.Address == mail && parsed.Host.Length > 0 ? mail
        : new Refusal("user.email-invalid", "This is no e-mail address.", "Give one like ada@example.org.") { Field = "email" };

    public static Outcome<string> DisplayName(string? text) => text?.Trim() is not { Length: > 0 } name ? ""
        : name.Length > 100 ? new Refusal("user.display-name-invalid", "A full name has 100 characters or fewer.") { Field = "displayName" }
        : IsPlain(name) ? name
        : new Refusal("user.display-name-invalid", "A full name has no control characters.") { Field = "displayName" };

    /// <summary>The name of a token or passkey.</summary>
    public static Refusal? Label(string? text, string what) => text?.Trim() is not { Length: > 0 } name
        ? new Refusal($"{what}.name-missing", $"A {what} needs a name, so that you know it again.") { Field = "name" }
        : name.Length > LongestName || !IsPlain(name) ? new Refusal($"{what}.name-invalid", $"A name has 1 to {LongestName} characters, none of them control characters.") { Field = "name" }
        : null;

    public static async Task<Refusal?> PasswordAsync(UserManager<PortalUser> users, PortalUser user, string? password, string field)
    {
        if (string.IsNullOrEmpty(password)) { return new Refusal("user.password-missing", "A password is needed.") { Field = field }; }
        if (password.Length > LongestPassword) { return new Refusal("user.password-weak", $"A password has {LongestPassword} characters or fewer.") { Field = field }; }
        if (password.Equals(user.UserName, StringComparison.OrdinalIgnoreCase)) { return new Refusal("user.password-weak", "The password is the name.", "Choose another one.") { Field = field }; }
        foreach (var validator in users.PasswordValidators)
        {
            if (await validator.ValidateAsync(users, user, password) is { Succeeded: false } wrong) { return Of(wrong.Errors.First(), field); }
        }
        return null;
    }

    public static Refusal Of(IdentityError error, string field) => error.Code switch
    {
        "DuplicateUserName" => new Refusal("user.exists", "There is a user of this name already.", "Choose another name.") { Field = "name" },
        "InvalidUserName" => new Refusal("user.name-invalid", "A name has letters (a to z), digits and - . _ @ only.") { Field = "name" },
        "PasswordTooShort" => new Refusal("user.password-weak", "The password is too short: it needs 10 characters or more.", "A short sentence is good.") { Field = field },
        "PasswordRequiresUniqueChars" => new Refusal("user.password-weak", "The password repeats too few characters: it needs 5 different ones or more.") { Field = field },
        "ConcurrencyFailure" => new Refusal("user.changed", "Someone else changed this account meanwhile.", "Load it again, and repeat what you did."),
        _ => new Refusal("user.refused", error.Description),
    };

    private static bool IsPlain(string text) =>
        text.All(c => CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));
}
