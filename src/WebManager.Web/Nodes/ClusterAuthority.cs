// The cluster's own CA: signs the nodes' certificates and the engine's, and knows how to tell them apart.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WebManager.Contracts;
using WebManager.Web.Data;

namespace WebManager.Web.Nodes;

/// <summary>Files in {data}/ca, readable by the portal's user only. Made at first use.</summary>
public sealed class ClusterAuthority : IDisposable
{
    private const string Agent = "agent", Engine = "engine";
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1", ClientAuth = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan s_skew = TimeSpan.FromMinutes(10);
    private readonly TimeProvider _time;
    private readonly X509Certificate2 _authority;

    public ClusterAuthority(DataFolder folder, TimeProvider time)
    {
        _time = time;
        folder.Folder("ca");
        _authority = Load(folder, "ca/ca", now => now.AddYears(10), (key, until) => NewAuthority(key, until));
        EngineCertificate = Load(folder, "ca/engine", now => now.AddYears(5), (key, until) =>
            Sign(new PublicKey(key), Engine, Engine, [], until));
        EngineContext = SslStreamCertificateContext.Create(EngineCertificate, null, offline: true);
    }

    /// <summary>The engine's client certificate: CN = engine, OU = engine.</summary>
    public X509Certificate2 EngineCertificate { get; }
    public SslStreamCertificateContext EngineContext { get; }
    public string AuthorityPem => _authority.ExportCertificatePem();

    /// <summary>The node's certificate for its signing request: CN = node, OU = agent, for the address and the name. Only the request's key is taken over.</summary>
    public Outcome<string> SignNode(string node, string host, string signingRequest)
    {
        CertificateRequest asked;
        try { asked = CertificateRequest.LoadSigningRequestPem(signingRequest, HashAlgorithmName.SHA256); }
        catch (Exception ex) when (ex is CryptographicException or ArgumentException)
        {
            return new Refusal("join.request-invalid", "The signing request cannot be read or is not signed with its own key.") { Field = "signingRequest" };
        }
        using var certificate = Sign(asked.PublicKey, node, Agent, [host, node], _time.GetUtcNow().AddYears(5));
        return certificate.ExportCertificatePem();
    }

    /// <summary>What Ganeti's remote API shows to its clients: CN = rapi, OU = rapi, kept in {data}/ca. It opens no node.</summary>
    public X509Certificate2 RapiCertificate(DataFolder folder, string[] hosts) => Load(folder, "ca/rapi", now => now.AddYears(5), (key, until) => Sign(new PublicKey(key), "rapi", "rapi", hosts, until));

    /// <summary>Why the certificate is not that node's; null when it is.</summary>
    public string? WrongNode(string node, X509Certificate? shown)
    {
        if (shown is not X509Certificate2 certificate) { return "no certificate"; }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuth));
        if (!chain.Build(certificate)) { return string.Join(", ", chain.ChainStatus.Select(s => s.Status)); }
        var (name, unit) = (Part(certificate, "2.5.4.3"), Part(certificate, "2.5.4.11"));
        return name == node && unit == Agent ? null : $"it is for {unit} {name}";
    }

    public void Dispose()
    {
        EngineCertificate.Dispose();
        _authority.Dispose();
    }

    private X509Certificate2 NewAuthority(ECDsa key, DateTimeOffset until)
    {
        var request = new CertificateRequest(Name("WebManager cluster CA", "ca"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(_time.GetUtcNow() - s_skew, until);
    }

    private X509Certificate2 Sign(PublicKey key, string name, string unit, string[] hosts, DateTimeOffset until)
    {
        var request = new CertificateRequest(Name(name, unit), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuth), new Oid(ClientAuth)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Distinct())
        {
            if (IPAddress.TryParse(host, out var ip)) { names.AddIpAddress(ip); } else { names.AddDnsName(host); }
        }
        if (hosts.Length > 0) { request.CertificateExtensions.Add(names.Build()); }
        var end = until < _authority.NotAfter ? until : _authority.NotAfter;
        return request.Create(_authority, _time.GetUtcNow() - s_skew, end, RandomNumberGenerator.GetBytes(16));
    }

    // Reads name.pem and name.key.pem, or makes them; a certificate in the last third of its life is made anew.
    private X509Certificate2 Load(DataFolder folder, string name, Func<DateTimeOffset, DateTimeOffset> until, Func<ECDsa, DateTimeOffset, X509Certificate2> make)
    {
        var (now, isAuthority) = (_time.GetUtcNow(), name == "ca/ca");
        if (folder.ReadText(name + ".pem") is { } pem && folder.ReadText(name + ".key.pem") is { } keyPem)
        {
            var stored = X509Certificate2.CreateFromPem(pem, keyPem);
            if (isAuthority || stored.NotAfter - now > TimeSpan.FromDays(365)) { return stored; }
            stored.Dispose();
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = make(key, until(now));
        folder.WriteSecret(name + ".key.pem", key.ExportPkcs8PrivateKeyPem());
        folder.WriteSecret(name + ".pem", made.ExportCertificatePem());
        return X509Certificate2.CreateFromPem(made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static X500DistinguishedName Name(string name, string unit)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationalUnitName(unit);
        builder.AddCommonName(name);
        return builder.Build();
    }

    private static string? Part(X509Certificate2 certificate, string oid) => certificate.SubjectName.EnumerateRelativeDistinguishedNames()
        .Where(p => !p.HasMultipleElements && p.GetSingleElementType().Value == oid).Select(p => p.GetSingleElementValue()).FirstOrDefault();
}
