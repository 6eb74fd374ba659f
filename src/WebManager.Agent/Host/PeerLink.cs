using System.Net.Http.Json;
using System.Net.Security;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Host;

/// <summary>HTTPS to other agents, with this node's certificate; the other must show one of the same CA with the expected name.</summary>
public sealed class PeerLink(NodeCertificates certificates) : IDisposable
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, HttpClient> _clients = new();

    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(1.5);

    public Task<PeerAnswer> ChallengeAsync(string peer, string address, PeerChallenge challenge, CancellationToken ct) => CallAsync(peer, address, challenge, Quick, ct);

    /// <summary>Throws HttpRequestException also when the peer refuses, with its words.</summary>
    public async Task<TReply> CallAsync<TReply>(string peer, string address, IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct)
    {
        var client = _clients.GetOrAdd($"{peer} {address}", _ => Client(peer, address));
        using var late = CancellationTokenSource.CreateLinkedTokenSource(ct);
        late.CancelAfter(limit);
        using var content = JsonContent.Create(call, call.GetType(), options: WireJson.Options);
        using var reply = await client.PostAsync(call.Path, content, late.Token);
        if (reply.StatusCode == System.Net.HttpStatusCode.Conflict)
            throw new HttpRequestException((await reply.Content.ReadFromJsonAsync<Refusal>(WireJson.Options, late.Token))?.Message ?? "The peer refused.");
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadFromJsonAsync<TReply>(WireJson.Options, late.Token) ?? throw new HttpRequestException("The peer's answer is empty.");
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
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
