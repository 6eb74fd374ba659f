using System.Buffers.Binary;

namespace WebManager.Web.Tests.Rights;

/// <summary>What the words with $ in rights.txt stand for.</summary>
internal static class RightsBodies
{
    private static int s_number;

    public static int Next() => Interlocked.Increment(ref s_number);

    /// <summary>$new: a name nobody has; $key: a public key nobody has; the others are of the row's object.</summary>
    public static string Fill(string text, string on) => text
        .Replace("$new", $"new-{Next()}", StringComparison.Ordinal)
        .Replace("$key", text.Contains("$key", StringComparison.Ordinal) ? Key(Next()) : "", StringComparison.Ordinal)
        .Replace("$on", RightsScene.InstanceOf(on), StringComparison.Ordinal)
        .Replace("$template", RightsScene.TemplateOf(on), StringComparison.Ordinal)
        .Replace("$owner", RightsScene.OwnerOf(on), StringComparison.Ordinal)
        .Replace("$group", RightsScene.GroupOf(on), StringComparison.Ordinal)
        .Replace("$person", on == "foreign" ? "otto" : "olga", StringComparison.Ordinal)
        .Replace("$member", on == "foreign" ? "otto" : "mia", StringComparison.Ordinal)
        .Replace("$request", RightsScene.RequestOf(on).ToString(), StringComparison.Ordinal)
        .Replace("$unaskey", RightsScene.UnasKey.ToString(), StringComparison.Ordinal);

    /// <summary>A line as ssh-keygen writes it; n makes it another one.</summary>
    public static string Key(int n)
    {
        var bytes = new byte[4 + 11 + 4 + 32];
        BinaryPrimitives.WriteInt32BigEndian(bytes, 11);
        "ssh-ed25519"u8.CopyTo(bytes.AsSpan(4));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(15), 32);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(19), n);
        bytes[^1] = 1;
        return "ssh-ed25519 " + Convert.ToBase64String(bytes);
    }
}
