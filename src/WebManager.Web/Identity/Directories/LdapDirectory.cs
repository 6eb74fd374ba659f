// Asks the directory who somebody is. It may be away or silent: nobody waits longer than the limit, and only so many wait at once.
using System.DirectoryServices.Protocols;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Web.Hosting;

namespace WebManager.Web.Identity.Directories;

/// <summary>What the directory said. Wrong: of the password; Person is then whose it is not, where that is known. Failed: Why says what is in the way.</summary>
public enum DirectoryResult { Known, Wrong, Unknown, Failed }

public sealed record DirectoryAnswer(DirectoryResult Result, ExternalPerson? Person = null, Refusal? Why = null);

public sealed class LdapDirectory(IOptions<LdapOptions> options, TimeProvider time, ILogger<LdapDirectory> log)
{
    // Threads that a silent directory may keep.
    private const int AtOnce = 16;

    // Busy, unavailable, server down, local error, timeout, connect error.
    private static readonly int[] s_away = [51, 52, 81, 82, 85, 91];
    private readonly SemaphoreSlim _places = new(AtOnce, AtOnce);
    private readonly LdapOptions _settings = options.Value;

    public bool IsOn => _settings.IsOn;

    public ExternalOptions Rules => _settings;

    public async Task<DirectoryAnswer> AskAsync(string name, string password)
    {
        // Before anything is sent: an empty password signs in nobody and succeeds, and libldap's strings end at a zero.
        if (name.Length is 0 or > 256 || password.Length == 0 || name.Contains('\0', StringComparison.Ordinal) || password.Contains('\0', StringComparison.Ordinal)) { return new DirectoryAnswer(DirectoryResult.Wrong); }
        var began = time.GetTimestamp();
        if (!await _places.WaitAsync(_settings.Limit)) { return Failed("directory.unreachable", "Too many wait for it already."); }
        // The place is given back when the thread ends, not when nobody waits for it any more.
        var asked = Task.Factory.StartNew(() => Guarded(name, password), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var left = _settings.Limit - time.GetElapsedTime(began);
        try { return await asked.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time); }
        catch (TimeoutException) { return Failed("directory.unreachable", $"It did not answer within {_settings.Limit.TotalSeconds:0.#} s."); }
    }

    private DirectoryAnswer Guarded(string name, string password)
    {
        try
        {
            return _settings.BindDn.Length > 0 ? ByName(name, password) : BySearch(name, password);
        }
        catch (LdapException ex) { return Failed(s_away.Contains(ex.ErrorCode) ? "directory.unreachable" : "directory.refused", $"{ex.Message} {ex.ServerErrorMessage}".Trim()); }
        catch (DirectoryException ex) { return Failed("directory.refused", ex.Message); }
        catch (Exception ex) when (ex is TlsOperationException or PlatformNotSupportedException or DllNotFoundException or ObjectDisposedException or InvalidOperationException or ArgumentException) { return Failed("directory.failed", ex.Message); }
        finally { _places.Release(); }
    }

    private DirectoryAnswer ByName(string name, string password)
    {
        // What the directory would take for the same name and the portal for another would not be counted as a try at it.
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '@' or '+')) { return new DirectoryAnswer(DirectoryResult.Unknown); }
        using var session = new LdapSession(_settings);
        var dn = _settings.BindDn.Replace("{name}", LdapText.Dn(name), StringComparison.Ordinal);
        if (!session.Bind(dn, password)) { return new DirectoryAnswer(DirectoryResult.Wrong); }
        var entry = session.Search(dn, SearchScope.Base, FilterOf(name), 1, Attributes);
        return entry.Count == 0 ? new DirectoryAnswer(DirectoryResult.Unknown) : Person(session, entry[0]);
    }

    private DirectoryAnswer BySearch(string name, string password)
    {
        using var search = new LdapSession(_settings);
        if (_settings.SearchDn.Length == 0) { search.BindAsNobody(); }
        else if (!search.Bind(_settings.SearchDn, _settings.SearchPassword)) { return Failed("directory.search-account", "It refuses Ldap:SearchDn with Ldap:SearchPassword."); }
        var entries = search.Search(_settings.Base, SearchScope.Subtree, FilterOf(name), 2, Attributes);
        if (entries.Count == 0) { return new DirectoryAnswer(DirectoryResult.Unknown); }
        if (entries.Count > 1) { return Failed("directory.ambiguous", "Ldap:Filter finds more than one entry for this name."); }
        using var own = new LdapSession(_settings);
        return own.Bind(entries[0].Dn, password) ? Person(search, entries[0]) : Person(null, entries[0]) with { Result = DirectoryResult.Wrong, Why = null };
    }

    private string FilterOf(string name) => _settings.Filter.Replace("{name}", LdapText.Filter(name), StringComparison.Ordinal);

    private string[] Attributes => [_settings.NameAttribute, _settings.IdAttribute, _settings.MailAttribute, _settings.DisplayNameAttribute, _settings.MemberAttribute];

    /// <summary>session null: without the groups.</summary>
    private DirectoryAnswer Person(LdapSession? session, LdapEntry entry)
    {
        if (entry.First(_settings.IdAttribute) is not { Length: > 0 } id) { return Failed("directory.no-id", $"The entry has no {_settings.IdAttribute} (Ldap:IdAttribute)."); }
        if (entry.First(_settings.NameAttribute) is not { Length: > 0 } name) { return Failed("directory.no-name", $"The entry has no {_settings.NameAttribute} (Ldap:NameAttribute)."); }
        return new DirectoryAnswer(DirectoryResult.Known,
            new ExternalPerson(Sources.Directory, id, name, entry.First(_settings.MailAttribute), entry.First(_settings.DisplayNameAttribute), session is null ? [] : Groups(session, entry, name)));
    }

    /// <summary>Each by its distinguished name and, where it was looked for, by its short one.</summary>
    private List<string> Groups(LdapSession session, LdapEntry entry, string name)
    {
        if (_settings.GroupBase.Length == 0) { return [.. entry.All(_settings.MemberAttribute)]; }
        var filter = _settings.GroupFilter.Replace("{dn}", LdapText.Filter(entry.Dn), StringComparison.Ordinal).Replace("{name}", LdapText.Filter(name), StringComparison.Ordinal);
        return [.. session.Search(_settings.GroupBase, SearchScope.Subtree, filter, 0, _settings.GroupAttribute).SelectMany(g => g.All(_settings.GroupAttribute).Prepend(g.Dn))];
    }

    private DirectoryAnswer Failed(string code, string why)
    {
        log.DirectoryFailed(code, why);
        return new DirectoryAnswer(DirectoryResult.Failed, Why: new Refusal(code, why));
    }
}
