// The portal's pages as two entries of Program.cs.
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Routing;
using WebManager.Web.Components.Shared;

namespace WebManager.Web.Components;

public static class PortalUi
{
    private static readonly string[] s_machines = ["/api", "/hubs", "/console", "/openapi", "/join", "/healthz", "/account", "/_blazor", "/_framework", "/_content", "/lib", "/css", "/js"];

    public static IServiceCollection AddPortalUi(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddCascadingAuthenticationState();
        services.AddScoped<Toasts>();
        services.AddScoped<Questions>();
        return services;
    }

    /// <summary>Addresses that nothing answers get a page that says so; what programs read keeps its own answers.</summary>
    public static void UsePortalUi(this WebApplication app)
    {
        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);
        app.Use((http, next) =>
        {
            var machine = !HttpMethods.IsGet(http.Request.Method) || s_machines.Any(m => http.Request.Path.StartsWithSegments(m));
            if (machine && http.Features.Get<IStatusCodePagesFeature>() is { } pages) { pages.Enabled = false; }
            return next(http);
        });
    }

    /// <summary>Pages are read only by GET: forms post to routes of their own, /setup among them.</summary>
    public static void MapPortalUi(this WebApplication app) =>
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().Add(endpoint =>
        {
            if (endpoint is not RouteEndpointBuilder || endpoint.Metadata.OfType<Microsoft.AspNetCore.Components.Endpoints.ComponentTypeMetadata>().FirstOrDefault() is null) { return; }
            foreach (var both in endpoint.Metadata.OfType<HttpMethodMetadata>().ToList()) { endpoint.Metadata.Remove(both); }
            endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
        });
}
