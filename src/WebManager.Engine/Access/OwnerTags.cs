// The owner of an instance as a tag, so that whoever finds the instance on a node knows whose it was. Pure.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Access;

/// <summary>
/// webmanager:owner:user:NAME or webmanager:owner:group:NAME. What a tag cannot have in NAME is written as +XX, two hex digits for each byte of its
/// UTF-8; a name that makes the tag too long is cut and ends with * and a part of its hash, which is compared and cannot be read back.
/// </summary>
public static class OwnerTags
{
    /// <summary>No tag by hand begins so.</summary>
    public const string Reserved = "webmanager:";
    private const string UserPrefix = Reserved + "owner:user:", GroupPrefix = Reserved + "owner:group:";
    private const string Plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-";
    private const int HashDigits = 16;

    /// <summary>Null: nobody's, or of an owner that is no more.</summary>
    public static string? Of(string owner, Picture now, IPeople people) =>
        Keys.UserOf(owner) is { } user ? people.Find(user) is { } person ? OfUser(person.Name) : null
        : Keys.GroupOf(owner) is { } group && now.UserGroups.TryGetValue(group, out var g) ? OfGroup(g.Name) : null;

    public static string OfUser(string name) => Tag(UserPrefix, name);
    public static string OfGroup(string name) => Tag(GroupPrefix, name);

    /// <summary>All tags of an instance as people and nodes see them.</summary>
    public static IReadOnlyList<string> All(Instance i, Picture now, IPeople people) => Of(i.Owner, now, people) is { } tag ? [tag, .. i.Tags] : i.Tags;

    /// <summary>The one among them that names an owner; null: none does.</summary>
    public static string? In(IEnumerable<string> tags) => tags.FirstOrDefault(t => t.StartsWith(UserPrefix, StringComparison.Ordinal) || t.StartsWith(GroupPrefix, StringComparison.Ordinal));

    /// <summary>The key of the user or group that the tag names; null: there is none here.</summary>
    public static string? KeyOf(string tag, Picture now, IPeople people)
    {
        if (tag.StartsWith(GroupPrefix, StringComparison.Ordinal)) { return now.UserGroups.Values.FirstOrDefault(g => OfGroup(g.Name) == tag) is { } group ? Keys.Group(group.Id) : null; }
        return tag.StartsWith(UserPrefix, StringComparison.Ordinal) && NameIn(tag) is { } name && people.Find(name) is { } person
            && string.Equals(person.Name, name, StringComparison.OrdinalIgnoreCase) ? Keys.User(person.Id) : null;
    }

    /// <summary>The name in it, a cut one with an ellipsis; null: it names no owner, or is damaged.</summary>
    public static string? NameIn(string tag)
    {
        var text = tag.StartsWith(UserPrefix, StringComparison.Ordinal) ? tag[UserPrefix.Length..] : tag.StartsWith(GroupPrefix, StringComparison.Ordinal) ? tag[GroupPrefix.Length..] : null;
        if (text is null) { return null; }
        var cut = text.IndexOf('*', StringComparison.Ordinal);
        return Decode(cut < 0 ? text : text[..cut]) is { } name ? cut < 0 ? name : name + "…" : null;
    }

    public static bool IsGroup(string tag) => tag.StartsWith(GroupPrefix, StringComparison.Ordinal);

    private static string Tag(string prefix, string name)
    {
        var whole = prefix + Encode(name);
        if (whole.Length <= TagRules.Longest) { return whole; }
        var cut = whole[..(TagRules.Longest - HashDigits - 1)];
        // Not in the middle of an escape.
        if (cut.LastIndexOf('+') is var at && at >= cut.Length - 2) { cut = cut[..at]; }
        return $"{cut}*{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..HashDigits]}";
    }

    private static string Encode(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            if (Plain.Contains((char)b, StringComparison.Ordinal)) { text.Append((char)b); }
            else { text.Append('+').Append(b.ToString("X2", CultureInfo.InvariantCulture)); }
        }
        return text.ToString();
    }

    private static string? Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '+') { bytes.Add((byte)text[at]); continue; }
            if (at + 2 >= text.Length || !byte.TryParse(text.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var b)) { return null; }
            bytes.Add(b);
            at += 2;
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }
}
