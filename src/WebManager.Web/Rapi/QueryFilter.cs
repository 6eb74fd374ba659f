// Ganeti's query filters: ["&", ["=", "name", "n1"], ["!", ["?", "offline"]]].
using System.Text.Json;
using System.Text.RegularExpressions;

namespace WebManager.Web.Rapi;

/// <summary>Read once, asked of every row by the row's values. Anything that Ganeti cannot read is refused as it does, with 502.</summary>
internal static class QueryFilter
{
    private const int Deepest = 32, LongestPattern = 500, MostParts = 1000;

    /// <param name="request">The whole query, for the message.</param>
    public static Func<Func<string, JsonElement>, bool> Read(JsonElement filter, string request) =>
        Parts(filter) > MostParts ? throw Unreadable(request, "Invalid filter: it is too long") : Read(filter, request, 0);

    private static int Parts(JsonElement filter) => filter.ValueKind == JsonValueKind.Array ? 1 + filter.EnumerateArray().Sum(Parts) : 1;

    private static Func<Func<string, JsonElement>, bool> Read(JsonElement filter, string request, int depth)
    {
        if (filter.ValueKind != JsonValueKind.Array || filter.GetArrayLength() == 0 || filter[0].ValueKind != JsonValueKind.String || depth > Deepest) { throw Unreadable(request, "Invalid filter"); }
        var (op, parts) = (filter[0].GetString()!, filter.EnumerateArray().Skip(1).ToList());
        switch (op)
        {
            case "&" or "|":
                var all = parts.Select(p => Read(p, request, depth + 1)).ToList();
                return op == "&" ? row => all.TrueForAll(f => f(row)) : row => all.Exists(f => f(row));
            case "!" when parts.Count == 1:
                var inner = Read(parts[0], request, depth + 1);
                return row => !inner(row);
            case "?" when parts is [{ ValueKind: JsonValueKind.String } field]:
                var named = field.GetString()!;
                return row => Truth(row(named));
            case "=" or "==" or "!=" or "<" or "<=" or ">" or ">=" or "=~" or "=[]" when parts is [{ ValueKind: JsonValueKind.String } left, _]:
                return Compare(op, left.GetString()!, parts[1], request);
            default:
                throw Unreadable(request, $"Unknown filter operand '{op}'");
        }
    }

    private static Func<Func<string, JsonElement>, bool> Compare(string op, string field, JsonElement value, string request)
    {
        if (op == "=~")
        {
            var regex = Pattern(value, request);
            return row => row(field) is { ValueKind: JsonValueKind.String } text && regex.IsMatch(text.GetString()!);
        }
        return op switch
        {
            "=" or "==" => row => Same(row(field), value),
            "!=" => row => !Same(row(field), value),
            "=[]" => row => row(field) is { ValueKind: JsonValueKind.Array } list && list.EnumerateArray().Any(e => Same(e, value)),
            "<" => row => Order(row(field), value) < 0,
            "<=" => row => Order(row(field), value) <= 0,
            ">" => row => Order(row(field), value) > 0,
            _ => row => Order(row(field), value) >= 0,
        };
    }

    /// <summary>Without backtracking, in a time that grows with the name only: a pattern from outside must not keep the portal busy.</summary>
    private static Regex Pattern(JsonElement value, string request)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString()!.Length > LongestPattern) { throw Unreadable(request, "Invalid regex"); }
        try { return new Regex(value.GetString()!, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant); }
        catch (Exception ex) when (ex is ArgumentException or NotSupportedException) { throw Unreadable(request, $"Invalid regex: {ex.Message}"); }
    }

    private static bool Same(JsonElement a, JsonElement b) => a.ValueKind == b.ValueKind && JsonElement.DeepEquals(a, b);

    private static bool Truth(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.Number => value.GetDouble() != 0,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => false,
    };

    /// <summary>Null when the two cannot be put in order; every comparison is then false.</summary>
    private static int? Order(JsonElement a, JsonElement b) => (a.ValueKind, b.ValueKind) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => a.GetDouble().CompareTo(b.GetDouble()),
        (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(a.GetString(), b.GetString()),
        _ => null,
    };

    public static RapiError Unreadable(string request, string why) => new(502, $"Failed to parse request: Cannot convert value '{request}', error: {why}");
}
