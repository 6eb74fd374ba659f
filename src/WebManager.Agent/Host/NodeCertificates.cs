using System.Security.Cryptography.X509Certificates;
using WebManager.Agent.State;

namespace WebManager.Agent.Host;

/// <param name="Name">The certificate's CN.</param>
/// <param name="Unit">Its OU: "engine" or "agent".</param>
public sealed record Caller(string Name, string Unit);

/// <summary>This node's key and certificate, and the one CA that counts. Nothing is looked up on the net and no system CA is asked.</summary>
public sealed class NodeCertificates
{
    public NodeCertificates(NodeFolder folder)
    {
        using var pem = X509Certificate2.CreateFromPemFile(folder.Certificate, folder.Key);
        // Through PKCS#12 once: the TLS stack wants the key and the certificate in one object.
        Own = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        Authority = X509CertificateLoader.LoadCertificateFromFile(folder.Authority);
    }

    public X509Certificate2 Own { get; }
    public X509Certificate2 Authority { get; }

    public X509ChainPolicy Policy() => Policy(Authority);

    public static X509ChainPolicy Policy(X509Certificate2 authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(authority);
        return policy;
    }

    public static Caller? Who(X509Certificate? certificate)
    {
        if (certificate is null) return null;
        string? name = null, unit = null;
        foreach (var part in new X500DistinguishedName(certificate.GetRawCertData() is { } raw ? X509CertificateLoader.LoadCertificate(raw).SubjectName : new X500DistinguishedName("")).EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements) continue;
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3": name = part.GetSingleElementValue(); break;
                case "2.5.4.11": unit = part.GetSingleElementValue(); break;
            }
        }

        return name is null || unit is null ? null : new Caller(name, unit);
    }
}
