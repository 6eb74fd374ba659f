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
        "openid-unreachable" => "The sign-in service does not answer. Try again later.",
        "openid-denied" => "The sign-in service did not let you in, or you said no there.",
        "openid-failed" => "The answer of the sign-in service was not accepted. Please try again.",
        "openid-disabled" => "Your account here is disabled. Ask an administrator.",
        "openid-not-allowed" => "You are in none of the groups that may come in here. Ask an administrator.",
        "openid-no-account" => "You have no account here, and none is made by signing in. Ask an administrator.",
        "openid-name-invalid" => "Your name at the sign-in service cannot be the name of an account here. Ask an administrator.",
        "openid-name-taken" => "There is an account of your name here already, and it is not yours at the sign-in service. Ask an administrator.",
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

    public static string? Done(string? what) => what switch
    {
        "password" => "Your password is set. Sign in with it.",
        "registered" => "Your account is made. Sign in with it.",
        "registered-mail" => "A letter is on its way to the address that you gave. It has a link to set your password, or says why there is no account yet.",
        _ => null,
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
