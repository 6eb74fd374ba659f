using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Fuzz;

/// <summary>A route of the running portal. Body: the schema of what it takes, from the portal's own description; null: nothing.</summary>
internal sealed record FuzzRoute(string Method, string Template, IReadOnlyList<string> Query, JsonNode? Body, bool IsApi)
{
    public string Name => $"{Method} {Template}";
}

/// <summary>Every route that the portal answers, as it says itself: the endpoints it routes to, and its OpenAPI description for queries and bodies.</summary>
internal sealed class FuzzRoutes
{
    private readonly JsonObject _description;

    private FuzzRoutes(JsonObject description, IReadOnlyList<FuzzRoute> all) => (_description, All) = (description, all);

    public IReadOnlyList<FuzzRoute> All { get; private set; }

    public static async Task<FuzzRoutes> OfAsync(TestPortal portal, HttpClient admin)
    {
        var description = (await admin.GetFromJsonAsync<JsonObject>("/openapi/v1.json"))!;
        var routes = new FuzzRoutes(description, []);
        var endpoints = portal.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();
        routes.All = [.. endpoints.SelectMany(routes.Of).DistinctBy(r => r.Name).OrderBy(r => r.Name, StringComparer.Ordinal)];
        return routes;
    }

    private IEnumerable<FuzzRoute> Of(RouteEndpoint endpoint)
    {
        var template = "/" + endpoint.RoutePattern.RawText!.Trim('/');
        // Pages' own files and Blazor's circuits are not the API; joining and the console are.
        var isApi = template.StartsWith("/api/", StringComparison.Ordinal);
        if (!isApi && template is not ("/join" or "/console/{instance}/serial" or "/healthz" or "/account/login" or "/account/logout" or "/setup")) { yield break; }
        foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
        {
            var plain = string.Join('/', template.Split('/').Select(p => p.StartsWith('{') ? "{" + p.Trim('{', '}').Split(':')[0] + "}" : p));
            var operation = (_description["paths"]?[plain] ?? _description["paths"]?[plain + "/"])?[method.ToLowerInvariant()];
            var query = operation?["parameters"]?.AsArray().Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!).ToList() ?? [];
            yield return new FuzzRoute(method, template, query, operation?["requestBody"]?["content"]?["application/json"]?["schema"], isApi);
        }
    }

    /// <summary>The schema itself, where it is only named.</summary>
    public JsonNode? Schema(JsonNode? schema)
    {
        for (var depth = 0; depth < 8 && schema is JsonObject; depth++)
        {
            if ((string?)schema["$ref"] is { } name) { schema = _description["components"]!["schemas"]![name[(name.LastIndexOf('/') + 1)..]]; }
            else if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray any) { schema = any.FirstOrDefault(o => (string?)o!["type"] != "null"); }
            else { break; }
        }
        return schema;
    }
}
