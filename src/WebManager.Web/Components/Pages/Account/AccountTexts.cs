// The codes that sign-in and set-up come back with, as sentences.
namespace WebManager.Web.Components.Pages.Account;

public static class AccountTexts
{
    public static string? Of(string? code) => code switch
    {
        null or "" => null,
        "failed" => "Name or password is wrong. After five wrong tries an account waits five minutes.",
        "expired" => "This form was open for too long. Please try again.",
        "wrong-token" => "This set-up link is not valid. Use the newest one: the portal prints it when it starts and keeps it in setup-link.txt in its data folder.",
        "used-token" => "This portal is already set up.",
        "passwords-differ" => "The two passwords differ.",
        "password-too-short" => "The password is too short: at least 10 characters.",
        "password-requires-unique-chars" => "The password repeats too few characters: at least 5 different ones.",
        "invalid-user-name" => "The name may have letters, digits and - . _ @ only.",
        _ => "That was not accepted. Please check what you typed and try again.",
    };
}
