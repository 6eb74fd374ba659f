using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using WebManager.Agent.Host;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>A CA, a tiny portal that lets nodes join, and the engine's certificate: what a real portal is to an agent.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly HttpListener _portal = new();
    private readonly HashSet<string> _used = [];
    private readonly List<TestNode> _nodes = [];

    public TestCluster()
    {
        var request = new CertificateRequest("CN=test CA", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Authority = request.CreateSelfSigned(DateTimeOffset.Now.AddHours(-1), DateTimeOffset.Now.AddDays(1));
        Url = $"http://127.0.0.1:{TestNode.FreePort()}";
        _portal.Prefixes.Add(Url + "/");
        _portal.Start();
        _ = ServeAsync();
    }

    public string Url { get; }
    public X509Certificate2 Authority { get; }

    /// <summary>Secret of every token; the id is the node's name.</summary>
    public string Secret { get; } = "s3cret";

    /// <summary>Answers as if it did not know the secret, like an impostor.</summary>
    public bool Lies { get; set; }

    public X509Certificate2 Issue(string name, string unit)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        subject.AddOrganizationalUnitName(unit);
        using var bare = Sign(new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256));
        using var whole = bare.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    public async Task<TestNode> NodeAsync(string name, params string[] more)
    {
        var node = new TestNode(this, name);
        _nodes.Add(node);
        var (code, text) = await node.JoinAsync($"{name}.{Secret}", more);
        Assert.True(code == 0, text);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        _portal.Close();
        foreach (var node in _nodes) await node.DisposeAsync();
        Authority.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Sign(CertificateRequest request)
    {
        var serial = RandomNumberGenerator.GetBytes(8);
        return request.Create(Authority.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), DateTimeOffset.Now.AddMinutes(-5), DateTimeOffset.Now.AddHours(12), serial);
    }

    private async Task ServeAsync()
    {
        while (_portal.IsListening)
        {
            try
            {
                var http = await _portal.GetContextAsync();
                var (status, body) = Join(JsonSerializer.Deserialize<JoinRequest>(http.Request.InputStream, WireJson.Options)!);
                http.Response.StatusCode = status;
                await http.Response.OutputStream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Options));
                http.Response.Close();
            }
            catch (Exception ex) when (ex is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>As the portal refuses: problem+json (RFC 9457).</summary>
    private static object Problem(string code, string title) => new { title, status = 422, code, remedy = "Make a new one in the portal." };

    private (int, object) Join(JoinRequest request)
    {
        var expected = JoinCommand.Proof(Secret, $"join\n{request.Node}\n{request.Address}\n{request.SigningRequest}");
        if (request.TokenId != request.Node || request.Proof != expected) return (422, Problem("join.token-invalid", "This token is not known."));
        if (!_used.Add(request.TokenId)) return (422, Problem("join.token-used", "This token was used."));
        var csr = CertificateRequest.LoadSigningRequestPem(request.SigningRequest, HashAlgorithmName.SHA256);
        using var signed = Sign(csr);
        var (certificate, authority) = (signed.ExportCertificatePem(), Authority.ExportCertificatePem());
        return (200, new JoinReply("test", certificate, authority, JoinCommand.Proof(Lies ? "?" : Secret, $"joined\ntest\n{certificate}\n{authority}")));
    }
}

/// <summary>A real agent process with its own folder.</summary>
internal sealed class TestNode(TestCluster cluster, string name) : IAsyncDisposable
{
    private Process? _agent;

    public string Name => name;
    public string Folder { get; } = Directory.CreateTempSubdirectory("wm-n").FullName;
    public string Address { get; } = $"127.0.0.1:{FreePort()}";
    public int AgentPid => _agent!.Id;

    /// <summary>The one that holds the node's folder: after a hand-over another than was started.</summary>
    public int PidNow => int.Parse(File.ReadAllText(Path.Combine(Folder, "agent.pid")));

