// A request as resources read it: names in the path, query, body, who asks.
using System.Globalization;
using System.Text.Json;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal sealed class RapiCall(HttpContext http, RapiParts parts, Caller caller, string[] names)
{
    public const int LargestBody = 1024 * 1024;
    private JsonElement? _body;
    private bool _read;

    public RapiParts Parts => parts;
    public IClusterEngine Engine => parts.Engine;
    public Caller Caller => caller;
    public Sight Sight { get; } = parts.Engine.SightOf(caller);
    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>The variable part of the path.</summary>
    public string Name => names[0];
    public string Second => names[1];

    public bool Bulk => Flag("bulk");
    public bool DryRun => Flag("dry-run");

    /// <summary>What is told in the job and the audit.</summary>
    public string Why => Text("reason") is { Length: > 0 } why ? why[..Math.Min(why.Length, 500)] : $"asked by {caller.Name}";

    public string? Text(string key) => http.Request.Query.TryGetValue(key, out var value) ? value[^1] : null;

    public IReadOnlyList<string> All(string key) => [.. http.Request.Query[key].OfType<string>()];

    /// <summary>Ganeti's booleans in queries are whole numbers.</summary>
    public bool Flag(string key) => Number(key) is { } n && n != 0;

    private int? Number(string key) => Text(key) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : throw new RapiError(400, $"Invalid value for the '{key}' parameter");

    public bool HasQuery(string key) => http.Request.Query.ContainsKey(key);

    /// <summary>The body's JSON; null: there is none.</summary>
    public async Task<JsonElement?> BodyAsync()
    {
        if (_read) { return _body; }
        using var buffer = new MemoryStream();
        await http.Request.Body.CopyToAsync(buffer, http.RequestAborted);
        _read = true;
        if (buffer.Length == 0) { return null; }
        if (!http.Request.HasJsonContentType()) { throw new RapiError(415, "Unsupported Media Type"); }
        try
        {
            var body = JsonElement.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), new JsonDocumentOptions { AllowDuplicateProperties = false });
            Readable(body);
            _body = body;
        }
        catch (Exception ex) when (ex is JsonException or InvalidOperationException) { throw new RapiError(400, "Unable to parse JSON data"); }
        return _body;
    }

    /// <summary>Halves of surrogate pairs are valid JSON, and no text: throws InvalidOperationException.</summary>
    private static void Readable(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) { _ = value.GetString(); }
        else if (value.ValueKind == JsonValueKind.Array) { foreach (var one in value.EnumerateArray()) { Readable(one); } }
        else if (value.ValueKind == JsonValueKind.Object) { foreach (var p in value.EnumerateObject()) { _ = p.Name; Readable(p.Value); } }
    }

    /// <summary>The body as an object; none counts as an empty one.</summary>
    public async Task<JsonElement> ObjectAsync() => await BodyAsync() is not { } body ? JsonElement.Parse("{}"u8)
        : body.ValueKind == JsonValueKind.Object ? body : throw WrongType(body, "dict");

    public static RapiError WrongType(JsonElement body, string expected) => new(400, $"Body contents: Type is '{Python.TypeOf(body)}', but '{expected}' is expected");
}

/// <summary>How Python, whose words Ganeti's messages are made of, calls things.</summary>
internal static class Python
{
    public static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "dict",
        JsonValueKind.Array => "list",
        JsonValueKind.String => "str",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "int" : "float",
        JsonValueKind.True or JsonValueKind.False => "bool",
        JsonValueKind.Null or JsonValueKind.Undefined => "NoneType",
        _ => "object",
    };
}
