// /2/query/{resource}: chosen fields of chosen objects, each value with its status.
using System.Text.Json;

namespace WebManager.Web.Rapi;

internal static class Query
{
    public const int MostFields = 300;

    public static async Task<ReadOnlyMemory<byte>> Read(RapiCall call)
    {
        JsonElement? filter = null;
        IReadOnlyList<string> fields;
        if (await call.BodyAsync() is not null)
        {
            var body = await call.ObjectAsync();
            filter = Given(body, "qfilter") ?? Given(body, "filter");
            fields = Given(body, "fields") is not { } list ? FromQuery(call)
                : list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(f => f.ValueKind == JsonValueKind.String) ? [.. list.EnumerateArray().Select(f => f.GetString()!)]
                : throw new RapiError(400, "Invalid body parameters: 'fields' is not a list of names");
        }
        else { fields = FromQuery(call); }
        return fields.Count > MostFields ? throw new RapiError(400, $"Invalid body parameters: more than {MostFields} fields") : await AnswerAsync(call, fields, filter);
    }

    public static Task<ReadOnlyMemory<byte>> Fields(RapiCall call)
    {
        var names = call.Text("fields") is { Length: > 0 } text ? text.Split(',') : null;
        if (names?.Length > MostFields) { throw new RapiError(400, $"Invalid body parameters: more than {MostFields} fields"); }
        return Task.FromResult(call.Name switch
        {
            "instance" => Words(call.Name, InstanceFields.All, names),
            "node" => Words(call.Name, NodeFields.All, names),
            "group" => Words(call.Name, GroupFields.All, names),
            "job" => Words(call.Name, JobFields.All, names),
            "lock" => Words(call.Name, NoFields("name mode owner pending"), names),
            "export" => Words(call.Name, NoFields("node export"), names),
            "filter" => Words(call.Name, NoFields("action predicates priority reason_trail uuid watermark"), names),
            "os" => throw new RapiError(500, "QueryFields 'ItemTypeOpCode QROs' not supported"),
            "network" => throw RapiError.Missing("Networks are not here yet"),
            _ => throw UnknownResource(call.Name, "null"),
        });
    }

    private static async Task<ReadOnlyMemory<byte>> AnswerAsync(RapiCall call, IReadOnlyList<string> fields, JsonElement? filter)
    {
        var request = $"[\"{call.Name}\", {JsonSerializer.Serialize(fields, s_python)}, {(filter is { } f ? f.GetRawText() : "null")}]";
        return call.Name switch
        {
            "instance" => Rows(call.Name, Seen.Instances(call.Engine, call.Sight), InstanceFields.All, fields, filter, request),
            "node" => Rows(call.Name, Seen.Nodes(call.Engine, call.Sight), NodeFields.All, fields, filter, request),
            "group" => Rows(call.Name, Seen.Groups(call.Engine, call.Sight), GroupFields.All, fields, filter, request),
            "job" => Rows(call.Name, await JobResources.AllAsync(call, fields), JobFields.All, fields, filter, request),
            // None is held by name for longer than a job runs, and no export is kept here.
            "lock" => Rows(call.Name, [], NoFields("name mode owner pending"), fields, filter, request),
            "filter" => Rows(call.Name, [], NoFields("action predicates priority reason_trail uuid watermark"), fields, filter, request),
            "export" => Rows(call.Name, Seen.Nodes(call.Engine, call.Sight), s_exports, fields, filter, request),
            "os" => throw new RapiError(500, "Query 'ItemTypeOpCode QROs' not supported"),
            "network" => throw RapiError.Missing("Networks are not here yet"),
            _ => throw UnknownResource(call.Name, JsonSerializer.Serialize(fields, s_python)),
        };
    }

    private static readonly JsonSerializerOptions s_python = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Fields<NodeSeen> s_exports = new([new("node", (j, n) => j.WriteStringValue(n.Stored.Name)), new("export", (j, _) => j.WriteNullValue(), _ => 2)], "node export");

    private static Fields<object> NoFields(string names) => new(names.Split(' ').Select(n => new Field<object>(n, (j, _) => j.WriteNullValue())), names);

    private static ReadOnlyMemory<byte> Rows<T>(string kind, IReadOnlyList<T> rows, Fields<T> all, IReadOnlyList<string> names, JsonElement? filter, string request)
    {
        var fits = filter is { ValueKind: not JsonValueKind.Null } given ? QueryFilter.Read(given, request) : null;
        var chosen = names.Distinct(StringComparer.Ordinal).Count() < names.Count ? throw new RapiError(400, "Invalid body parameters: a field is named twice") : names.Select(n => (Name: n, Field: all.Find(n))).ToList();
        return Json.Of(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("data");
            foreach (var row in rows.Where(r => fits is null || fits(Once(all, r)))) { WriteRow(json, row, chosen.Select(c => c.Field)); }
            json.WriteEndArray();
            WriteWords(json, kind, chosen.Select(c => (c.Name, c.Field is not null)));
            json.WriteEndObject();
        });
    }

    /// <summary>Each field of a row is made once, however often a filter names it.</summary>
    private static Func<string, JsonElement> Once<T>(Fields<T> all, T row)
    {
        var made = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        return name => made.TryGetValue(name, out var value) ? value : made[name] = ValueOf(all.Find(name), row);
    }

    private static void WriteRow<T>(Utf8JsonWriter json, T row, IEnumerable<Field<T>?> fields)
    {
        json.WriteStartArray();
        foreach (var field in fields)
        {
            var value = ValueOf(field, row);
            json.WriteStartArray();
            json.WriteNumberValue(field is null ? 1 : value.ValueKind == JsonValueKind.Null && field.Absent is { } absent ? absent(row) : 0);
            value.WriteTo(json);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static JsonElement ValueOf<T>(Field<T>? field, T row) => field is null ? s_null : JsonElement.Parse(Json.Of(json => field.Write(json, row)).Span);

    private static readonly JsonElement s_null = JsonElement.Parse("null");

    private static ReadOnlyMemory<byte> Words<T>(string kind, Fields<T> all, IReadOnlyList<string>? names) => Json.Of(json =>
    {
        json.WriteStartObject();
        WriteWords(json, kind, (names ?? [.. all.Names]).Select(n => (n, all.Find(n) is not null)));
        json.WriteEndObject();
    });

    private static void WriteWords(Utf8JsonWriter json, string kind, IEnumerable<(string Name, bool Known)> names)
    {
        json.WriteStartArray("fields");
        foreach (var (name, known) in names) { (known ? FieldWords.Of(kind, name) : FieldWords.Unknown(name)).Write(json); }
        json.WriteEndArray();
    }

    private static IReadOnlyList<string> FromQuery(RapiCall call) => call.Text("fields") is { } text ? text.Split(',') : throw new RapiError(400, "Missing 'fields' query argument");

    private static JsonElement? Given(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static RapiError UnknownResource(string name, string fields) => QueryFilter.Unreadable($"[\"{name}\", {fields}]", $"Can't parse value '{name}' as neitherQueryTypeLuxi nor QueryTypeOp");
}
