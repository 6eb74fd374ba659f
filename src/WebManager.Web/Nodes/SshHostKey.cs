// Makes Ed25519 host keys as OpenSSH writes them. .NET has no Ed25519, and making a key needs only one multiplication on the curve
// (RFC 8032, 5.1.5); nothing is signed here. The private half never leaves portal and guest.
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace WebManager.Web.Nodes;

public static class SshHostKey
{
    private const string Type = "ssh-ed25519";
    private static readonly BigInteger s_p = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger s_d = Mod(-121665 * Inverse(121666));
    private static readonly Point s_base = Base();

    // Extended homogeneous coordinates: x = X/Z, y = Y/Z, xy = T/Z.
    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z, BigInteger T);

    public static string New() => From(RandomNumberGenerator.GetBytes(32));

    /// <summary>The private key file (openssh-key-v1, not encrypted) for a 32-byte seed.</summary>
    public static string From(byte[] seed)
    {
        var publicKey = PublicKey(seed);
        var blob = Join(Field(Type), Field(publicKey));
        var check = RandomNumberGenerator.GetBytes(4);
        var secret = Join(check, check, Field(Type), Field(publicKey), Field([.. seed, .. publicKey]), Field("webmanager"));
        var padding = Enumerable.Range(1, (8 - (secret.Length % 8)) % 8).Select(i => (byte)i).ToArray();
        var file = Join(Encoding.ASCII.GetBytes("openssh-key-v1\0"), Field("none"), Field("none"), Field(""), Number(1), Field(blob), Field(Join(secret, padding)));
        var lines = Convert.ToBase64String(file).Chunk(70).Select(line => new string(line));
        return $"-----BEGIN OPENSSH PRIVATE KEY-----\n{string.Join('\n', lines)}\n-----END OPENSSH PRIVATE KEY-----\n";
    }

    public static byte[] PublicKey(byte[] seed)
    {
        var scalar = SHA512.HashData(seed)[..32];
        scalar[0] &= 248;
        scalar[31] = (byte)((scalar[31] & 127) | 64);
        var (result, step) = (new Point(0, 1, 1, 0), s_base);
        for (var bits = new BigInteger(scalar, isUnsigned: true); !bits.IsZero; bits >>= 1)
        {
            if (!bits.IsEven) { result = Add(result, step); }
            step = Add(step, step);
        }
        var inverse = Inverse(result.Z);
        var (x, y) = (Mod(result.X * inverse), Mod(result.Y * inverse));
        var encoded = new byte[32];
        y.TryWriteBytes(encoded, out _, isUnsigned: true);
        encoded[31] |= (byte)(x.IsEven ? 0 : 0x80);
        return encoded;
    }

    private static Point Add(Point a, Point b)
    {
        var (m, n) = (Mod((a.Y - a.X) * (b.Y - b.X)), Mod((a.Y + a.X) * (b.Y + b.X)));
        var (c, d) = (Mod(2 * a.T * b.T * s_d), Mod(2 * a.Z * b.Z));
        var (e, f, g, h) = (n - m, d - c, d + c, n + m);
        return new Point(Mod(e * f), Mod(g * h), Mod(f * g), Mod(e * h));
    }

    // y = 4/5, x the even root of (y^2 - 1) / (d y^2 + 1).
    private static Point Base()
    {
        var y = Mod(4 * Inverse(5));
        var square = Mod((y * y - 1) * Inverse(Mod(s_d * y * y + 1)));
        var x = BigInteger.ModPow(square, (s_p + 3) / 8, s_p);
        if (Mod(x * x - square) != 0) { x = Mod(x * BigInteger.ModPow(2, (s_p - 1) / 4, s_p)); }
        if (!x.IsEven) { x = s_p - x; }
        return new Point(x, y, 1, Mod(x * y));
    }

    private static BigInteger Mod(BigInteger value)
    {
        var rest = value % s_p;
        return rest.Sign < 0 ? rest + s_p : rest;
    }

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(value, s_p - 2, s_p);

    private static byte[] Field(string text) => Field(Encoding.ASCII.GetBytes(text));

    private static byte[] Field(byte[] bytes) => Join(Number(bytes.Length), bytes);

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(p => p)];
}
