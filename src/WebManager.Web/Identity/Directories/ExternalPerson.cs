// Somebody for whom a directory or an OpenID provider vouches, and what of the portal's is theirs by that.
using System.ComponentModel.DataAnnotations;
using WebManager.Contracts;

namespace WebManager.Web.Identity.Directories;

/// <summary>Where an account's person proves who it is; the login provider of its row in AspNetUserLogins. Accounts without such a row are the portal's own.</summary>
public static class Sources
{
    public const string Portal = "portal";
    public const string Directory = "directory";
    public const string OpenId = "openid";
}

/// <summary>Key: what never changes and never comes to mean somebody else (entryUUID; issuer and subject). Groups: as the source names them.</summary>
public sealed record ExternalPerson(string Source, string Key, string Name, string? Email, string? DisplayName, IReadOnlyCollection<string> Groups);

/// <summary>The settings that both kinds of sources have.</summary>
public abstract class ExternalOptions
{
    /// <summary>How people know it; on the button, and where it is said that a password lives there.</summary>
    [Required] public string Name { get; set; } = "";

    /// <summary>Whether somebody who comes for the first time gets an account.</summary>
    public bool MakeAccounts { get; set; } = true;

    /// <summary>Only members of one of these groups of the source come in; with semicolons between. Empty: everybody.</summary>
    public string OnlyGroups { get; set; } = "";

    /// <summary>By the name of a group of the portal: the groups of the source whose members are in it; with semicolons between.</summary>
    public Dictionary<string, string> GroupMap { get; set; } = [];

    /// <summary>Members of these groups of the source are superusers, others of the source are not. Empty: it is given by hand.</summary>
    public string SuperuserGroup { get; set; } = "";

    /// <summary>Whether the portal's own passkeys sign in, too. They do not ask the source: who left it would still come in.</summary>
    public bool Passkeys { get; set; }

    public Refusal? Refuses(ExternalPerson person) => OnlyGroups.Trim().Length == 0 || IsIn(OnlyGroups, person) ? null
        : new Refusal($"{person.Source}.not-allowed", $"{person.Name} is in none of the groups that may come in.", "Ask an administrator.");

    /// <summary>Whether the person is in one of them. Names are compared without case, names like cn=ops,ou=groups also without the blanks after commas.</summary>
    public static bool IsIn(string groups, ExternalPerson person) =>
        groups.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Plain).Intersect(person.Groups.Select(Plain), StringComparer.OrdinalIgnoreCase).Any();

    private static string Plain(string group) => string.Join(',', group.Split(',', StringSplitOptions.TrimEntries));
}
