// Rules for what the API reads that the serializer has no setting for.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace WebManager.Web.Api;

internal static class JsonRules
{
    /// <summary>Nullable annotations are respected for fields, but not for what lists hold: ["a", null] is not a list of texts.</summary>
    public static void NoNullsInLists(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object) { return; }
        var lists = type.Properties.Where(p => p.Get is not null && (typeof(IEnumerable<string>).IsAssignableFrom(p.PropertyType) || typeof(IEnumerable<KeyValuePair<string, string>>).IsAssignableFrom(p.PropertyType))).ToList();
        if (lists.Count == 0) { return; }
        type.OnDeserialized = made =>
        {
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
