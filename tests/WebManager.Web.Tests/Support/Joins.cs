using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WebManager.Contracts.Agent;
using WebManager.Contracts.Api;

namespace WebManager.Web.Tests.Support;

/// <summary>The node's side of joining.</summary>
internal static class Joins
{
    public static async Task<AddNodeReply> TokenAsync(HttpClient api, string node) =>
        (await (await api.PostAsJsonAsync("/api/v1/nodes", new AddNodeRequest(node))).EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AddNodeReply>())!;

    public static JoinRequest Request(string token, string node, string address, ECDsa key)
    {
        var parts = token.Split('.');
        var signing = new CertificateRequest($"CN={node}", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        return new JoinRequest(parts[0], node, address, signing, Hmac(parts[1], $"join\n{node}\n{address}\n{signing}"));
    }

    public static async Task<HttpResponseMessage> JoinAsync(TestPortal portal, HttpClient api, string node, string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var plain = new HttpClient { BaseAddress = portal.Address };
        return await plain.PostAsJsonAsync("/join", Request((await TokenAsync(api, node)).Token, node, address, key));
    }

    public static string Hmac(string secret, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));
}
