using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using WebManager.Contracts.Agent;
using WebManager.Web.Nodes;
using WebManager.Web.Tests.Api;
using WebManager.Web.Tests.Support;
using Xunit;

namespace WebManager.Web.Tests.Nodes;

public sealed class JoinTests : IDisposable
{
    private readonly TestPortal _portal = new();
    private readonly HttpClient _api;
    private readonly HttpClient _node;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public JoinTests()
    {
        _api = _portal.Api();
        _node = new HttpClient { BaseAddress = _portal.Address };
    }

    public void Dispose()
    {
        _api.Dispose();
        _node.Dispose();
        _key.Dispose();
        _portal.Dispose();
    }

    [Fact]
    public async Task A_node_with_its_token_gets_a_certificate_that_the_engine_accepts()
    {
        var token = (await Joins.TokenAsync(_api, "n1")).Token;
        var answer = await _node.PostAsJsonAsync("/join", Joins.Request(token, "n1", "127.0.0.1:9", _key));
        var reply = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JoinReply>())!;
        Assert.Equal(Joins.Hmac(token.Split('.')[1], $"joined\n{reply.Cluster}\n{reply.Certificate}\n{reply.Authority}"), reply.Proof);
        using var certificate = X509Certificate2.CreateFromPem(reply.Certificate);
        var authority = _portal.Services.GetRequiredService<ClusterAuthority>();
        Assert.Null(authority.WrongNode("n1", certificate));
        Assert.NotNull(authority.WrongNode("n2", certificate));
        Assert.NotNull(authority.WrongNode("engine", authority.EngineCertificate));
        Assert.True(certificate.MatchesHostname("127.0.0.1"));
    }

    [Fact]
    public async Task A_used_token_serves_only_the_same_request_again()
    {
        var token = (await Joins.TokenAsync(_api, "n1")).Token;
        var request = Joins.Request(token, "n1", "127.0.0.1:9", _key);
        var first = await (await _node.PostAsJsonAsync("/join", request)).EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        Assert.Equal(first, await (await _node.PostAsJsonAsync("/join", request)).Content.ReadAsStringAsync());
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await ApiTests.AssertProblemAsync(await _node.PostAsJsonAsync("/join", Joins.Request(token, "n1", "127.0.0.1:9", other)), 422, "join.token-used", "token");
    }

    [Fact]
    public async Task Wrong_tokens_nodes_and_names_are_refused()
    {
        var token = (await Joins.TokenAsync(_api, "n1")).Token;
        await Refused("join.token-invalid", 422, Joins.Request(token.Split('.')[0] + ".wrong", "n1", "127.0.0.1:9", _key));
        await Refused("join.token-invalid", 422, Joins.Request("0000.wrong", "n1", "127.0.0.1:9", _key));
        await Refused("join.token-invalid", 422, Joins.Request(token, "n1", "127.0.0.1:9", _key) with { Address = "10.0.0.1:9" });
        await Refused("join.wrong-node", 422, Joins.Request(token, "n2", "127.0.0.1:9", _key));
        await Refused("join.address-invalid", 422, Joins.Request(token, "n1", "nowhere", _key));
        await ApiTests.AssertProblemAsync(await _api.PostAsJsonAsync("/api/v1/nodes", new { name = "Not a name" }), 422, "name.invalid", "name");
    }

    private async Task Refused(string code, int status, JoinRequest request)
    {
        var answer = await _node.PostAsJsonAsync("/join", request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains($"\"{code}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
