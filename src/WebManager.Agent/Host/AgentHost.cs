using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using WebManager.Agent.Keeper;
using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Agent.Upgrade;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>`run --dir D`: the agent itself.</summary>
internal static class AgentHost
{
    /// <param name="line">To the agent that this one follows; null: it follows none.</param>
    /// <returns>The exit code; or the report with which this agent takes its place again, for its successor did not come up.</returns>
    public static async Task<(int Code, HandOverReport? Again)> RunAsync(NodeFolder folder, NodeConfig config, AgentStart start, Succession? line)
    {
        // Without the defaults of WebApplication: no appsettings, no environment, and a third of the start-up time.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = folder.Root });
        builder.Logging.AddProvider(new FileLog(folder.Log, TimeProvider.System)).AddFilter("Microsoft", LogLevel.Warning);
        var certificates = new NodeCertificates(folder);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => Listen(k, config, certificates));
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddNode(folder, config, certificates, start);
        await builder.Services.AddHypervisorAsync(folder, config);
        var app = builder.Build();
        if (line is not null)
        {
            await Warm.UpAsync(certificates, config.Node, l => Secure(l, certificates), app.Services.GetRequiredService<ILoggerFactory>());
            start.HandedOver = await TurnAsync(line);
        }

        await using var single = await SingleRunAsync(folder);
        if (single is null)
        {
            await Console.Error.WriteLineAsync($"An agent runs in {folder.Root} already.");
            return (1, null);
        }

        var (code, departure) = await ServeAsync(app, config, line);
        if (departure is null) return (code, null);
        await single.DisposeAsync();
        return (0, await departure.GoAsync(TimeProvider.System));
    }

    /// <summary>All that needs nothing of the node's state is ready; waits until the agent before has let go of it, or has died.</summary>
    private static async Task<HandOverReport?> TurnAsync(Succession line)
    {
        await line.SayAsync(new SuccessionLine(Succession.Ready));
        return (await line.HearAsync(Succession.Go, CancellationToken.None))?.HandOver;
    }

    private static async Task<(int Code, HandOver.Departure? Departure)> ServeAsync(WebApplication app, NodeConfig config, Succession? line)
    {
        await using var ending = app;
        app.Use(AllowAsync);
        app.UseWebSockets();
        var refused = Begin(app);
        app.MapAgent();
        await app.StartAsync();
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        var started = new DateTimeOffset(self.StartTime);
        app.Logger.Listening(config.Node, config.Address, NodeIdentity.Version, (long)(TimeProvider.System.GetUtcNow() - started).TotalMilliseconds);
        ServiceManager.Tell("READY=1");
        if (line is not null) _ = ToldAsync(line, app.Services.GetRequiredService<Recovery>().Known);
        await app.WaitForShutdownAsync();
        if (app.Services.GetRequiredService<HandOver>() is { Begun: true } handOver) return (0, await handOver.LeaveAsync());
        app.Logger.Ends();
        return (refused.Task.IsCompleted ? 1 : 0, null);
    }

    private static async Task ToldAsync(Succession line, Task known)
    {
        await known;
        await line.SayAsync(new SuccessionLine(Succession.Serves));
    }

    private static void Listen(KestrelServerOptions kestrel, NodeConfig config, NodeCertificates certificates)
    {
        kestrel.AddServerHeader = false;
        void Own(ListenOptions listen) => Secure(listen, certificates);
        if (IPAddress.TryParse(config.Host, out var ip)) kestrel.Listen(ip, config.Port, Own);
        else if (config.Host == "localhost") kestrel.ListenLocalhost(config.Port, Own);
        else kestrel.ListenAnyIP(config.Port, Own);
    }

    private static void Secure(ListenOptions listen, NodeCertificates certificates)
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

    /// <summary>The engine may call everything, another node only what is between nodes, nobody else anything.</summary>
    public static Task AllowAsync(HttpContext http, RequestDelegate next)
    {
        var caller = NodeCertificates.Who(http.Connection.ClientCertificate);
        http.Features.Set(caller);
        var allowed = caller?.Unit == "engine" || (caller?.Unit == "agent" && http.Request.Path.Value is "/v1/peer/challenge" or "/v1/peer/hashes");
        return allowed ? next(http)
            : Calls.WriteAsync(http, 403, new Contracts.Refusal("caller.not-allowed", $"{caller?.Name ?? "This certificate"} may not call {http.Request.Path}."));
    }

    /// <summary>Completes when the keeper does not understand this agent: it can do nothing for its guests then, and says so by ending.</summary>
    private static TaskCompletionSource Begin(WebApplication app)
    {
        var (s, stopping) = (app.Services, app.Lifetime.ApplicationStopping);
        var refused = new TaskCompletionSource();
        stopping.Register(s.GetRequiredService<EventHub>().End);
        s.GetRequiredService<KeeperClient>().Refused += refusal =>
        {
            app.Logger.KeeperRefused(refusal.Message);
            Console.Error.WriteLine($"{refusal.Message} {refusal.Remedy}");
            refused.TrySetResult();
            app.Lifetime.StopApplication();
        };
        s.GetRequiredService<Recovery>().Begin();
        s.GetRequiredService<KeeperClient>().Start();
        var watch = s.GetRequiredService<GuestWatch>();
        watch.InBackground("peer challenges", () => QuietAsync(s.GetRequiredService<PeerLoop>().RunAsync(stopping)));
        watch.InBackground("disk probe", () => QuietAsync(s.GetRequiredService<DiskProbe>().RunAsync(stopping)));
        watch.InBackground("load", () => QuietAsync(SampleAsync(s.GetRequiredService<NodeIdentity>(), s.GetRequiredService<TimeProvider>(), stopping)));
        return refused;
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
