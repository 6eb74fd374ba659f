using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Identity;
using WebManager.Web.Nodes;
using WebManager.Web.Tests.Pages;
using WebManager.Web.Tests.Support;

namespace WebManager.Web.Tests.Identity;

/// <summary>An open console (browser, portal, agent) is cut when the sign-in behind it ends.</summary>
public sealed class ConsoleEndTests
{
    [Theory]
    [InlineData("disable"), InlineData("sign out"), InlineData("demote")]
    public async Task A_console_ends_with_its_sign_in(string how)
    {
        var engine = (OneInstance)(object)DispatchProxy.Create<IClusterEngine, OneInstance>();
        using var portal = new TestPortal(services => services.AddSingleton((IClusterEngine)(object)engine));
        await using var agent = await AgentAsync(portal.Services.GetRequiredService<ClusterAuthority>());
        engine.Rows.Nodes.Set("n1", Scene.Node("n1") with { Address = new Uri(agent.Urls.First()).Authority });
        await portal.AddAsync("root", superuser: true);
        await portal.AddAsync("ada", superuser: how == "demote");
        using var api = await portal.ApiOfAsync("ada");
        using var root = portal.Api();
        var me = await api.GetFromJsonAsync<UserView>("/api/v1/profile", WireJson.Options);

        engine.Rows.Instances.Set(engine.Instance.Id, Scene.Instance("web1", "n1", null) with { Id = engine.Instance.Id, OwnerKey = Keys.User(me!.Id) });
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var console = new ClientWebSocket();
        console.Options.SetRequestHeader("Authorization", api.DefaultRequestHeaders.Authorization!.ToString());
        var ticket = portal.Services.GetRequiredService<IConsoleTickets>().Create(me!.Id, engine.Instance.Id);
        await console.ConnectAsync(new Uri($"ws://{portal.Address.Authority}/console/web1/serial?ticket={ticket}"), limit.Token);
        await console.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Binary, true, limit.Token);
        var buffer = new byte[100];
        Assert.Equal(5, (await console.ReceiveAsync(buffer, limit.Token)).Count);

        limit.CancelAfter(TimeSpan.FromSeconds(2));
        await (how switch
        {
            "disable" => root.PatchAsJsonAsync("/api/v1/users/ada", new { active = false }),
            "demote" => root.PatchAsJsonAsync("/api/v1/users/ada", new { superuser = false }),
            _ => api.DeleteAsync("/api/v1/session"),
        });
        try { Assert.Equal(WebSocketMessageType.Close, (await console.ReceiveAsync(buffer, limit.Token)).MessageType); }
        catch (WebSocketException) { }   // cut without a goodbye is an end, too
    }

    private static async Task<WebApplication> AgentAsync(ClusterAuthority authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = X509Certificate2.CreateFromPem(authority.SignNode("n1", "127.0.0.1", new CertificateRequest("CN=n1", key, HashAlgorithmName.SHA256).CreateSigningRequestPem()).Value, key.ExportPkcs8PrivateKeyPem());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.UseHttps(certificate, o =>
        {
            o.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            o.AllowAnyClientCertificate();
        })));
        var app = builder.Build();
        app.UseWebSockets();
        app.MapGet("/v1/guests/{id}/serial", async (HttpContext http) =>
        {
            using var socket = await http.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[100];
            try { while (await socket.ReceiveAsync(buffer, http.RequestAborted) is { CloseStatus: null } got) { await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, true, default); } }
            catch (Exception ex) when (ex is WebSocketException or OperationCanceledException) { }
        });
        await app.StartAsync();
        return app;
    }

    /// <summary>An engine that knows one instance, and nothing else.</summary>
    public class OneInstance : DispatchProxy
    {
        public ClusterFeeds Rows { get; } = new();
        public Instance Instance { get; } = new(Guid.NewGuid(), "web1", "ada", "tiny", 1, 512, DiskTemplate.File, [], [], "n1", null, DateTimeOffset.UnixEpoch, 1);

        private readonly Picture _picture = new(new Cluster(Guid.NewGuid(), "demo", 1, DateTimeOffset.UnixEpoch, 1));

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
        {
            "FindInstance" => Instance,
            "get_Feeds" => Rows,
            "get_Halted" => null,
            "SightOf" => new Sight(() => _picture, (Caller)args![0]!),
            var other => throw new NotSupportedException(other),
        };
    }
}
