using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace WebManager.Contracts.Audit;

/// <summary>What an audit entry says, as it is hashed. At is in UTC ticks. Serial counts from 1 without holes.</summary>
public sealed record AuditFields(long Serial, long AtTicks, string User, string Face, string? Address, string Operation, string Subject, string Result, long? Job, string? Reason);

/// <summary>A place in the chain: the entry's serial and hash, written "serial:hash".</summary>
public readonly record struct AuditMark(long Serial, string Hash)
{
    /// <summary>Before the first entry.</summary>
    public static readonly AuditMark Start = new(0, new string('0', 64));

    public override string ToString() => $"{Serial}:{Hash}";

    public static bool TryParse(string? text, out AuditMark mark)
    {
        mark = Start;
        if (text?.Trim().Split(':') is not [var serial, { Length: 64 } hash] || !hash.All(char.IsAsciiHexDigit)) { return false; }
        if (!long.TryParse(serial, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)) { return false; }
        mark = new AuditMark(number, hash.ToLowerInvariant());
        return true;
    }
}

/// <summary>
/// The hash that ties each audit entry to the one before: the portal computes it when it writes, the portal and `wm` when they verify.
/// SHA-256 over "wm-audit-1", the hash before (64 hex digits) and the fields in AuditFields' order. A number is the byte 2 and 8 bytes, big
/// endian; a text is the byte 1, its length in 4 bytes and its UTF-8; what is not there is the byte 0. So no two entries have the same bytes.
/// </summary>
public static class AuditChain
{
    private const string Version = "wm-audit-1";

    public static string Hash(string previous, AuditFields fields)
    {
        using var bytes = new MemoryStream();
        Add(bytes, Version);
        Add(bytes, previous);
        Add(bytes, fields.Serial);
        Add(bytes, fields.AtTicks);
        Add(bytes, fields.User);
        Add(bytes, fields.Face);
        Add(bytes, fields.Address);
        Add(bytes, fields.Operation);
        Add(bytes, fields.Subject);
        Add(bytes, fields.Result);
        Add(bytes, fields.Job);
        Add(bytes, fields.Reason);
        return Convert.ToHexStringLower(SHA256.HashData(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }

    /// <summary>A text as it can be stored and read back exactly: no zero characters, no halves of characters, not longer than the limit.</summary>
    public static string Clean(string text, int limit)
    {
        if (text.Length > limit) { text = text[..(limit - 1)] + '…'; }
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Replace('\0', '\uFFFD')));
    }

    private static void Add(MemoryStream to, string? text)
    {
        if (text is null)
        {
            to.WriteByte(0);
            return;
        }
        var utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, utf8.Length);
        to.WriteByte(1);
        to.Write(length);
        to.Write(utf8);
    }

    private static void Add(MemoryStream to, long? number)
    {
        if (number is not { } value)
        {
            to.WriteByte(0);
            return;
        }
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        to.WriteByte(2);
        to.Write(bytes);
    }
}
