// One-time leave for a node to join, and its use.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Hosting;
using WebManager.Web.Identity;

namespace WebManager.Web.Nodes;

public interface IJoinTokens
{
    /// <summary>A token for that node; refused when the caller may not add it. The token is not shown again.</summary>
    Task<Outcome<AddNodeReply>> CreateAsync(string node, Caller caller, CancellationToken ct = default);
}

public sealed class JoinTokens(IDbContextFactory<PortalDb> dbs, IClusterEngine engine, ClusterAuthority authority, IDataProtectionProvider protection, IClusterStore store,
    IOptions<PortalOptions> options, TimeProvider time, ILogger<JoinTokens> log) : IJoinTokens
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromHours(1);
    private static readonly Refusal s_wrong = new("join.token-invalid", "This join token is not valid.", "Ask the portal for a new one; a token serves one node, once, for an hour.") { Field = "token" };
    private readonly IDataProtector _protector = protection.CreateProtector("WebManager.JoinTokens");
    private readonly SemaphoreSlim _one = new(1);

    public async Task<Outcome<AddNodeReply>> CreateAsync(string node, Caller caller, CancellationToken ct = default)
    {
        // The address is not known yet; any well-formed one asks the engine about name and permission.
        if (engine.WouldRefuse(new AddNode(node, "192.0.2.1:8443"), caller) is { } refusal) { return refusal; }
        var (id, secret, now) = (Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), Secrets.New(), time.GetUtcNow());
        await using var db = await dbs.CreateDbContextAsync(ct);
        await db.JoinTokens.Where(t => t.ExpiresAt < now.AddDays(-1)).ExecuteDeleteAsync(ct);
        db.JoinTokens.Add(new JoinToken
        {
            Id = id, Node = node, ProtectedSecret = _protector.Protect(secret), CallerJson = JsonSerializer.Serialize(caller, WireJson.Options),
            CreatedAt = now, ExpiresAt = now + s_lifetime,
        });
        await db.SaveChangesAsync(ct);
        var line = new Changes();
        line.Audit.Add(new AuditEntry(now, caller.Name, caller.Face, caller.Address, "node.join-token", $"node:{node}", "success", null, null));
        await store.CommitAsync(line, CancellationToken.None);
        var token = $"{id}.{secret}";
        return new AddNodeReply(node, token, $"wm-agent join {options.Value.Address} {token}", now + s_lifetime);
    }

    /// <summary>Checks the proof, signs, files AddNode in the token creator's name, marks the token used.</summary>
    public async Task<Outcome<JoinReply>> UseAsync(JoinRequest request, CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            var reply = await UseOneAsync(request, ct);
            if (!reply.Ok) { log.JoinRefused(Printable(request.Node), reply.Refusal.Code); }
            return reply;
        }
        finally { _one.Release(); }
    }

    private async Task<Outcome<JoinReply>> UseOneAsync(JoinRequest request, CancellationToken ct)
    {
        await using var db = await dbs.CreateDbContextAsync(ct);
        var token = await db.JoinTokens.FirstOrDefaultAsync(t => t.Id == request.TokenId, ct);
        if (token is null || token.ExpiresAt <= time.GetUtcNow() || !Proves(token, request)) { return s_wrong; }
        if (token.Node != request.Node)
            return new Refusal("join.wrong-node", $"This token is for node {token.Node}.", "Ask the portal for a token for this node.") { Field = "node" };
        var request256 = Secrets.Hash(request.Address + "\n" + request.SigningRequest);
        if (token.UsedAt is not null)
        {
            // The same request again: its answer was lost on the way. The certificate is of no use without the key it was made for.
            return token.UsedBy == request256 && token.Certificate is { } again ? Reply(token, again)
                : new Refusal("join.token-used", "This join token was used before.", "Ask the portal for a new one.") { Field = "token" };
        }
        if (HostOf(request.Address) is not { } host)
            return new Refusal("join.address-invalid", "The address must be host:port.") { Field = "address" };
        var signed = authority.SignNode(request.Node, host, request.SigningRequest);
        if (!signed.Ok) { return signed.Refusal; }
        var caller = JsonSerializer.Deserialize<Caller>(token.CallerJson, WireJson.Options)!;
        var job = await engine.SubmitAsync(new AddNode(request.Node, request.Address), caller, "joined with a token", ct);
        if (!job.Ok) { return job.Refusal; }
        (token.UsedAt, token.UsedBy, token.Certificate) = (time.GetUtcNow(), request256, signed.Value);
        await db.SaveChangesAsync(CancellationToken.None);
        log.NodeJoined(request.Node, request.Address, job.Value);
        return Reply(token, signed.Value);
    }

    private bool Proves(JoinToken token, JoinRequest request) =>
        Secrets.Same(Hmac(token, $"join\n{request.Node}\n{request.Address}\n{request.SigningRequest}"), request.Proof.ToLowerInvariant());

    private JoinReply Reply(JoinToken token, string certificate)
    {
        var (cluster, ca) = (engine.Cluster.Name, authority.AuthorityPem);
        return new JoinReply(cluster, certificate, ca, Hmac(token, $"joined\n{cluster}\n{certificate}\n{ca}"));
    }

    private string Hmac(JoinToken token, string text) => Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(_protector.Unprotect(token.ProtectedSecret)), Encoding.UTF8.GetBytes(text)));

    private static string? HostOf(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535) { return null; }
        var host = address[..colon].Trim('[', ']');
        return Uri.CheckHostName(host) == UriHostNameType.Unknown ? null : host;
    }

    private static string Printable(string text) => new([.. text.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '?')]);
}
