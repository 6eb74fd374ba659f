// The codes that sign-in, set-up and the other account forms come back with, as sentences.
namespace WebManager.Web.Components.Pages.Account;

public static class AccountTexts
{
    public static string? Of(string? code) => code switch
    {
        null or "" => null,
        "failed" => "Name or password is wrong. After five wrong tries an account waits five minutes.",
        "expired" => "This form was open for too long. Please try again.",
        "wrong-code" => "This code is not right. Take the newest one; each works once. After five wrong tries an account waits five minutes.",
        "passkey-failed" => "This passkey did not sign you in. Try again, or use your password.",
        "link-invalid" => "This link is not valid (any more): it works once, and for some time only.",
        "wrong-token" => "This set-up link is not valid. Use the newest one: the portal prints it when it starts and keeps it in setup-link.txt in its data folder.",
        "used-token" => "This portal is already set up.",
        "passwords-differ" => "The two passwords differ.",
        "password-too-short" => "The password is too short: at least 10 characters.",
        "password-requires-unique-chars" => "The password repeats too few characters: at least 5 different ones.",
        "password-weak" or "password-missing" => "This password is not accepted: 10 to 256 characters, 5 of them different, and not your name.",
        "invalid-user-name" => "The name may have letters, digits and - . _ @ only.",
        "name-invalid" or "name-missing" => "This name is not accepted: 1 to 64 letters, digits and - . _ @ only.",
        "exists" => "This name is taken. Choose another one.",
        "email-invalid" or "email-missing" => "This is no e-mail address.",
        _ => "That was not accepted. Please check what you typed and try again.",
    };

    /// <summary>The sentence, if the code is about this field; what is about none stands at the first one.</summary>
    public static string? For(string field, string? code) => FieldOf(code) == field ? Of(code) : null;

    private static string? FieldOf(string? code) => code switch
    {
        null or "" => null,
        "passwords-differ" => "confirm",
        "email-invalid" or "email-missing" => "email",
        "invalid-user-name" or "name-invalid" or "name-missing" or "exists" => "name",
        _ => "password",
    };
}
