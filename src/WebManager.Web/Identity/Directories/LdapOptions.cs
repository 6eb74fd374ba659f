// Settings of the directory, section Ldap; docs/directories.md says what each is for.
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace WebManager.Web.Identity.Directories;

public sealed class LdapOptions : ExternalOptions
{
    public LdapOptions() => Name = "the directory";

    /// <summary>ldap://host or ldaps://host, with :port where it is another. Empty: no directory.</summary>
    public string Url { get; set; } = "";

    /// <summary>StartTLS on ldap://. Needed unless the directory is on this host: passwords cross the network.</summary>
    public bool StartTls { get; set; }

    /// <summary>A file with the certificates (PEM) that sign the directory's; empty: those that the system trusts.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>A name with {name} in it, like uid={name},ou=people,dc=example,dc=org, to sign in as. Empty: the entry is looked for under Base.</summary>
    public string BindDn { get; set; } = "";

    /// <summary>The account that looks for entries, where there is no BindDn. Empty: nobody's (anonymous). Keep the password in the environment.</summary>
    public string SearchDn { get; set; } = "";
    public string SearchPassword { get; set; } = "";

    /// <summary>Where people are looked for.</summary>
    public string Base { get; set; } = "";

    /// <summary>Who counts; {name} is what was typed.</summary>
    [Required] public string Filter { get; set; } = "(uid={name})";

    /// <summary>What gives the account's name.</summary>
    [Required] public string NameAttribute { get; set; } = "uid";

    /// <summary>What tells an entry from all others for ever: entryUUID, objectGUID.</summary>
    [Required] public string IdAttribute { get; set; } = "entryUUID";
    public string MailAttribute { get; set; } = "mail";
    public string DisplayNameAttribute { get; set; } = "cn";

    /// <summary>The person's attribute that names its groups, used where GroupBase is empty.</summary>
    public string MemberAttribute { get; set; } = "memberOf";

    /// <summary>Where groups are looked for; empty: MemberAttribute says them.</summary>
    public string GroupBase { get; set; } = "";

    /// <summary>The groups of a person; {dn} is the name of its entry, {name} the value of NameAttribute.</summary>
    public string GroupFilter { get; set; } = "(member={dn})";
    public string GroupAttribute { get; set; } = "cn";

    /// <summary>No sign-in waits longer for the directory.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(5);

    public bool IsOn => Url.Length > 0;
}

internal sealed class LdapCheck : IValidateOptions<LdapOptions>
{
    public ValidateOptionsResult Validate(string? name, LdapOptions options) => options.IsOn && Wrong(options) is { } wrong ? ValidateOptionsResult.Fail(wrong) : ValidateOptionsResult.Success;

    private static string? Wrong(LdapOptions o)
    {
        if (!Uri.TryCreate(o.Url, UriKind.Absolute, out var url) || url.Scheme is not ("ldap" or "ldaps") || url.Host.Length == 0 || url.PathAndQuery.Trim('/').Length > 0)
            return "Ldap:Url must be like ldap://directory.example.org or ldaps://directory.example.org:636.";
        if (url.Scheme == "ldaps" && o.StartTls) { return "Ldap:StartTls is for ldap://; ldaps:// has TLS from the beginning."; }
        if (url.Scheme == "ldap" && !o.StartTls && !url.IsLoopback) { return "Ldap:Url needs ldaps:// or Ldap:StartTls: passwords must not cross the network unprotected."; }
        if (o.CaFile.Length > 0 && !File.Exists(o.CaFile)) { return $"Ldap:CaFile: there is no file {o.CaFile}."; }
        if (o.BindDn.Length == 0 && o.Base.Length == 0) { return "Ldap:BindDn or Ldap:Base is needed."; }
        if (o.BindDn.Length > 0 && !(o.BindDn.Contains("{name}", StringComparison.Ordinal) && o.BindDn.Contains('=', StringComparison.Ordinal)))
            return "Ldap:BindDn must be a distinguished name with {name} in it, like uid={name},ou=people,dc=example,dc=org.";
        if (o.SearchDn.Length > 0 && o.SearchPassword.Length == 0) { return "Ldap:SearchPassword is needed with Ldap:SearchDn."; }
        if (!IsFilter(o.Filter) || !o.Filter.Contains("{name}", StringComparison.Ordinal)) { return "Ldap:Filter must be a filter with {name} in it, like (uid={name})."; }
        if (o.GroupBase.Length > 0 && !IsFilter(o.GroupFilter)) { return "Ldap:GroupFilter must be a filter, like (member={dn})."; }
        return null;
    }

    private static bool IsFilter(string text) => text.StartsWith('(') && text.EndsWith(')') && text.Count(c => c == '(') == text.Count(c => c == ')');
}
