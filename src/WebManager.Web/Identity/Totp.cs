// Codes of an authenticator (RFC 6238: SHA-1, 30 s, six digits), and what it scans.
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using QRCoder;

namespace WebManager.Web.Identity;

public static class Totp
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const int StepSeconds = 30;

    /// <summary>How far clocks may differ, in steps.</summary>
    private const int Slack = 1;

    public static long StepAt(DateTimeOffset at) => at.ToUnixTimeSeconds() / StepSeconds;

    public static string Code(string key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // The authenticators' standard; HMAC does not need collision resistance.
        var hash = HMACSHA1.HashData(FromBase32(key), counter);
#pragma warning restore CA5350
        var at = hash[^1] & 0xf;
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(at, 4)) & 0x7fffffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The step that this code is of, if it is newer than the last one that was taken; null: it does not fit.</summary>
    public static long? Match(string key, string code, DateTimeOffset now, long lastStep)
    {
        long? found = null;
        for (var step = StepAt(now) - Slack; step <= StepAt(now) + Slack; step++)
        {
            if (step > lastStep && Secrets.Same(Code(key, step), code)) { found = step; }
        }
        return found;
    }

    public static string Uri(string issuer, string account, string key) =>
        $"otpauth://totp/{System.Uri.EscapeDataString(issuer)}:{System.Uri.EscapeDataString(account)}?secret={key}&issuer={System.Uri.EscapeDataString(issuer)}";

    /// <summary>The same as a picture, dark on light whatever the page's colours.</summary>
    public static string Svg(string uri)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        var size = data.ModuleMatrix.Count;
        var path = new StringBuilder();
        for (var y = 0; y < size; y++)
        {
            for (var x = 0; x < size; x++) { if (data.ModuleMatrix[y][x]) { path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h1v1h-1z"); } }
        }
        return $"<svg viewBox='0 0 {size} {size}' role='img' aria-label='QR code for the authenticator' shape-rendering='crispEdges'><rect width='{size}' height='{size}' fill='#fff'/><path d='{path}' fill='#000'/></svg>";
    }

    private static byte[] FromBase32(string text)
    {
        var bytes = new List<byte>(text.Length * 5 / 8);
        var (bits, held) = (0, 0);
        foreach (var c in text)
        {
            if (Alphabet.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal) is var value && value < 0) { continue; }
            (bits, held) = ((bits << 5) | value, held + 5);
            if (held < 8) { continue; }
            held -= 8;
            bytes.Add((byte)(bits >> held));
            bits &= (1 << held) - 1;
        }
        return [.. bytes];
    }
}
