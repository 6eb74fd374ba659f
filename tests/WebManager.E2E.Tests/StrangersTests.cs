// Machines that do not belong: an agent nobody signed, a caller without the cluster's certificate, tokens that are wrong or used.
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WebManager.Contracts.Agent;
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class StrangersTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Agent_answers_nobody_without_a_certificate_of_the_cluster()
    {
        var address = (await Api.NodeAsync("n1")).Address;
        Assert.Null(await AskAsync(address, null));
        using var own = SelfMade("engine", "engine");
        Assert.Null(await AskAsync(address, own));
        // Another node's certificate is of the cluster, but not the engine's.
        using var peer = X509Certificate2.CreateFromPemFile(Path.Combine(Portal.NodeFolder("n2"), "agent.crt"), Path.Combine(Portal.NodeFolder("n2"), "agent.key"));
        using var peerForTls = X509CertificateLoader.LoadPkcs12(peer.Export(X509ContentType.Pkcs12), null);
        Assert.NotEqual("200", await AskAsync(address, peerForTls));
    }

    [Fact]
    public async Task Join_with_a_wrong_or_used_token_is_refused_and_no_node_is_added()
    {
        var before = await NodesAsync();
        await RefusedAsync("n7", "0011223344556677.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "wrong token");
        var (right, port) = (await Api.SendAsync(HttpMethod.Post, "nodes", new AddNodeRequest("n7")), FreePort());
        var token = right.As<AddNodeReply>().Token;
        await RefusedAsync("n8", token, "token of another node");
        await RefusedAsync("n7", token[..^4] + "AAAA", "wrong secret");
        Assert.Equal(before, await NodesAsync());

        using var folder = new Folder();
        var joined = await JoinAsync("n7", token, folder.Path, port);
        Assert.True(joined.ExitCode == 0, joined.Output + joined.Error);
        await Until.TrueAsync(async () => (await NodesAsync()).Contains("n7"), LabFixture.Soon, "n7 belongs to the cluster");
        try
        {
            await RefusedAsync("n7", token, "used token");
        }
        finally
        {
            await Api.SucceedsAsync(RemoveNodeAsync("n7"));
        }
        Assert.Equal(before, await NodesAsync());
    }

    [Fact]
    public async Task Certificate_request_of_a_self_made_agent_without_proof_is_refused()
    {
        var before = await NodesAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=n7, OU=agent", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var token = (await Api.SendAsync(HttpMethod.Post, "nodes", new AddNodeRequest("n7"))).As<AddNodeReply>().Token;
        using var stranger = new Api(Portal.Address, null);
        var reply = await stranger.SendAsync(HttpMethod.Post, "/join", new JoinRequest(token.Split('.')[0], "n7", "127.0.0.1:7999", request, new string('0', 64)));
        Assert.False(reply.Ok, reply.Body);
        Assert.Equal("token", reply.Problem.Field);
        Assert.Equal(before, await NodesAsync());
    }

    [Fact]
    public async Task Node_whose_agent_is_replaced_by_one_with_a_self_made_certificate_is_not_believed()
    {
        var address = (await Api.NodeAsync("n3")).Address;
        await Api.LabAsync("n3", "kill");
        await Until.TrueAsync(async () => (await Api.NodeAsync("n3")).Health is "lost" or "suspect", LabFixture.Soon, "n3 is missed");
        var namespaced = !address.StartsWith("127.", StringComparison.Ordinal);
        using var fake = namespaced ? null : new FakeAgent(address);
        // In its own namespace n3's address needs a program there: openssl serves with a certificate it made itself.
        using var folder = new Folder();
        var server = namespaced ? await OpensslAsync(folder.Path, address) : null;
        try
        {
            var begun = NodeProcesses.SinceBoot();
            await Until.TrueAsync(async () =>
            {
                Assert.NotEqual("online", (await Api.NodeAsync("n3")).Health);
                return NodeProcesses.SinceBoot() - begun > TimeSpan.FromSeconds(4);
            }, LabFixture.Soon, "n3 stays away");
        }
        finally
        {
            if (server is not null)
            {
                server.Kill(entireProcessTree: true);
                await server.WaitForExitAsync();
                server.Dispose();
            }
            fake?.Dispose();
            await Lab.BackAsync("n3");
        }
    }

    private async Task<System.Diagnostics.Process> OpensslAsync(string folder, string address)
    {
        var (key, crt) = (Path.Combine(folder, "k.pem"), Path.Combine(folder, "c.pem"));
        (await Shell.RunAsync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", crt, "-days", "2", "-subj", "/OU=agent/CN=n3"])).Must();
        return System.Diagnostics.Process.Start("ip", ["netns", "exec", $"wm{Lab.Processes.LabId}n3", "openssl", "s_server", "-quiet", "-www", "-accept", address.Split(':')[1], "-key", key, "-cert", crt]);
    }

    private sealed class FakeAgent : IDisposable
    {
        private readonly TcpListener _listener;
        private readonly X509Certificate2 _certificate = SelfMade("n3", "agent");

        public FakeAgent(string address)
        {
            _listener = new TcpListener(System.Net.IPEndPoint.Parse(address));
            _listener.Start();
            _ = ServeAsync();
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await using var tls = new SslStream(client.GetStream());
                    try { await tls.AuthenticateAsServerAsync(_certificate); }
                    catch (Exception e) when (e is AuthenticationException or IOException) { }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException) { }
        }

        public void Dispose()
        {
            _listener.Dispose();
            _certificate.Dispose();
        }
    }

    private async Task<List<string>> NodesAsync() => [.. (await Api.NodesAsync()).Select(n => n.Name)];
    private async Task<long> RemoveNodeAsync(string name) => (await Api.SendAsync(HttpMethod.Delete, $"nodes/{name}")).As<JobAccepted>().Job;

    private async Task RefusedAsync(string name, string token, string what)
    {
        using var folder = new Folder();
        var ran = await JoinAsync(name, token, folder.Path, FreePort());
        Say($"join, {what}: exit code {ran.ExitCode}: {(ran.Error + ran.Output).Trim()}");
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains("token", ran.Error + ran.Output, StringComparison.OrdinalIgnoreCase);
    }

    private Task<Ran> JoinAsync(string name, string token, string folder, int port) =>
        Shell.RunAsync(Built.Agent, ["join", Portal.Address.ToString(), token, "--dir", folder, "--name", name, "--address", $"127.0.0.1:{port}"]);

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The status of GET /v1/hello over TLS; null when the connection is refused before an answer.</summary>
    private static async Task<string?> AskAsync(string address, X509Certificate2? certificate)
    {
        var (host, port) = (address.Split(':')[0], int.Parse(address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port).WaitAsync(TimeSpan.FromSeconds(5));
            await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) => shown is not null);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host, ClientCertificates = certificate is null ? null : [certificate] });
            await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET /v1/hello HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
            using var reader = new StreamReader(tls);
            var line = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(5));
            return line?.Split(' ')[1];
        }
        catch (Exception e) when (e is IOException or AuthenticationException or SocketException)
        {
            return null;
        }
    }

    private static X509Certificate2 SelfMade(string name, string unit)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}, OU={unit}", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("wm-join-").FullName;
        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
