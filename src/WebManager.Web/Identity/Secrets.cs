// Random secrets for links and tokens, and how they are stored and compared.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace WebManager.Web.Identity;

public static class Secrets
{
    /// <summary>256 random bits, URL-safe.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>SHA-256 is enough for a secret that is random itself.</summary>
    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    public static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));
}
