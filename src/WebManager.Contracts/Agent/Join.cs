namespace WebManager.Contracts.Agent;

/// <summary>
/// A node asks to join: POST {portal}/join. The token is "id.secret"; the secret is never sent: both sides prove it with an
/// HMAC-SHA256 (hex), so joining is safe over plain HTTP and the agent can trust the CA that comes back.
/// </summary>
/// <param name="TokenId">The part before the dot.</param>
/// <param name="Node">The node's name; must be the one the token was made for.</param>
/// <param name="Address">host:port of the agent.</param>
/// <param name="SigningRequest">PKCS#10, PEM.</param>
/// <param name="Proof">HMAC over "join\n{node}\n{address}\n{signingRequest}" with the secret's UTF-8 bytes as key.</param>
public sealed record JoinRequest(string TokenId, string Node, string Address, string SigningRequest, string Proof);

/// <param name="Proof">HMAC over "joined\n{cluster}\n{certificate}\n{authority}".</param>
/// <param name="Certificate">The node's certificate, PEM, CN = node name, OU = "agent".</param>
/// <param name="Authority">The cluster's CA certificate, PEM. The portal's own client certificate has CN = "engine", OU = "engine".</param>
public sealed record JoinReply(string Cluster, string Certificate, string Authority, string Proof);
