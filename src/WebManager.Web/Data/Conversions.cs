// How values that a database has no type for are stored: lists and records as JSON text, times as UTC ticks (sortable, exact).
using System.Text.Json;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using WebManager.Contracts;

namespace WebManager.Web.Data;

public sealed class UtcTicksConverter() : ValueConverter<DateTimeOffset, long>(t => t.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));

public sealed class JsonTextConverter<T>() : ValueConverter<T, string>(value => Write(value), text => Read(text))
{
    public static string Write(T value) => JsonSerializer.Serialize(value, WireJson.Options);
    public static T Read(string text) => JsonSerializer.Deserialize<T>(text, WireJson.Options)!;
}

/// <summary>Equal when the JSON is: only used by EF for tracked rows, which the cluster tables never are.</summary>
public sealed class JsonTextComparer<T>() : ValueComparer<T>((a, b) => Same(a, b), v => HashOf(v), v => v)
{
    private static bool Same(T? a, T? b) => ReferenceEquals(a, b) || (a is not null && b is not null && JsonTextConverter<T>.Write(a) == JsonTextConverter<T>.Write(b));
    private static int HashOf(T value) => JsonTextConverter<T>.Write(value).GetHashCode(StringComparison.Ordinal);
}

public static class JsonColumns
{
    public static PropertyBuilder<T> AsJson<T>(this PropertyBuilder<T> property) => property.HasConversion(new JsonTextConverter<T>(), new JsonTextComparer<T>());
}
