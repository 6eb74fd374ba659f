// The colour scheme the visitor chose, kept in a cookie so that the first byte of a page already knows it.
namespace WebManager.Web.Components.Layout;

public static class Theme
{
    public const string Cookie = "wm-theme";

    public static string Of(HttpContext? context) => context?.Request.Cookies[Cookie] switch
    {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    };
}