    /// <summary>What is installed as the agent.</summary>
    public string Program { get; set; } = Path.Combine(AppContext.BaseDirectory, "WebManager.Agent");

    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>The process that was started has ended: its exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await _agent!.WaitForExitAsync();
        return _agent.ExitCode;
    }
    public int KeeperPid => int.Parse(File.ReadAllText(Path.Combine(Folder, "keeper/pid")));
    public string Log => File.ReadAllText(Path.Combine(Folder, "agent.log"));

    public static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public Task<(int Code, string Text)> JoinAsync(string token, params string[] more) =>
        CommandAsync(["join", cluster.Url, token, "--dir", Folder, "--name", name, "--address", Address, "--hypervisor", "fake", .. more]);

    public static async Task<(int Code, string Text)> CommandAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <summary>For tests that a loaded machine must not fail: it may be slow to bring an agent back.</summary>
    public void SetIsolation(int seconds)
    {
        var config = Path.Combine(Folder, "agent.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("00:00:03", $"00:00:{seconds:00}", StringComparison.Ordinal));
    }

    /// <summary>Starts the agent and waits until it answers; the time it took.</summary>
    /// <param name="of">The cluster it belongs to by now; null: the one it was made for.</param>
    public async Task<TimeSpan> RunAsync(TestCluster? of = null)
    {
        var since = Stopwatch.StartNew();
        _agent = Start(["run", "--dir", Folder], Program, Environment);
        using var engine = of is null ? Engine() : new TestEngine(of, this, of.Issue("engine", "engine"));
        await Until.TrueAsync(async () =>
        {
            if (_agent.HasExited) throw new InvalidOperationException(await _agent.StandardError.ReadToEndAsync());
            try { return (await engine.CallAsync(new HelloRequest())).Ok; }
            catch (HttpRequestException) { return false; }
        });
        return since.Elapsed;
    }

    public async Task KillAgentAsync()
    {
        _agent!.Kill();
        await _agent.WaitForExitAsync();
    }

    public TestEngine Engine(string who = "engine", string unit = "engine") => new(cluster, this, cluster.Issue(who, unit));

    public TestEngine Stranger(X509Certificate2? certificate) => new(cluster, this, certificate);

    public async ValueTask DisposeAsync()
    {
        if (_agent is { HasExited: false }) await KillAgentAsync();
        if (_agent is not null && File.Exists(Path.Combine(Folder, "agent.pid")) && Real.CommandLine(PidNow).Contains(Folder, StringComparison.Ordinal)) Real.Kill(PidNow);
        if (File.Exists(Path.Combine(Folder, "keeper/pid"))) Real.Kill(KeeperPid);
        await Until.TrueAsync(() => Real.TryDelete(Folder));
    }

    private static Process Start(string[] arguments, string? program = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program ?? Path.Combine(AppContext.BaseDirectory, "WebManager.Agent"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        return Process.Start(start)!;
    }
}

/// <summary>Whoever calls an agent, with this certificate.</summary>
internal sealed class TestEngine : IDisposable
{
    private readonly TestNode _node;
    private readonly SocketsHttpHandler _handler;
    private const long Epoch = 1;
    private string? _nonce;

    public TestEngine(TestCluster cluster, TestNode node, X509Certificate2? certificate)
    {
        _node = node;
        var policy = NodeCertificates.Policy(cluster.Authority);
        var ssl = new SslClientAuthenticationOptions { CertificateChainPolicy = policy, RemoteCertificateValidationCallback = (_, _, _, e) => (e & ~SslPolicyErrors.RemoteCertificateNameMismatch) == 0 };
        if (certificate is not null) ssl.ClientCertificates = [certificate];
        _handler = new SocketsHttpHandler { SslOptions = ssl };
        Http = new HttpClient(_handler) { BaseAddress = new Uri($"https://{node.Address}"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public HttpClient Http { get; }

    /// <summary>The addresses of the other nodes that beats tell.</summary>
    public IReadOnlyDictionary<string, string> Peers { get; set; } = new Dictionary<string, string>();

    public async Task<Outcome<T>> CallAsync<T>(IAgentCall<T> call)
    {
        using var reply = await Http.PostAsync(call.Path, JsonContent.Create(call, call.GetType(), options: WireJson.Options));
        if (reply.IsSuccessStatusCode) return (await reply.Content.ReadFromJsonAsync<T>(WireJson.Options))!;
        return (await reply.Content.ReadFromJsonAsync<Refusal>(WireJson.Options))!;
    }

    /// <summary>One beat, answering the challenge of the one before.</summary>
    public async Task<BeatReply> BeatAsync(params GenerationRecord[] behind)
    {
        var reply = await CallAsync(new BeatRequest("test", Epoch, _node.Name) { Nonce = _nonce, StandsBehind = behind, Peers = Peers });
        Assert.Null(reply.Refusal);
        _nonce = reply.Value!.Nonce;
        return reply.Value;
    }

    public async Task<InstanceReport?> ReportAsync(Guid instance, params GenerationRecord[] behind) =>
        (await BeatAsync(behind)).Instances!.SingleOrDefault(i => i.Instance == instance);

    public async Task<ClientWebSocket> SerialAsync(Guid instance)
    {
        var socket = new ClientWebSocket();
        using var invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
        await socket.ConnectAsync(new Uri($"wss://{_node.Address}/v1/guests/{instance}/serial"), invoker, default);
        return socket;
    }

    public void Dispose() => Http.Dispose();
}

internal static class Consoles
{
    public static async Task<string> ReadUntilAsync(this ClientWebSocket socket, string expected)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var (text, buffer) = ("", new byte[4096]);
        while (!text.Contains(expected, StringComparison.Ordinal))
        {
            var got = await socket.ReceiveAsync(buffer, limit.Token);
            if (got.MessageType == WebSocketMessageType.Close) break;
            text += System.Text.Encoding.UTF8.GetString(buffer, 0, got.Count);
        }

        return text;
    }
}
