// Text from the portal and from guests, made safe for a terminal.
using System.Globalization;

namespace WebManager.Cli;

public static class Text
{
    /// <summary>Control characters (a guest's escape sequences among them) become a dot; tabs stay.</summary>
    public static string Plain(string text) =>
        text.Any(IsUnsafe) ? string.Concat(text.Select(c => IsUnsafe(c) ? '·' : c)) : text;

    public static string Time(DateTimeOffset? at, TimeProvider clock) =>
        at is { } t ? TimeZoneInfo.ConvertTime(t, clock.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "-";

    private static bool IsUnsafe(char c) => char.IsControl(c) && c != '\t';
}
