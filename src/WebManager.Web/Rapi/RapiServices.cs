// Registers Ganeti's remote API; it has no routes on the portal's own port.
using Microsoft.Extensions.Options;
using WebManager.Web.Data;
using WebManager.Web.Nodes;

namespace WebManager.Web.Rapi;

public static class RapiServices
{
    /// <summary>After the engine, which it answers from.</summary>
    public static IServiceCollection AddRapi(this IServiceCollection services)
    {
        services.AddOptions<RapiOptions>().BindConfiguration("Rapi").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<RapiSignIn>();
        services.AddSingleton<RapiLimits>();
        services.AddSingleton<AnswerJobs>();
        services.AddSingleton<BulkAnswers>();
        services.AddSingleton<RapiParts>();
        services.AddSingleton<RapiServer>();
        services.AddSingleton(s => new RapiHost(s.GetRequiredService<IOptions<RapiOptions>>(), s.GetRequiredService<RapiServer>(), s.GetRequiredService<ClusterAuthority>(),
            s.GetRequiredService<DataFolder>(), s.GetRequiredService<ILogger<RapiHost>>()));
        services.AddHostedService(s => s.GetRequiredService<RapiHost>());
        return services;
    }
}
