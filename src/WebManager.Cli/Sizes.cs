// Sizes as people type them (512M, 2G, 1T, plain MiB) and as tables show them.
using System.Globalization;

namespace WebManager.Cli;

public static class Sizes
{
    /// <summary>16 TiB: more than any node has; what a node really has is the portal's to say.</summary>
    public const long MaxMiB = 16L * 1024 * 1024;

    public static string Allowed => $"a whole number of MiB, or one with M, G or T, from 1M to {Format(MaxMiB)} (512M, 2G)";

    public static bool TryParse(string text, out long mib)
    {
        mib = 0;
        var digits = text;
        long unit = 1;
        if (text.Length > 0 && char.ToUpperInvariant(text[^1]) is var last and ('M' or 'G' or 'T'))
        {
            digits = text[..^1];
            unit = last switch { 'G' => 1024, 'T' => 1024 * 1024, _ => 1 };
        }
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        if (number < 1 || number > MaxMiB / unit) return false;
        mib = number * unit;
        return true;
    }

    /// <summary>The shortest exact form: 64M, 2G, 1536M.</summary>
    public static string Format(long mib) => mib switch
    {
        > 0 when mib % (1024 * 1024) == 0 => $"{mib / (1024 * 1024)}T",
        > 0 when mib % 1024 == 0 => $"{mib / 1024}G",
        _ => $"{mib}M",
    };
}
