using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WebManager.Web.Tests.Support;

/// <summary>Debian's slapd on a port of its own, with a folder of its own and certificates of the test's own CA.</summary>
internal sealed class Slapd : IDisposable
{
    public const string Password = "pässwörd of the directory";
    public const string SearchDn = "cn=search,dc=example,dc=org";
    private readonly TempFolder _folder = new();
    private Process? _process;

    /// <summary>entries: LDIF that is added to the base.</summary>
    public static async Task<Slapd> StartAsync(string entries)
    {
        var slapd = new Slapd();
        slapd.Prepare(entries);
        await slapd.StartAsync();
        return slapd;
    }

    public int Port { get; } = FreePort();
    public string Url => $"ldap://127.0.0.1:{Port}";
    public string CaFile => Of("ca.pem");

    /// <summary>For a portal that looks people up by the search account.</summary>
    public (string, string)[] Settings => [("Ldap:Url", Url), ("Ldap:Base", "ou=people,dc=example,dc=org"), ("Ldap:SearchDn", SearchDn), ("Ldap:SearchPassword", Password), ("Ldap:Name", "the test directory")];

    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo("/usr/sbin/slapd", ["-d", "0", "-h", $"{Url}/", "-f", Of("slapd.conf")]) { RedirectStandardError = true })!;
        await Testing.E2E.Until.TrueAsync(() => Task.FromResult(Answers()), TimeSpan.FromSeconds(20), "slapd answers");
    }

    public void Stop()
    {
        if (_process is null) { return; }
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGSTOP: it takes connections and says nothing.</summary>
    public void Freeze() => Run("/bin/kill", "-STOP", $"{_process!.Id}");

    public void Thaw() => Run("/bin/kill", "-CONT", $"{_process!.Id}");

    /// <summary>As the directory's own administrator, with Debian's tools: what says nothing else is added.</summary>
    public void Change(string ldif)
    {
        File.WriteAllText(Of("change.ldif"), ldif);
        Run("/usr/bin/ldapmodify", "-a", "-x", "-H", Url, "-D", "cn=admin,dc=example,dc=org", "-w", Password, "-f", Of("change.ldif"));
    }

    public static string Person(string uid, string name, string more = "") =>
        $"dn: uid={uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: {name}\nmail: {uid}@example.org\nuserPassword:: {Base64(Password)}\n{more}\n";

    public static string Group(string cn, params string[] uids) =>
        $"dn: cn={cn},ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: {cn}\nmember: cn=nobody\n{string.Concat(uids.Select(u => $"member: uid={u},ou=people,dc=example,dc=org\n"))}\n";

    public void Dispose()
    {
        Stop();
        _folder.Dispose();
    }

    private void Prepare(string entries)
    {
        Directory.CreateDirectory(Of("db"));
        MakeCertificates();
        File.WriteAllText(Of("slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            pidfile {Of("pid")}
            TLSCACertificateFile {CaFile}
            TLSCertificateFile {Of("server.pem")}
            TLSCertificateKeyFile {Of("server.key")}
            access to attrs=userPassword by anonymous auth by * none
            access to * by * read
            database mdb
            suffix "dc=example,dc=org"
            rootdn "cn=admin,dc=example,dc=org"
            rootpw "{Password}"
            directory {Of("db")}
            """);
        File.WriteAllText(Of("base.ldif"), $"""
            dn: dc=example,dc=org
            objectClass: dcObject
            objectClass: organization
            o: Example
            dc: example

            dn: ou=people,dc=example,dc=org
            objectClass: organizationalUnit
            ou: people

            dn: ou=groups,dc=example,dc=org
            objectClass: organizationalUnit
            ou: groups

            dn: {SearchDn}
            objectClass: organizationalRole
            objectClass: simpleSecurityObject
            cn: search
            userPassword:: {Base64(Password)}


            """ + entries);
        Run("/usr/sbin/slapadd", "-f", Of("slapd.conf"), "-l", Of("base.ldif"));
    }

    private void MakeCertificates()
    {
        using var caKey = RSA.Create(2048);
        var now = DateTimeOffset.UtcNow;
        var caRequest = new CertificateRequest("CN=Test CA", caKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var ca = caRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(7));
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=directory", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var server = request.Create(ca, now.AddDays(-1), now.AddDays(6), [1, 2, 3, 4]);
        File.WriteAllText(CaFile, ca.ExportCertificatePem());
        File.WriteAllText(Of("server.pem"), server.ExportCertificatePem());
        File.WriteAllText(Of("server.key"), key.ExportRSAPrivateKeyPem());
    }

    private bool Answers()
    {
        if (_process!.HasExited) { throw new InvalidOperationException($"slapd ended with {_process.ExitCode}."); }
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException) { return false; }
    }

    private string Of(string name) => Path.Combine(_folder.Path, name);

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) { throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {said}"); }
    }
}
