// Encrypted copies between nodes (QEMU's tls-creds-x509): both ends show the certificate that the cluster's CA gave them.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using WebManager.Agent.Host;
using WebManager.Agent.State;

namespace WebManager.Agent.Storage;

/// <summary>The node's certificate in .NET's form, and as the folder of files that QEMU reads.</summary>
public sealed class NodeTls
{
    /// <summary>The name of the credentials inside a QEMU process.</summary>
    public const string CredentialsId = "tls0";

    /// <summary>The name of those by which a waiting guest's process shows itself to the source.</summary>
    public const string IncomingId = "tlsin";
    private readonly NodeCertificates _certificates;
    private readonly SslStreamCertificateContext _own;

    /// <summary>Writes the files where they are missing or differ from the node's own.</summary>
    public NodeTls(NodeFolder node, NodeCertificates certificates)
    {
        (Folder, _certificates) = (node.Tls, certificates);
        _own = SslStreamCertificateContext.Create(certificates.Own, null, offline: true);
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Keep("ca-cert.pem", node.Authority);
        foreach (var side in new[] { "server", "client" })
        {
            Keep($"{side}-cert.pem", node.Certificate);
            Keep($"{side}-key.pem", node.Key);
        }
    }

    public string Folder { get; }

    private void Keep(string name, string from)
    {
        var (file, bytes) = (Path.Combine(Folder, name), File.ReadAllBytes(from));
        if (!File.Exists(file) || !File.ReadAllBytes(file).AsSpan().SequenceEqual(bytes)) DurableFile.Write(file, bytes);
    }

    /// <summary>
    /// The object for -object and object-add. The peer is verified in any case; "sanity-check" would refuse our own certificates before
    /// that, because keys that only sign (ECDSA) do not carry the usage that RSA key exchange needed.
    /// </summary>
    public JsonObject Credentials(bool server, string id = CredentialsId) => new()
    {
        ["qom-type"] = "tls-creds-x509", ["id"] = id, ["endpoint"] = server ? "server" : "client", ["dir"] = Folder,
        ["verify-peer"] = true, ["sanity-check"] = false,
    };

    /// <summary>For our own connections: the server must show a certificate of this cluster in the name of that node.</summary>
    public SslClientAuthenticationOptions Client(string peer) => new()
    {
        TargetHost = peer,
        ClientCertificateContext = _own,
        CertificateChainPolicy = _certificates.Policy(),
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
            && NodeCertificates.Who(certificate) is { Unit: "agent" } who && who.Name == peer,
    };
}
