// Whose sign-in is tried, read before it is, so that tries can be counted by name: the form's username, or the field user of a JSON body.
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace WebManager.Web.Hosting;

internal static class SignInName
{
    private const int LargestBody = 64 * 1024;
    private static readonly object s_key = new();

    public static string? Of(HttpContext http) => http.Items[s_key] as string;

    /// <summary>Reads as the routes themselves do (any charset, any case of the field), so that no spelling is counted as nobody's. Nothing larger is taken here.</summary>
    public static async Task ReadAsync(HttpContext http)
    {
        var request = http.Request;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) { size.MaxRequestBodySize = LargestBody; }
        string? name = null;
        try
        {
            if (request.HasFormContentType) { name = (await request.ReadFormAsync(http.RequestAborted))["username"]; }
            else if (request.HasJsonContentType()) { name = await FromJsonAsync(request, http.RequestAborted); }
        }
        catch (Exception ex) when (ex is InvalidDataException or JsonException or InvalidOperationException or (IOException and not BadHttpRequestException)) { }   // the route says what is wrong with it
        if (!string.IsNullOrWhiteSpace(name)) { http.Items[s_key] = name.Trim().ToUpperInvariant(); }
    }

    private static async Task<string?> FromJsonAsync(HttpRequest request, CancellationToken ct)
    {
        request.EnableBuffering(LargestBody);
        try
        {
            var body = await request.ReadFromJsonAsync<JsonElement>(ct);
            return body.ValueKind != JsonValueKind.Object ? null
                : body.EnumerateObject().LastOrDefault(p => p.Name.Equals("user", StringComparison.OrdinalIgnoreCase)).Value is { ValueKind: JsonValueKind.String } user ? user.GetString() : null;
        }
        finally
        {
            request.Body.Position = 0;
        }
    }
}
