using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using WebManager.Agent.Keeper;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Agent.State;

namespace WebManager.Agent.Host;

/// <summary>`run --dir D`: the agent itself.</summary>
internal static class AgentHost
{
    public static async Task<int> RunAsync(NodeFolder folder, NodeConfig config)
    {
        using var single = await SingleRunAsync(folder);
        if (single is null)
        {
            await Console.Error.WriteLineAsync($"An agent runs in {folder.Root} already.");
            return 1;
        }

        // Without the defaults of WebApplication: no appsettings, no environment, and a third of the start-up time.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = folder.Root });
        builder.Logging.AddProvider(new FileLog(folder.Log, TimeProvider.System)).AddFilter("Microsoft", LogLevel.Warning);
        var certificates = new NodeCertificates(folder);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => Listen(k, config, certificates));
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddNode(folder, config, certificates);
        await builder.Services.AddHypervisorAsync(folder, config);
        await using var app = builder.Build();
        app.Use(AllowAsync);
        app.UseWebSockets();
        Begin(app);
        app.MapAgent();
        await app.StartAsync();
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        var started = new DateTimeOffset(self.StartTime);
        app.Logger.Listening(config.Node, config.Address, NodeIdentity.Version, (long)(TimeProvider.System.GetUtcNow() - started).TotalMilliseconds);
        await app.WaitForShutdownAsync();
        app.Logger.Ends();
        return 0;
    }

    private static void Listen(KestrelServerOptions kestrel, NodeConfig config, NodeCertificates certificates)
    {
        kestrel.AddServerHeader = false;
        void Secure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(https =>
            {
                https.ServerCertificate = certificates.Own;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.OnAuthenticate = (_, tls) => tls.CertificateChainPolicy = certificates.Policy();
                https.ClientCertificateValidation = (_, _, errors) => errors == System.Net.Security.SslPolicyErrors.None;
            });
        }

        if (IPAddress.TryParse(config.Host, out var ip)) kestrel.Listen(ip, config.Port, Secure);
        else if (config.Host == "localhost") kestrel.ListenLocalhost(config.Port, Secure);
        else kestrel.ListenAnyIP(config.Port, Secure);
    }

    /// <summary>The engine may call everything, another node only what is between nodes, nobody else anything.</summary>
    private static Task AllowAsync(HttpContext http, RequestDelegate next)
    {
        var caller = NodeCertificates.Who(http.Connection.ClientCertificate);
        http.Features.Set(caller);
        var allowed = caller?.Unit == "engine" || (caller?.Unit == "agent" && http.Request.Path.Value is "/v1/peer/challenge" or "/v1/peer/hashes");
        return allowed ? next(http)
            : Calls.WriteAsync(http, 403, new Contracts.Refusal("caller.not-allowed", $"{caller?.Name ?? "This certificate"} may not call {http.Request.Path}."));
    }

    private static void Begin(WebApplication app)
    {
        var (s, stopping) = (app.Services, app.Lifetime.ApplicationStopping);
        s.GetRequiredService<Recovery>().Begin();
        s.GetRequiredService<KeeperClient>().Start();
        var watch = s.GetRequiredService<GuestWatch>();
        watch.InBackground("peer challenges", () => QuietAsync(s.GetRequiredService<PeerLoop>().RunAsync(stopping)));
        watch.InBackground("disk probe", () => QuietAsync(s.GetRequiredService<DiskProbe>().RunAsync(stopping)));
        watch.InBackground("load", () => QuietAsync(SampleAsync(s.GetRequiredService<NodeIdentity>(), s.GetRequiredService<TimeProvider>(), stopping)));
    }

    private static async Task SampleAsync(NodeIdentity identity, TimeProvider clock, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        do identity.Sample();
        while (await timer.WaitForNextTickAsync(ct));
    }

    private static async Task QuietAsync(Task task)
    {
        try { await task; }
        catch (OperationCanceledException) { }
    }

    /// <summary>Two agents on one folder would both believe their memory. One that was just killed may hold the lock a moment longer.</summary>
    private static async Task<FileStream?> SingleRunAsync(NodeFolder folder)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                var held = new FileStream(folder.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                await File.WriteAllTextAsync(folder.Pid, $"{Environment.ProcessId}\n");
                return held;
            }
            catch (IOException) when (tries < 40)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System);
            }
            catch (IOException)
            {
                return null;
            }
        }
    }
}
