// What can be asked of a kind of objects: each field with its words and how it is written.
using System.Text.Json;

namespace WebManager.Web.Rapi;

/// <param name="Absent">Ganeti's status of a value that is null (0 null is the value, 2 no data, 3 not available, 4 its node is offline).</param>
internal sealed record Field<T>(string Name, Action<Utf8JsonWriter, T> Write, Func<T, int>? Absent = null);

/// <summary>All fields of one kind, and those that a bulk list has, in Ganeti's order.</summary>
internal sealed class Fields<T>
{
    private readonly Dictionary<string, Field<T>> _all;
    private readonly (JsonEncodedText Name, Field<T> Field)[] _bulk;

    public Fields(IEnumerable<Field<T>> all, string bulk)
    {
        _all = all.ToDictionary(f => f.Name, StringComparer.Ordinal);
        _bulk = [.. bulk.Split(' ').Select(n => (JsonEncodedText.Encode(n), _all[n]))];
    }

    public IEnumerable<string> Names => _all.Keys.Order(StringComparer.Ordinal);

    public Field<T>? Find(string name) => _all.GetValueOrDefault(name);

    /// <summary>As in a bulk list; more: a field that only the single object has.</summary>
    public void WriteObject(Utf8JsonWriter json, T row, string? more = null)
    {
        json.WriteStartObject();
        foreach (var (name, field) in _bulk)
        {
            json.WritePropertyName(name);
            field.Write(json, row);
        }
        if (more is not null)
        {
            json.WritePropertyName(more);
            _all[more].Write(json, row);
        }
        json.WriteEndObject();
    }
}

internal sealed record FieldWords(string Name, string Title, string Kind, string Doc)
{
    private static readonly Dictionary<(string Kind, string Name), FieldWords> s_all = Load();

    public static FieldWords Of(string kind, string name) => s_all.GetValueOrDefault((kind, name)) ?? new FieldWords(name, name, "other", name);

    public static FieldWords Unknown(string name) => new(name, name, "unknown", $"Unknown field '{name}'");

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", Name);
        json.WriteString("title", Title);
        json.WriteString("kind", Kind);
        json.WriteString("doc", Doc);
        json.WriteEndObject();
    }

    private static Dictionary<(string, string), FieldWords> Load()
    {
        using var reader = new StreamReader(typeof(FieldWords).Assembly.GetManifestResourceStream("rapi-fields.tsv")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('\t')).ToDictionary(c => (c[0], c[1]), c => new FieldWords(c[1], c[2], c[3], c[4]));
    }
}
