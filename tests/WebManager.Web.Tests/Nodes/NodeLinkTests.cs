using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Web.Data;
using WebManager.Web.Nodes;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Nodes;

public sealed class NodeLinkTests : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);
    private readonly TempFolder _folder = new();
    private readonly ClusterAuthority _authority;
    private readonly HttpNodeLinks _links;
    private WebApplication _agent = null!;
    private string _address = "";
    private volatile bool _silent;
    private string? _client;

    public NodeLinkTests()
    {
        _authority = new ClusterAuthority(new DataFolder(_folder.Path), TimeProvider.System);
        _links = new HttpNodeLinks(_authority, TimeProvider.System, NullLogger<HttpNodeLinks>.Instance);
    }

    public async ValueTask InitializeAsync() => (_agent, _address) = await AgentAsync(Certificate(_authority, "n1"));

    public async ValueTask DisposeAsync()
    {
        _links.Dispose();
        await _agent.DisposeAsync();
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Replies_and_refusals_come_back_as_they_are()
    {
        var link = _links.To("n1", _address);
        var reply = await link.CallAsync(new SerialTailRequest(Guid.Empty, 2), s_limit, default);
        Assert.Equal(["2"], reply.Value!.Lines);
        Assert.Equal("OU=engine, CN=engine", _client);
        var refused = await link.CallAsync(new SerialTailRequest(Guid.Empty, 0), s_limit, default);
        Assert.Equal(new Refusal("lines.none", "None?", "Ask for some.") { Field = "lines" }, refused.Refusal);
        Assert.Equal("node.wrong-answer", (await link.CallAsync(new HelloRequest(), s_limit, default)).Refusal!.Code);
        Assert.Same(link, _links.To("n1", _address));
    }

    [Fact]
    public async Task Nodes_with_another_certificate_get_nothing()
    {
        Assert.Equal("node.unreachable", (await _links.To("n2", _address).CallAsync(new SerialTailRequest(Guid.Empty, 1), s_limit, default)).Refusal!.Code);
        using var elsewhere = new TempFolder();
        using var stranger = new ClusterAuthority(new DataFolder(elsewhere.Path), TimeProvider.System);
        var (agent, address) = await AgentAsync(Certificate(stranger, "n3"));
        await using var _ = agent;
        _client = null;
        Assert.Equal("node.unreachable", (await _links.To("n3", address).CallAsync(new SerialTailRequest(Guid.Empty, 1), s_limit, default)).Refusal!.Code);
        Assert.Null(_client);
    }

    [Fact]
    public async Task A_beat_that_got_no_answer_takes_its_limit_and_the_next_has_a_new_connection()
    {
        var link = _links.To("n1", _address);
        Assert.True((await BeatAsync(s_limit)).Ok);
        _silent = true;
        var began = Stopwatch.GetTimestamp();
        Assert.Equal("node.unreachable", (await BeatAsync(TimeSpan.FromSeconds(0.5))).Refusal!.Code);
        Assert.InRange(Stopwatch.GetElapsedTime(began).TotalSeconds, 0.4, 4);
        _silent = false;
        Assert.True((await BeatAsync(s_limit)).Ok);
        Assert.Equal(2, _connections.Count);
        Task<Outcome<BeatReply>> BeatAsync(TimeSpan limit) => link.CallAsync(new BeatRequest("c", 1, "n1"), limit, default);
    }

    [Fact]
    public async Task Nobody_listening_is_a_refusal_and_events_end()
    {
        var link = _links.To("n1", "127.0.0.1:1");
        Assert.Equal("node.unreachable", (await link.CallAsync(new HelloRequest(), s_limit, default)).Refusal!.Code);
        await foreach (var happened in link.EventsAsync(default)) { Assert.Fail(happened.Text); }
    }

    [Fact]
    public async Task Events_arrive_until_the_stream_ends()
    {
        var seen = new List<string>();
        await foreach (var happened in _links.To("n1", _address).EventsAsync(default)) { seen.Add(happened.Text); }
        Assert.Equal(["one", "two"], seen);
    }

    [Fact]
    public async Task Cancelling_is_not_a_refusal()
    {
        _silent = true;
        using var soon = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _links.To("n1", _address).CallAsync(new BeatRequest("c", 1, "n1"), s_limit, soon.Token));
    }

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, bool> _connections = new();

    private static X509Certificate2 Certificate(ClusterAuthority authority, string node)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = authority.SignNode(node, "127.0.0.1", new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem());
        return X509Certificate2.CreateFromPem(signed.Value, key.ExportPkcs8PrivateKeyPem());
    }

    private async Task<(WebApplication, string)> AgentAsync(X509Certificate2 certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0, l => l.UseHttps(certificate, o =>
        {
            o.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            o.AllowAnyClientCertificate();
        })));
        var app = builder.Build();
        app.MapPost("/v1/guests/serial-tail", (SerialTailRequest r, HttpContext http) =>
        {
            _client = http.Connection.ClientCertificate?.Subject;
            return r.Lines > 0
                ? Results.Json(new SerialTailReply([$"{r.Lines}"]), WireJson.Options)
                : Results.Json(new Refusal("lines.none", "None?", "Ask for some.") { Field = "lines" }, WireJson.Options, statusCode: 409);
        });
        app.MapPost("/v1/beat", async (BeatRequest r, HttpContext http) =>
        {
            _connections[http.Connection.Id] = true;
            while (_silent) { await Task.Delay(20, http.RequestAborted); }
            return Results.Json(new BeatReply(r.Node, Guid.Empty, Guid.Empty, 1), WireJson.Options);
        });
        app.MapGet("/v1/events", () => TypedResults.ServerSentEvents(EventsAsync()));
        await app.StartAsync();
        return (app, new Uri(app.Urls.First()).Authority);
    }

    private static async IAsyncEnumerable<AgentEvent> EventsAsync()
    {
        yield return new AgentEvent(1, DateTimeOffset.UnixEpoch, "guest.started", null, "one");
        await Task.Delay(10);
        yield return new AgentEvent(2, DateTimeOffset.UnixEpoch, "guest.exited", null, "two");
    }
}
