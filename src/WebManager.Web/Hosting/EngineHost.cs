// Runs the engine inside the portal: after the migrations, before the first request; stopped after the last.
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using WebManager.Engine;
using WebManager.Engine.Ports;
using WebManager.Web.Images;

namespace WebManager.Web.Hosting;

/// <summary>Section Cluster: what a new cluster is begun with.</summary>
public sealed class ClusterOptions
{
    [Required] public string Name { get; set; } = "cluster1";

    /// <summary>Addresses for instances in CIDR form; empty: user-mode networking. The lab sets its own.</summary>
    public string Subnet { get; set; } = "";
    public string Gateway { get; set; } = "";
}

public static class EngineServices
{
    public static IServiceCollection AddEngine(this IServiceCollection services)
    {
        services.AddOptions<HeartbeatOptions>().BindConfiguration("Engine:Heartbeat").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RecoveryOptions>().BindConfiguration("Engine:Recovery").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ClusterOptions>().BindConfiguration("Cluster").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<ImagesOptions>().BindConfiguration("Images");
        services.AddSingleton<IImageCatalog, FileImageCatalog>();
        services.AddSingleton(Make);
        services.AddSingleton<IClusterEngine>(s => s.GetRequiredService<ClusterEngine>());
        services.AddHostedService<EngineHost>();
        return services;
    }

    private static ClusterEngine Make(IServiceProvider s) => new(
        s.GetRequiredService<IClusterStore>(), s.GetRequiredService<INodeLinks>(), s.GetRequiredService<IImageCatalog>(), s.GetRequiredService<IRandomness>(),
        s.GetRequiredService<TimeProvider>(), s.GetRequiredService<IOptions<HeartbeatOptions>>().Value, s.GetRequiredService<IOptions<RecoveryOptions>>().Value,
        s.GetRequiredService<ILogger<ClusterEngine>>(), s.GetRequiredService<IPeople>(), s.GetRequiredService<IConfiguration>()[CrashAtStep.Key] is { Length: > 0 } at ? new CrashAtStep(at) : null,
        s.GetRequiredService<IPowerControl>());
}

/// <summary>May change what the cluster is started with; the lab gives its own network here. Asked once all earlier hosted services have started.</summary>
public interface IClusterDefaults
{
    ClusterDefaults Change(ClusterDefaults configured);
}

// Stopped here and not by the container: services registered before it (the lab) stop after it.
internal sealed class EngineHost(ClusterEngine engine, IOptions<ClusterOptions> cluster, IEnumerable<IClusterDefaults> changes) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var configured = new ClusterDefaults(cluster.Value.Name) { Subnet = NullIfEmpty(cluster.Value.Subnet), Gateway = NullIfEmpty(cluster.Value.Gateway) };
        return engine.StartAsync(changes.Aggregate(configured, (defaults, change) => change.Change(defaults)), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => engine.DisposeAsync().AsTask();

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
