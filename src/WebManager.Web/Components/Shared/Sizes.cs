// Sizes as people write and read them; MiB inside.
using System.Globalization;

namespace WebManager.Web.Components.Shared;

public static class Sizes
{
    /// <summary>"512", "512M", "1.5 G", "2T", also with i and B: MiB; null when it is not a size.</summary>
    public static long? Parse(string? text)
    {
        var s = (text ?? "").Trim().ToUpperInvariant().TrimEnd('B').TrimEnd('I').Trim();
        var factor = s.Length == 0 ? 0 : s[^1] switch { 'T' => 1024m * 1024m, 'G' => 1024m, 'M' => 1m, >= '0' and <= '9' => 1m, _ => 0m };
        if (factor == 0m) { return null; }
        var number = char.IsAsciiDigit(s[^1]) ? s : s[..^1].Trim();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) { return null; }
        var mib = value * factor;
        return mib is > 0 and <= 1024m * 1024m * 1024m && mib == Math.Floor(mib) ? (long)mib : null;
    }

    /// <summary>The shortest exact form that Parse reads: 512M, 2G, 0.</summary>
    public static string Typed(long mib) => mib switch
    {
        > 0 when mib % (1024 * 1024) == 0 => string.Create(CultureInfo.InvariantCulture, $"{mib / (1024 * 1024)}T"),
        > 0 when mib % 1024 == 0 => string.Create(CultureInfo.InvariantCulture, $"{mib / 1024}G"),
        0 => "0",
        _ => string.Create(CultureInfo.InvariantCulture, $"{mib}M"),
    };

    /// <summary>512 MiB, 1.5 GiB, 2 TiB.</summary>
    public static string Text(long mib) => mib switch
    {
        >= 1024 * 1024 => Number(mib / 1048576m, "TiB"),
        >= 1024 => Number(mib / 1024m, "GiB"),
        _ => Number(mib, "MiB"),
    };

    /// <summary>4.3 of 8 GiB, or 512 MiB of 8 GiB: the used part and the rest.</summary>
    public static (string Used, string Of) Share(long used, long total)
    {
        var (a, b) = (Text(used).Split(' '), Text(total));
        return (b.EndsWith(" " + a[1], StringComparison.Ordinal) || used == 0 ? a[0] : $"{a[0]} {a[1]}", "of " + b);
    }

    private static string Number(decimal value, string unit) => value.ToString("0.#", CultureInfo.InvariantCulture) + " " + unit;
}
