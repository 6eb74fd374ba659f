// People's SSH keys, which new instances of theirs have from the first boot on.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>What a public key says of itself. Bits: of an RSA modulus, otherwise of the curve.</summary>
public sealed record PublicKey(string Type, int Bits, string Line, string Fingerprint, string Comment)
{
    private const int LeastRsa = 2048, MostRsa = 16384, MostText = 16 * 1024;

    /// <summary>Format: RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4: a string with the type, then the parts of the key, each with its length before it.</summary>
    public static Outcome<PublicKey> Parse(string text)
    {
        var line = text.Trim();
        if (line.Contains("PRIVATE KEY", StringComparison.Ordinal)) { return Wrong("That is a private key. It stays with you: give nobody a copy.", "Paste the one line of the .pub file."); }
        if (line.Length > MostText || line.Any(char.IsControl)) { return Wrong("That is not one line.", "Paste the one line of a .pub file."); }
        var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2) { return Wrong("That is not an OpenSSH public key.", "Paste the one line of a .pub file, like ssh-ed25519 AAAA... ada@laptop."); }
        byte[] blob;
        try { blob = Convert.FromBase64String(words[1]); }
        catch (FormatException) { return Wrong("The key is damaged: its second word is not base64.", "Copy the whole line again."); }
        var parts = Parts(blob);
        if (parts is null || parts.Count < 2 || Encoding.ASCII.GetString(parts[0]) != words[0]) { return Wrong("The key is damaged: it is not what it says it is.", "Copy the whole line again."); }
        var bits = SizeOf(words[0], parts);
        if (bits is null) { return Wrong($"Keys of the type {Shown.Name(words[0])} are not taken.", "Use ssh-ed25519, ecdsa-sha2-nistp256 (384, 521) or ssh-rsa."); }
        if (words[0] == "ssh-rsa" && bits is < LeastRsa or > MostRsa) { return Wrong($"An RSA key of {bits} bits is not taken.", $"Use one of {LeastRsa} bits or more, or ssh-ed25519."); }
        var print = Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('=');
        return new PublicKey(words[0], bits.Value, $"{words[0]} {words[1]}", $"SHA256:{print}", words.Length > 2 ? Shown.Name(words[2]) : "");
    }

    private static int? SizeOf(string type, List<byte[]> parts) => type switch
    {
        "ssh-ed25519" => parts is [_, { Length: 32 }] ? 256 : null,
        "ssh-rsa" => parts is [_, _, { Length: > 0 } modulus] ? (modulus.Length * 8) - System.Numerics.BitOperations.LeadingZeroCount((uint)modulus.SkipWhile(b => b == 0).FirstOrDefault()) + 24 - (8 * modulus.TakeWhile(b => b == 0).Count()) : null,
        "ecdsa-sha2-nistp256" => Point(parts, "nistp256", 65, 256),
        "ecdsa-sha2-nistp384" => Point(parts, "nistp384", 97, 384),
        "ecdsa-sha2-nistp521" => Point(parts, "nistp521", 133, 521),
        _ => null,
    };

    private static int? Point(List<byte[]> parts, string curve, int length, int bits) =>
        parts is [_, var name, [4, ..] point] && point.Length == length && Encoding.ASCII.GetString(name) == curve ? bits : null;

    private static List<byte[]>? Parts(ReadOnlySpan<byte> blob)
    {
        var parts = new List<byte[]>();
        while (blob.Length > 0)
        {
            if (blob.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(blob) is var length && length > blob.Length - 4) { return null; }
            parts.Add(blob.Slice(4, (int)length).ToArray());
            blob = blob[(4 + (int)length)..];
        }
        return parts;
    }

    private static Refusal Wrong(string message, string remedy) => new("ssh-key.invalid", message, remedy) { Field = "key" };
}

internal sealed class AddSshKeyOperation : InstantOperation<AddSshKey>
{
    private const int MostKeys = 50;

    public override Right Right => Right.OwnKeys;

    public override Refusal? Check(AddSshKey request, Picture now, EngineParts parts)
    {
        if (request.Title.Length > 64 || request.Title.Any(char.IsControl)) { return new Refusal("ssh-key.name-invalid", "The name has more than 64 characters, or control characters.", "Use a short one, like laptop.") { Field = "title" }; }
        if (request.User is { } user && parts.People.Find(user)?.Id != user) { return new Refusal("user.unknown", $"There is no user {Shown.Name(user)}.") { Field = "user" }; }
        return PublicKey.Parse(request.Key).Refusal;
    }

    public override Refusal? CheckFor(AddSshKey request, Caller caller, Picture now)
    {
        var (user, print) = (request.User ?? caller.UserId, PublicKey.Parse(request.Key).Value!.Fingerprint);
        var own = now.SshKeys.Values.Where(k => k.User == user).ToList();
        return own.Count >= MostKeys ? new Refusal("ssh-key.too-many", $"There are {MostKeys} keys already.", "Remove one.") { Field = "key" }
            : own.FirstOrDefault(k => k.Fingerprint == print) is { } same ? new Refusal("ssh-key.exists", $"That key is there already, as {same.Name}.") { Field = "key" } : null;
    }

    public override void Change(AddSshKey request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        var key = PublicKey.Parse(request.Key).Value!;
        var name = request.Title.Trim() is { Length: > 0 } title ? title : key.Comment.Length > 0 ? key.Comment : key.Type;
        changes.Text = $"Key {key.Fingerprint} ({key.Type}, {key.Bits} bits) was added.";
        changes.Raw.SshKeys.Add(new SshKey(parts.Random.NewGuid(), request.User ?? caller.UserId, name, key.Line, key.Fingerprint, parts.Clock.GetUtcNow(), 1));
    }
}

internal sealed class RemoveSshKeyOperation : InstantOperation<RemoveSshKey>
{
    public override Right Right => Right.OwnKeys;
    public override Refusal? Check(RemoveSshKey request, Picture now, EngineParts parts) => now.SshKeys.ContainsKey(request.Key) ? null : new Refusal("ssh-key.unknown", "There is no such key.");

    public override void Change(RemoveSshKey request, Caller caller, Picture now, StepChanges changes, EngineParts parts)
    {
        changes.Text = $"Key {now.SshKeys[request.Key].Fingerprint} was removed. Instances that have it keep it.";
        changes.Raw.SshKeysRemoved.Add(request.Key);
    }
}

/// <summary>Whose keys a new instance gets.</summary>
internal static class OwnersKeys
{
    /// <summary>The user's, or those of everybody in the group.</summary>
    public static IReadOnlyList<string> Of(string owner, Picture now)
    {
        HashSet<string> users = Keys.UserOf(owner) is { } user ? [user] : Keys.GroupOf(owner) is { } id && now.UserGroups.TryGetValue(id, out var group) ? [.. group.Members.Select(m => m.User)] : [];
        return [.. now.SshKeys.Values.Where(k => users.Contains(k.User)).OrderBy(k => k.At).Select(k => k.Line)];
    }
}
