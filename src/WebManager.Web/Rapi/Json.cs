// Writing JSON without objects in between.
using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace WebManager.Web.Rapi;

internal static class Json
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static readonly ReadOnlyMemory<byte> Null = "null"u8.ToArray();

    public static ReadOnlyMemory<byte> Of(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, s_options)) { write(json); }
        return buffer.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Number(long n) => Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture));

    public static ReadOnlyMemory<byte> Text(string text) => Of(json => json.WriteStringValue(text));

    public static void Texts(this Utf8JsonWriter json, IEnumerable<string?> texts)
    {
        json.WriteStartArray();
        foreach (var text in texts) { json.WriteStringValue(text); }
        json.WriteEndArray();
    }

    public static void Numbers(this Utf8JsonWriter json, IEnumerable<long?> numbers)
    {
        json.WriteStartArray();
        foreach (var number in numbers) { if (number is { } n) { json.WriteNumberValue(n); } else { json.WriteNullValue(); } }
        json.WriteEndArray();
    }

    public static void Maybe(this Utf8JsonWriter json, long? number)
    {
        if (number is { } n) { json.WriteNumberValue(n); } else { json.WriteNullValue(); }
    }

    public static void Maybe(this Utf8JsonWriter json, bool? flag)
    {
        if (flag is { } f) { json.WriteBooleanValue(f); } else { json.WriteNullValue(); }
    }

    public static void Nothing(this Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteEndObject();
    }

    /// <summary>Seconds since 1970 with a fraction, as Ganeti's ctime and mtime.</summary>
    public static void Seconds(this Utf8JsonWriter json, DateTimeOffset at) => json.WriteRawValue(((at - DateTimeOffset.UnixEpoch).TotalMicroseconds / 1e6).ToString("0.0#####", CultureInfo.InvariantCulture), skipInputValidation: true);

    /// <summary>[seconds, microseconds], as in jobs; null: not yet.</summary>
    public static void Moment(this Utf8JsonWriter json, DateTimeOffset? at)
    {
        if (at is not { } time) { json.WriteNullValue(); return; }
        var micros = (time - DateTimeOffset.UnixEpoch).Ticks / 10;
        json.WriteStartArray();
        json.WriteNumberValue(micros / 1_000_000);
        json.WriteNumberValue(micros % 1_000_000);
        json.WriteEndArray();
    }

    public static long Nanoseconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>For what has no id of its own here: always the same for the same words.</summary>
    public static Guid IdOf(string words)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(words)).AsSpan(0, 16).ToArray();
        (bytes[6], bytes[8]) = ((byte)((bytes[6] & 0x0f) | 0x50), (byte)((bytes[8] & 0x3f) | 0x80));
        return new Guid(bytes, bigEndian: true);
    }
}
