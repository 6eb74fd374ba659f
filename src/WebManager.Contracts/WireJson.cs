using System.Text.Json;
using System.Text.Json.Serialization;

namespace WebManager.Contracts;

/// <summary>How every wire record is written: camelCase names, states as camelCase words, nulls left out.</summary>
public static class WireJson
{
    public static readonly JsonSerializerOptions Options = Apply(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Apply(JsonSerializerOptions options)
    {
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        return options;
    }
}
