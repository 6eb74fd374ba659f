// Ganeti's error bodies: code, message, explain, with the wording that its clients print.
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using WebManager.Contracts;

namespace WebManager.Web.Rapi;

/// <summary>
/// A request that is not carried out, with Ganeti's status. Thrown where a request is read, because reading is many steps deep and every step
/// ends the same way; what the engine refuses is a value (Submits).
/// </summary>
internal sealed class RapiError(int status, string message) : Exception(message)
{
    public int Status => status;

    public static RapiError NotFound => new(404, "Not Found");

    /// <summary>What has no engine part yet; docs/rapi.md lists them all.</summary>
    public static RapiError Missing(string why) => new(501, why);

    public static RapiError Forbidden(Refusal refusal) => new(403, $"{refusal.Message} {refusal.Remedy}".TrimEnd());

    /// <summary>As Ganeti 3.0.2 escapes it.</summary>
    public byte[] Body()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("code", status);
            json.WriteString("message", Escaped(Message));
            json.WriteString("explain", Explain(status));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static string Escaped(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal).Replace("'", "&#x27;", StringComparison.Ordinal);

    private static string Explain(int status) => status switch
    {
        400 => "Bad request syntax or unsupported method",
        401 => "No permission -- see authorization schemes",
        403 => "Request forbidden -- authorization will not help",
        404 => "Nothing matches the given URI",
        413 => "Entity is too large",
        415 => "Entity body in unsupported format",
        429 => "The user has sent too many requests in a given amount of time (\"rate limiting\")",
        501 => "Server does not support this operation",
        502 => "Invalid responses from another server/proxy",
        503 => "The server cannot process the request due to a high load",
        504 => "The gateway server did not receive a timely response",
        _ => "Server got itself in trouble",
    };
}
