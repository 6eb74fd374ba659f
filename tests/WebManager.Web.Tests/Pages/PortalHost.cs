using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Components;
using WebManager.Web.Hosting;
using WebManager.Web.Identity;
using WebManager.Web.Nodes;

namespace WebManager.Web.Tests.Pages;

/// <summary>The portal's real pages on a real Kestrel, with an engine that the test fills and somebody signed in.</summary>
public sealed class PortalHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private CancellationTokenSource _cut = new();

    private PortalHost(WebApplication app, FakeEngine engine)
    {
        (_app, Engine) = (app, engine);
        _app.Map("/console/{instance}/serial", ConsoleAsync);
    }

    public FakeEngine Engine { get; }
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<PortalHost> StartAsync(FakeEngine engine, int port = 0, Dictionary<string, string?>? settings = null, Caller? who = null)
    {
        var web = Path.GetDirectoryName(typeof(App).Assembly.Location)!;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ApplicationName = "WebManager.Web", EnvironmentName = "Development", ContentRootPath = web });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        builder.WebHost.UseStaticWebAssets().UseUrls($"http://127.0.0.1:{port}");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton<IClusterEngine>(engine).AddSingleton<IImageCatalog>(engine).AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IClusterStore>(new NoStore(engine)).AddSingleton<IJoinTokens>(new Joins()).AddSingleton<IConsoleTickets>(new Tickets());
        builder.Services.AddSingleton(AccessScene.People).AddSingleton(who ?? AccessScene.Admin);
        builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, SignedIn>("test", null);
        builder.Services.AddAuthorization();
        builder.Services.AddSingleton((await Audit.AuditScene.StoreAsync()).Log);
        builder.Services.AddPortalUi();
        var app = builder.Build();
        app.UseSecurityHeaders();
        app.UsePortalUi();
        app.UseWebSockets();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapStaticAssets().AllowAnonymous();
        app.MapPost("/account/logout", async (HttpContext http, IAntiforgery antiforgery) => await antiforgery.IsRequestValidAsync(http) ? "signed out" : "refused").DisableAntiforgery();
        app.MapPost("/setup", () => "posted").DisableAntiforgery().AllowAnonymous();
        app.MapPortalUi();
        var host = new PortalHost(app, engine);
        await app.StartAsync();
        return host;
    }

    public Task StopAsync() => _app.StopAsync(new CancellationToken(canceled: true));

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    /// <summary>Every open console ends, as when its node dies.</summary>
    public void CutConsoles() => Interlocked.Exchange(ref _cut, new()).Cancel();

    private async Task ConsoleAsync(HttpContext http, string instance)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_cut.Token, http.RequestAborted);
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes($"Linux 6.1 booting\r\n\u001b[32mok\u001b[0m init: first line\r\nWelcome to {instance}\r\n{instance} login: "), System.Net.WebSockets.WebSocketMessageType.Binary, true, default);
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, ends.Token) is { CloseStatus: null } got) { await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, true, default); }
    }

    private sealed class SignedIn(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, Caller who) : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var identity = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, who.UserId), new(ClaimTypes.Name, who.Name), .. who.Admin ? [new Claim(Callers.AdministratorClaim, "true")] : Array.Empty<Claim>()], Scheme.Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }

    private sealed class Tickets : IConsoleTickets
    {
        public string Create(string userId, Guid instanceId) => "t";
        public bool Redeem(string ticket, string userId, Guid instanceId) => true;
    }

    private sealed class Joins : IJoinTokens
    {
        public Task<Outcome<AddNodeReply>> CreateAsync(string node, Caller caller, CancellationToken ct = default) =>
            Task.FromResult<Outcome<AddNodeReply>>(new AddNodeReply(node, "k3v9.J7w2mQ0tXq8sB1nE", $"wm-agent join https://portal.example:5000 k3v9.J7w2mQ0tXq8sB1nE --name {node}", DateTimeOffset.UtcNow.AddHours(1)));
    }

    internal sealed class NoStore(FakeEngine engine) : IClusterStore
    {
        public Task<Job?> JobAsync(long id, CancellationToken ct) => Task.FromResult<Job?>(null);
        public Task<StoredState> LoadAsync(CancellationToken ct) => throw new NotSupportedException();
        public Task CommitAsync(Changes changes, CancellationToken ct) => throw new NotSupportedException();
        public Task<EngineLease?> LeaseAsync(CancellationToken ct) => throw new NotSupportedException();
        public string Place => "nowhere";
        public bool IsGone(EngineLease lease) => throw new NotSupportedException();
        public Task<IReadOnlyList<JobLogLine>> JobLogAsync(long job, CancellationToken ct) => throw new NotSupportedException();
        public Task<IReadOnlyList<Job>> FindJobsAsync(JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees, CancellationToken ct) => Task.FromResult(engine.Found(query));
        public Task<IReadOnlyList<Job>> JobsAsync(long? before, int limit, CancellationToken ct) => throw new NotSupportedException();
        public Task<IReadOnlyList<Charge>> ChargesAsync(string owner, int limit, CancellationToken ct) => Task.FromResult<IReadOnlyList<Charge>>([.. engine.Charges.Where(c => c.Owner == owner).Take(limit)]);
        public Task<IReadOnlyList<ClusterEvent>> EventsAsync(long? before, int limit, CancellationToken ct) => throw new NotSupportedException();
    }
}
