// Values of people inside filters and distinguished names: nothing that they type is read as a part of the language around it.
using System.Text;

namespace WebManager.Web.Identity.Directories;

public static class LdapText
{
    /// <summary>RFC 4515: * ( ) \ and NUL as \xx. Everything that is not plain ASCII, too, which is allowed and leaves no doubt.</summary>
    public static string Filter(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var b in Encoding.UTF8.GetBytes(value))
        {
            if (b is < 0x20 or > 0x7e or (byte)'*' or (byte)'(' or (byte)')' or (byte)'\\') { text.Append('\\').Append(Hex(b)); }
            else { text.Append((char)b); }
        }
        return text.ToString();
    }

    /// <summary>RFC 4514: the characters that end or begin a part of a name as \xx, blanks and # at the ends as well.</summary>
    public static string Dn(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        var text = new StringBuilder(value.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            var atEnd = i == 0 || i == bytes.Length - 1;
            if (b is < 0x20 or > 0x7e || "\"+,;<>\\=".Contains((char)b, StringComparison.Ordinal) || (atEnd && b is (byte)' ' or (byte)'#')) { text.Append('\\').Append(Hex(b)); }
            else { text.Append((char)b); }
        }
        return text.ToString();
    }

    private static string Hex(byte b) => Convert.ToHexStringLower([b]);
}
