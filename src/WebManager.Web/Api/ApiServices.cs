// The REST API under /api/v1: what it needs, and its routes by subject.
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using WebManager.Contracts;

namespace WebManager.Web.Api;

public static class ApiServices
{
    public static IServiceCollection AddPortalApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options =>
        {
            var json = WireJson.Apply(options.SerializerOptions);
            // A misspelt or missing field is an error, never a silent default.
            json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.RespectRequiredConstructorParameters = true;
            json.RespectNullableAnnotations = true;
            json.AllowDuplicateProperties = false;
            json.NumberHandling = JsonNumberHandling.Strict;
            json.TypeInfoResolver = (json.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver()).WithAddedModifier(JsonRules.NoNulls);
        });
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.AddProblemDetails();
        services.AddExceptionHandler<ProblemHandler>();
        services.AddOpenApi();
        return services;
    }

    public static void MapPortalApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapHealth();
        var api = app.MapGroup("/api/v1").DisableAntiforgery().ProducesProblem(StatusCodes.Status401Unauthorized);
        api.MapSession();
        api.MapProfile();
        api.MapTokens();
        api.MapUsers();
        api.MapCluster();
        api.MapBackup();
        api.MapAudit();
        api.MapNodes();
        api.MapGroups();
        api.MapTags();
        api.MapInstances();
        api.MapFound();
        api.MapSearch();
        api.MapJobs();
        api.MapQueue();
        api.MapAccess();
        api.MapQuotas();
        api.MapSelfService();
        api.MapTemplates();
    }

    /// <summary>Gives answers without a body (no such route, wrong method, wrong content type) one.</summary>
    public static void UseApiProblems(this WebApplication app) => app.UseWhen(http => http.Request.Path.StartsWithSegments("/api"), api => api.UseStatusCodePages(context =>
    {
        var (http, status) = (context.HttpContext, context.HttpContext.Response.StatusCode);
        var refusal = status switch
        {
            404 => new Refusal("route.not-found", $"There is no {http.Request.Path}.", "See /openapi/v1.json."),
            405 => new Refusal("route.wrong-method", $"{http.Request.Method} is not possible here.", "See /openapi/v1.json."),
            415 => new Refusal("request.not-json", "The body is to be JSON.", "Send Content-Type: application/json."),
            _ => new Refusal("request.refused", $"The request was refused with status {status}."),
        };
        return Problems.WriteAsync(http, refusal, status);
    }));
}
