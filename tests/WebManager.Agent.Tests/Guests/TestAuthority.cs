using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WebManager.Agent.Host;
using WebManager.Agent.State;
using WebManager.Agent.Storage;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A cluster's CA that gives nodes certificates of the very form the portal's does.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _authority;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cluster CA, OU=ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(DateTimeOffset.Now.AddMinutes(-10), DateTimeOffset.Now.AddDays(1));
    }

    /// <summary>A node's folder with key and certificate, and what follows from them.</summary>
    public NodeTls Node(string folder, string name)
    {
        Directory.CreateDirectory(folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}, OU=agent", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.Create(_authority, DateTimeOffset.Now.AddMinutes(-10), DateTimeOffset.Now.AddHours(12), RandomNumberGenerator.GetBytes(16));
        var node = new NodeFolder(folder);
        File.WriteAllText(node.Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(node.Certificate, made.ExportCertificatePem());
        File.WriteAllText(node.Authority, _authority.ExportCertificatePem());
        return new NodeTls(node, new NodeCertificates(node));
    }

    public void Dispose() => _authority.Dispose();
}
