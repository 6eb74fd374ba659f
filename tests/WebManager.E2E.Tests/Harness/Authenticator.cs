// An authenticator app as people have it on their phones (RFC 6238: SHA-1, six digits, steps of 30 s), from the key that the portal shows.
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using WebManager.Testing.E2E;

namespace WebManager.E2E.Tests.Harness;

public sealed class Authenticator(string key)
{
    private readonly byte[] _key = Base32(key);
    private long _last = Now - 2;

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30;

    /// <summary>A code that was not given out before: the portal takes each once. It may lie one step ahead, as a phone's clock does.</summary>
    public async Task<string> NextAsync()
    {
        var step = Math.Max(_last + 1, Now - 1);
        await Until.TrueAsync(() => step <= Now + 1, TimeSpan.FromSeconds(40), "the next code may be used");
        _last = step;
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // The standard's hash.
        var hash = HMACSHA1.HashData(_key, counter);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(hash[^1] & 15)) & int.MaxValue;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    private static byte[] Base32(string text)
    {
        var (bytes, bits, count) = (new List<byte>(), 0, 0);
        foreach (var c in text.Where(char.IsLetterOrDigit))
        {
            (bits, count) = ((bits << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal), count + 5);
            if (count >= 8) { bytes.Add((byte)(bits >> (count -= 8))); bits &= (1 << count) - 1; }
        }
        return [.. bytes];
    }
}
