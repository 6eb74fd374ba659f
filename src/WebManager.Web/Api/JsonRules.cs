// Rules for what the API reads that the serializer has no setting for.
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WebManager.Web.Api;

internal static class JsonRules
{
    /// <summary>
    /// Nullable annotations are respected for fields, but not for what lists hold: ["a", null] is not a list of texts. Nor, seen with .NET 10, for a
    /// field that is set beside a constructor's and has a value of its own when it is left out.
    /// </summary>
    public static void NoNulls(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object) { return; }
        var nullability = new NullabilityInfoContext();
        var needed = type.Properties.Where(p => p is { Get: not null, Set: not null, AttributeProvider: PropertyInfo own } && !own.PropertyType.IsValueType && nullability.Create(own).WriteState == NullabilityState.NotNull).ToList();
        var lists = type.Properties.Where(p => p.Get is not null && (typeof(IEnumerable<string>).IsAssignableFrom(p.PropertyType) || typeof(IEnumerable<KeyValuePair<string, string>>).IsAssignableFrom(p.PropertyType))).ToList();
        if (lists.Count + needed.Count == 0) { return; }
        type.OnDeserialized = made =>
        {
            foreach (var field in needed)
            {
                if (field.Get!(made) is null) { throw new JsonException("A value is needed here.", "$." + field.Name, null, null); }
            }
            foreach (var list in lists)
            {
                var holes = list.Get!(made) switch
                {
                    IEnumerable<string?> texts => texts.Any(t => t is null),
                    IEnumerable<KeyValuePair<string, string?>> pairs => pairs.Any(p => p.Value is null),
                    _ => false,
                };
                if (holes) { throw new JsonException("A list has a null in it.", "$." + list.Name, null, null); }
            }
        };
    }
}
