// Settings of the OpenID provider, section OpenId; docs/directories.md says what each is for.
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace WebManager.Web.Identity.Directories;

public sealed class OpenIdOptions : ExternalOptions
{
    public OpenIdOptions() => Name = "OpenID";

    /// <summary>The provider's address, below which /.well-known/openid-configuration is. Empty: no provider.</summary>
    public string Authority { get; set; } = "";
    public string ClientId { get; set; } = "";

    /// <summary>Keep it in the environment.</summary>
    public string ClientSecret { get; set; } = "";

    /// <summary>What is asked for, with blanks between.</summary>
    [Required] public string Scopes { get; set; } = "openid profile email";

    [Required] public string NameClaim { get; set; } = "preferred_username";
    public string MailClaim { get; set; } = "email";
    public string DisplayNameClaim { get; set; } = "name";
    public string GroupsClaim { get; set; } = "groups";

    /// <summary>Whether the portal's own second factor is asked for as well. Otherwise the provider answers for it.</summary>
    public bool SecondFactor { get; set; }

    /// <summary>No sign-in waits longer for an answer of the provider.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(10);

    public bool IsOn => Authority.Length > 0;
}

internal sealed class OpenIdCheck : IValidateOptions<OpenIdOptions>
{
    public ValidateOptionsResult Validate(string? name, OpenIdOptions options) => options.IsOn && Wrong(options) is { } wrong ? ValidateOptionsResult.Fail(wrong) : ValidateOptionsResult.Success;

    private static string? Wrong(OpenIdOptions o) =>
        !Uri.TryCreate(o.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("http" or "https") ? "OpenId:Authority must be like https://login.example.org."
        : authority.Scheme == "http" && !authority.IsLoopback ? "OpenId:Authority needs https://."
        : o.ClientId.Length == 0 ? "OpenId:ClientId is needed with OpenId:Authority."
        : !o.Scopes.Split(' ').Contains("openid") ? "OpenId:Scopes must have openid among them."
        : null;
}

/// <summary>The settings by the name of a source.</summary>
public sealed class ExternalSources(IOptions<LdapOptions> ldap, IOptions<OpenIdOptions> openId)
{
    public ExternalOptions? Of(string source) => source switch { Sources.Directory => ldap.Value, Sources.OpenId => openId.Value, _ => null };

    public string NameOf(string source) => Of(source)?.Name ?? source;
}
