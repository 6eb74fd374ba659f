// The lab's life along with the portal's, and how it is registered.
using WebManager.Engine;
using WebManager.Web.Hosting;

namespace WebManager.Web.Lab;

/// <summary>
/// Registered before the engine, which needs the network's numbers. The nodes come up once the portal listens, because they join through it.
/// </summary>
internal sealed class LabService(LabCluster lab, IServiceProvider services, IHostApplicationLifetime life, ILogger<LabService> log) : IHostedService
{
    private Task _bringingUp = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!lab.Enabled) return;
        await lab.OpenAsync(cancellationToken);
        log.LabOpened(lab.Identity!.Id, lab.Identity.Prefix, lab.Identity.Wires);
        life.ApplicationStarted.Register(() => _bringingUp = BringUpAsync());
    }

    private async Task BringUpAsync()
    {
        try
        {
            await Task.Yield(); // The rest of the portal's start does not wait for the nodes.
            await lab.BringUpAsync(life.ApplicationStopping);
        }
        catch (OperationCanceledException) when (life.ApplicationStopping.IsCancellationRequested)
        {
            // The portal ends before its lab was up.
        }
        catch (Exception e)
        {
            log.LabFailed(e);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _bringingUp;
        if (!lab.Enabled) return;
        // The web server has stopped; now the engine, which must not see its nodes die.
        await services.GetRequiredService<ClusterEngine>().DisposeAsync();
        await lab.TakeDownAsync();
    }
}

/// <summary>Instances live in the lab's network; without namespaces they have no addresses.</summary>
internal sealed class LabDefaults(LabCluster lab) : IClusterDefaults
{
    public ClusterDefaults Change(ClusterDefaults configured) =>
        lab.Identity is { } own ? configured with { Subnet = own.Subnet, Gateway = own.Gateway } : configured;
}

public static class LabServices
{
    /// <summary>Call before the engine is registered.</summary>
    public static IServiceCollection AddLab(this IServiceCollection services)
    {
        services.AddOptions<LabOptions>().BindConfiguration("Lab").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<LabCluster>();
        services.AddSingleton<IClusterDefaults, LabDefaults>();
        services.AddSingleton<LabRecord>();
        services.AddHostedService<LabService>();
        return services;
    }
}

internal static partial class LabLog
{
    [LoggerMessage(3301, LogLevel.Information, "Lab {Lab} on {Network}.0/24, {Wires}")]
    public static partial void LabOpened(this ILogger log, string lab, string network, LabWires wires);

    [LoggerMessage(3302, LogLevel.Information, "Lab node {Node} joins with address {Address}")]
    public static partial void LabNodeJoins(this ILogger log, string node, string address);

    [LoggerMessage(3303, LogLevel.Information, "Lab node {Node} starts; {Running} of its processes ran already")]
    public static partial void LabNodeStarts(this ILogger log, string node, int running);

    [LoggerMessage(3304, LogLevel.Error, "Lab: {Why}")]
    public static partial void LabNodeFailed(this ILogger log, string why);

    [LoggerMessage(3305, LogLevel.Error, "The lab could not be brought up")]
    public static partial void LabFailed(this ILogger log, Exception failure);

    [LoggerMessage(3306, LogLevel.Warning, "Lab: {Action} {Subject}, asked by {User}: {Result}")]
    public static partial void LabAction(this ILogger log, string action, string subject, string user, string result);
}
