// One talk with the directory, on a thread of its own: libldap blocks. Throws LdapException where it fails.
using System.DirectoryServices.Protocols;
using System.Net;
using System.Text;

namespace WebManager.Web.Identity.Directories;

/// <summary>An entry, with its attributes as text; bytes that are no text as hex.</summary>
internal sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes)
{
    public string? First(string attribute) => attribute.Length > 0 && Attributes.TryGetValue(attribute, out var values) && values.Count > 0 ? values[0] : null;

    public IReadOnlyList<string> All(string attribute) => attribute.Length > 0 && Attributes.TryGetValue(attribute, out var values) ? values : [];
}

internal sealed class LdapSession : IDisposable
{
    private const int InvalidCredentials = 49;
    private readonly LdapConnection _connection;

    /// <summary>Connects and has TLS where the settings say so; nobody is signed in yet.</summary>
    public LdapSession(LdapOptions options)
    {
        var url = new Uri(options.Url);
        var tls = url.Scheme == "ldaps";
        var (host, port) = (url.IdnHost.Trim('[', ']'), url.Port > 0 ? url.Port : tls ? 636 : 389);
        var server = new LdapDirectoryIdentifier(url.HostNameType == UriHostNameType.IPv6 ? $"[{host}]" : host, port);
        _connection = NativeLdap.Create(server, $"{url.Scheme}://{server.Servers[0]}:{port}", options.Limit, options.CaFile);
        (_connection.AuthType, _connection.AutoBind, _connection.Timeout) = (AuthType.Basic, false, options.Limit);
        try
        {
            var session = _connection.SessionOptions;
            session.ProtocolVersion = 3;
            // Another server named in an answer would get to see the password.
            session.ReferralChasing = ReferralChasingOptions.None;
            if (tls) { session.SecureSocketLayer = true; }
            if (options.StartTls) { session.StartTransportLayerSecurity(null); }
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>False: name or password is wrong. An empty password would sign nobody in, and succeed.</summary>
    public bool Bind(string dn, string password)
    {
        if (password.Length == 0) { return false; }
        try
        {
            _connection.Bind(new NetworkCredential(dn, password));
            return true;
        }
        catch (LdapException wrong) when (wrong.ErrorCode == InvalidCredentials) { return false; }
    }

    public void BindAsNobody()
    {
        _connection.AuthType = AuthType.Anonymous;
        _connection.Bind();
    }

    /// <summary>At most limit entries that are really there (references to other servers are none).</summary>
    public IReadOnlyList<LdapEntry> Search(string baseDn, SearchScope scope, string filter, int limit, params string[] attributes)
    {
        var request = new SearchRequest(baseDn, filter, scope, [.. attributes.Where(a => a.Length > 0)]) { SizeLimit = limit };
        try { return Entries((SearchResponse)_connection.SendRequest(request)); }
        // More than wanted is an answer, too; that there is no such place is none.
        catch (DirectoryOperationException ex) when (ex.Response is SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } some) { return Entries(some); }
        catch (DirectoryOperationException ex) when (ex.Response is { ResultCode: ResultCode.NoSuchObject }) { return []; }
    }

    public void Dispose() => _connection.Dispose();

    private static List<LdapEntry> Entries(SearchResponse response) =>
        [.. response.Entries.Cast<SearchResultEntry>().Select(e => new LdapEntry(e.DistinguishedName, e.Attributes.Values.Cast<DirectoryAttribute>()
            .ToDictionary(a => a.Name, a => (IReadOnlyList<string>)[.. a.GetValues(typeof(byte[])).Cast<byte[]>().Select(Text)], StringComparer.OrdinalIgnoreCase)))];

    private static string Text(byte[] value)
    {
        try { return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(value) is var text && !text.Any(char.IsControl) ? text : Convert.ToHexStringLower(value); }
        catch (DecoderFallbackException) { return Convert.ToHexStringLower(value); }
    }
}
