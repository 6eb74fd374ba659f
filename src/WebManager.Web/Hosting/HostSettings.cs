// Where settings come from: appsettings.json, then the usual sources, then the WEBMANAGER_ variables.
using Microsoft.Extensions.Options;
using WebManager.Web.Data;

namespace WebManager.Web.Hosting;

public static class HostSettings
{
    /// <summary>WEBMANAGER_ADMIN_PASSWORD: makes user admin when there are no users.</summary>
    public const string AdminPassword = "Portal:AdminPassword";

    private static readonly (string Variable, string Key)[] s_variables =
    [
        ("WEBMANAGER_DATA", "Portal:Data"),
        ("WEBMANAGER_PORT", "Portal:Port"),
        ("WEBMANAGER_RAPI_PORT", "Rapi:Port"),
        ("WEBMANAGER_ADMIN_PASSWORD", AdminPassword),
        ("WEBMANAGER_CRASH_AT", CrashAtStep.Key),
    ];

    /// <summary>The content root is the program's own folder, so that it can be started from anywhere; a relative data folder is below the current one.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        var set = s_variables.Select(v => (v.Key, Value: Environment.GetEnvironmentVariable(v.Variable))).Where(v => !string.IsNullOrEmpty(v.Value));
        builder.Configuration.AddInMemoryCollection(set.ToDictionary(v => v.Key, v => v.Value));
        return builder;
    }

    /// <summary>Settings, the data folder, and the addresses to listen on.</summary>
    public static DataFolder AddHosting(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<PortalOptions>().BindConfiguration("Portal").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<SameOrigin>();
        builder.WebHost.UseStaticWebAssets();
        var portal = builder.Configuration.GetSection("Portal").Get<PortalOptions>() ?? new PortalOptions();
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
            builder.WebHost.UseUrls([ListenUrl(portal.Port), .. portal.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)]);
        builder.WebHost.ConfigureKestrel(k => k.AddServerHeader = false);
        return new DataFolder(portal.Data);
    }

    // "localhost" listens on both loopback addresses, but not with a port chosen by the system.
    private static string ListenUrl(int port) => port == 0 ? "http://127.0.0.1:0" : $"http://localhost:{port}";

    public static PortalOptions Portal(this IServiceProvider services) => services.GetRequiredService<IOptions<PortalOptions>>().Value;
}
