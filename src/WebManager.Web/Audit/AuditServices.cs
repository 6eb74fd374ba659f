// The audit's parts.
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using WebManager.Web.Hosting;

namespace WebManager.Web.Audit;

/// <summary>Section Audit.</summary>
public sealed class AuditOptions
{
    /// <summary>Entries are removed when they are older; 0: never.</summary>
    [Range(0, 36500)] public int KeepDays { get; set; }
}

public static class AuditServices
{
    public static IServiceCollection AddAudit(this IServiceCollection services)
    {
        services.AddOptions<AuditOptions>().BindConfiguration("Audit").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AuditLog>();
        services.AddHostedService<AuditRetention>();
        return services;
    }
}


/// <summary>Removes what is too old: when the portal starts, and once an hour.</summary>
internal sealed class AuditRetention(AuditLog audit, IOptions<AuditOptions> options, TimeProvider time, ILogger<AuditRetention> log) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.KeepDays == 0) { return; }
        using var timer = new PeriodicTimer(s_every, time);
        do
        {
            try
            {
                var removed = await audit.RemoveOlderAsync(TimeSpan.FromDays(options.Value.KeepDays), stoppingToken);
                if (removed > 0) { log.AuditRemoved(removed, options.Value.KeepDays); }
            }
            catch (Exception ex) when (ex is not OperationCanceledException) { log.AuditNotRemoved(ex); }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
