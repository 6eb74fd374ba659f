using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Agent.Storage;

namespace WebManager.Agent.Host;

/// <summary>
/// `join URL TOKEN`: makes this node's key, has the cluster's CA sign it, pins that CA, writes agent.json. `rejoin`: the same for a node that
/// was in a cluster before, whose instances stay as they are; what it states about itself stays, too. See Contracts/Agent/Join.cs.
/// </summary>
internal static class JoinCommand
{
    public static async Task<int> RunAsync(string url, string token, NodeFolder folder, NodeConfig wish, bool again = false)
    {
        if (File.Exists(folder.Config) && !again) return Fail($"{folder.Root} belongs to a node that has joined already. Take another --dir, or use rejoin, which keeps its instances.");
        if (token.Split('.') is not [{ Length: > 0 } id, { Length: > 0 } secret]) return Fail("The token is not of the form ID.SECRET. Copy it whole from the portal.", 2);
        if (!Uri.TryCreate(url.TrimEnd('/') + "/join", UriKind.Absolute, out var target) || target.Scheme is not ("http" or "https"))
            return Fail($"'{url}' is no address of a portal; write http://HOST:5000.", 2);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = Request(key, wish).CreateSigningRequestPem();
        var request = new JoinRequest(id, wish.Node, wish.Address, csr, Proof(secret, $"join\n{wish.Node}\n{wish.Address}\n{csr}"));
        var (reply, code) = await AskAsync(target, request);
        if (reply is null) return code;
        if (!Same(reply.Proof, Proof(secret, $"joined\n{reply.Cluster}\n{reply.Certificate}\n{reply.Authority}")))
            return Fail("Whoever answered does not know the token's secret. This is not your portal; nothing was trusted.");
        if (Misfit(reply, key, wish.Node) is { } misfit) return Fail($"The portal's answer does not fit: {misfit}");

        Write(folder, key, reply, wish with { Cluster = reply.Cluster });
        Console.WriteLine($"{wish.Node} joined {reply.Cluster}. {(again ? "Restart its agent" : "Start it")}: WebManager.Agent run --dir {folder.Root}");
        return 0;
    }

    public static string Proof(string secret, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(text)));

    private static CertificateRequest Request(ECDsa key, NodeConfig wish)
    {
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(wish.Node);
        name.AddOrganizationalUnitName("agent");
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(wish.Node);
        if (System.Net.IPAddress.TryParse(wish.Host, out var ip)) names.AddIpAddress(ip);
        else names.AddDnsName(wish.Host);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    private static async Task<(JoinReply? Reply, int Code)> AskAsync(Uri target, JoinRequest request)
    {
        // An HTTPS portal may show any certificate: trust comes from the proof, not from TLS.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(15) };
        try
        {
            using var reply = await client.PostAsJsonAsync(target, request, WireJson.Options);
            if (reply.IsSuccessStatusCode) return (await reply.Content.ReadFromJsonAsync<JoinReply>(WireJson.Options), Fail("The portal's answer is empty.", 3, say: false));
            var text = await reply.Content.ReadAsStringAsync();
            return (null, Fail(Refused(text) ?? $"The portal answered {(int)reply.StatusCode} to {target}. Is this the portal's address?"));
        }
        catch (Exception ex) when (ex is HttpRequestException or TaskCanceledException or JsonException)
        {
            return (null, Fail($"The portal at {target.GetLeftPart(UriPartial.Authority)} cannot be reached: {ex.Message}", 3));
        }
    }

    /// <summary>The portal's own words: that the token is wrong, used, expired or made for another node.</summary>
    private static string? Refused(string body)
    {
        try
        {
            var problem = JsonSerializer.Deserialize<Problem>(body, WireJson.Options);
            return problem?.Title is null || problem.Code is null ? null : $"Refused ({problem.Code}): {problem.Title} {problem.Remedy}".TrimEnd();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What is of use here of application/problem+json (RFC 9457), in which the portal refuses.</summary>
    private sealed record Problem(string? Title, string? Code, string? Remedy);

    private static string? Misfit(JoinReply reply, ECDsa key, string node)
    {
        try
        {
            using var authority = X509Certificate2.CreateFromPem(reply.Authority);
            using var own = X509Certificate2.CreateFromPem(reply.Certificate);
            using var chain = new X509Chain { ChainPolicy = NodeCertificates.Policy(authority) };
            if (!chain.Build(own)) return "its CA did not sign the certificate it sent (or this machine's clock is wrong).";
            if (NodeCertificates.Who(own) is not { Unit: "agent" } who || who.Name != node) return "the certificate is for another node.";
            using var signed = own.GetECDsaPublicKey();
            return signed is not null && signed.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()) ? null : "the certificate is for another key.";
        }
        catch (CryptographicException ex)
        {
            return ex.Message;
        }
    }

    private static void Write(NodeFolder folder, ECDsa key, JoinReply reply, NodeConfig config)
    {
        Directory.CreateDirectory(folder.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.Write(folder.Key, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));   // 0600 from its first byte
        DurableFile.Write(folder.Certificate, Encoding.ASCII.GetBytes(reply.Certificate));
        DurableFile.Write(folder.Authority, Encoding.ASCII.GetBytes(reply.Authority));
        config.Write(folder);        // last: its presence means joined
    }

    private static bool Same(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));

    private static int Fail(string text, int code = 1, bool say = true)
    {
        if (say) Console.Error.WriteLine(text);
        return code;
    }
}
