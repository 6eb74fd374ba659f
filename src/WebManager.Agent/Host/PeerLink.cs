using System.Net.Http.Json;
using System.Net.Security;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>HTTPS to other agents, with this node's certificate; the other must show one of the same CA with the expected name.</summary>
public sealed class PeerLink(NodeCertificates certificates) : IDisposable
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, HttpClient> _clients = new();

    public async Task<PeerAnswer> ChallengeAsync(string peer, string address, PeerChallenge challenge, CancellationToken ct)
    {
        var client = _clients.GetOrAdd($"{peer} {address}", _ => Client(peer, address));
        using var reply = await client.PostAsJsonAsync(challenge.Path, challenge, WireJson.Options, ct);
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadFromJsonAsync<PeerAnswer>(WireJson.Options, ct) ?? throw new HttpRequestException("The peer's answer is empty.");
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values) client.Dispose();
    }

    private HttpClient Client(string peer, string address) => new(new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(1),
        SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = [certificates.Own],
            CertificateChainPolicy = certificates.Policy(),
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
                && NodeCertificates.Who(certificate) is { Unit: "agent" } who && who.Name == peer,
        },
    })
    {
        BaseAddress = new Uri($"https://{address}"),
        Timeout = TimeSpan.FromSeconds(1.5),
    };
}
