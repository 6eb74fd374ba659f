using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Testing.Rights;

namespace WebManager.Web.Tests.Rights;

/// <summary>What came of a call: its mark for the table, and what it said.</summary>
internal sealed record Answered(char Mark, int Status, string Text)
{
    public bool Done => Status is >= 200 and < 300;

    /// <summary>The job that was filed.</summary>
    public long? Job => Status == 202 ? (long?)JsonNode.Parse(Text)?["job"] : null;
}

/// <summary>The routes of the running portal, and calls of them in a role.</summary>
internal sealed class RightsCalls(RightsScene scene) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = scene.Portal.Address, Timeout = TimeSpan.FromSeconds(60) };
    private readonly RightsPaths _paths = new(scene);

    // Files that a build has put there; what is for everybody, and by name.
    private const string Files = "{**path:file}";

    /// <summary>"GET /api/v1/nodes", as the portal routes; files are left out, pages have a part of the table of their own.</summary>
    public IReadOnlyList<string> Routes() => [.. scene.Portal.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null && e.Metadata.GetMetadata<ComponentTypeMetadata>() is null && e.RoutePattern.RawText != Files)
        .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["ANY"]).Select(m => $"{m} /{e.RoutePattern.RawText!.Trim('/')}"))
        .Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The rows of [routes] with their cells: what stands behind "=" has those of the operation, for each of its objects.</summary>
    public static IEnumerable<RightsRow> Rows(RightsTable table) => table.Of("routes").Where(r => r.Why is null).SelectMany(row =>
    {
        if (row.Same is not { } same) { return [row]; }
        var (operation, only) = same.Split(' ') is [var name, var on] ? (name, on) : (same, null);
        var found = table.Of("operations").Where(o => o.What == operation && (only is null || o.On == only)).ToList();
        return found.Count > 0 ? found.Select(o => row with { On = o.On, Cells = o.Cells }) : throw new FormatException($"rights.txt: {row.What} is to be like {same}, which has no row under [operations].");
    });

    public async Task<Answered> AskAsync(RightsRow row, string role, bool allowed)
    {
        var (method, route) = row.What.Split(' ') is [var m, var r] ? (m, r) : throw new FormatException(row.What);
        var path = await _paths.OfAsync(method, route, row.On, role, allowed);
        var (query, wanted) = row.More is ['?', ..] && row.More.IndexOf(' ', StringComparison.Ordinal) is > 0 and var at ? (row.More[..at], row.More[(at + 1)..]) : ("", row.More);
        using var request = new HttpRequestMessage(new HttpMethod(method == "ANY" ? "GET" : method), path + RightsBodies.Fill(query, row.On));
        if (method is not ("GET" or "ANY") && RightsBodies.Fill(row.More, row.On) is { Length: > 0 } body)
        {
            request.Content = body[0] == '{' ? new StringContent(body, Encoding.UTF8, "application/json") : new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
        }
        var token = role == "anon" ? null : row.What == "DELETE /api/v1/session" ? (await scene.Portal.TokenAsync(role)).Token : scene.TokenOf(role);
        if (token is not null) { request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token); }
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var text = answer.Content.Headers.ContentType?.MediaType is "application/gzip" ? "" : await answer.Content.ReadAsStringAsync();
        return new Answered(Mark(row with { More = wanted }, (int)answer.StatusCode, answer.Headers.Location?.OriginalString ?? "", text), (int)answer.StatusCode, text);
    }

    private static char Mark(RightsRow row, int status, string location, string text) => status switch
    {
        401 => RightsTable.Nobody,
        403 => Forbidden(text) ? RightsTable.Refused : '?',
        404 => RightsTable.Hidden,
        422 when text.Contains("\"template.unknown\"", StringComparison.Ordinal) => RightsTable.Hidden,   // named in the body
        >= 300 and < 400 when location.Contains("/login?returnUrl=", StringComparison.OrdinalIgnoreCase) => RightsTable.SignIn,
        400 or 405 or 415 when !row.What.StartsWith("ANY ", StringComparison.Ordinal) => '?',   // never came as far as the right
        500 or 502 or > 503 => '?',
        _ when row.What.StartsWith("GET ", StringComparison.Ordinal) && row.More.Length > 0 && !text.Contains(RightsBodies.Fill(row.More, row.On), StringComparison.Ordinal) => RightsTable.Without,
        _ => RightsTable.Allowed,
    };

    // Not merely some 403 (a foreign origin): the right is what was missing.
    private static bool Forbidden(string text)
    {
        try { return (string?)JsonNode.Parse(text)?["code"] is { } code && (code.StartsWith("right.", StringComparison.Ordinal) || code.EndsWith(".forbidden", StringComparison.Ordinal) || code == "console.ticket-invalid"); }
        catch (JsonException) { return false; }
    }

    public void Dispose() => _http.Dispose();
}
