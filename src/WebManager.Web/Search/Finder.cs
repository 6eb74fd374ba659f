// Finding something by a part of its name, its address or its MAC, among what may be seen.
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Data;

namespace WebManager.Web.Search;

/// <summary>Kind: instance, node, group (of nodes), user-group, template, user. Detail: what else is known, in few words. Href: its page.</summary>
public sealed record Hit(string Kind, string Name, string Detail, string Href);

public static class Finder
{
    public const int Longest = 100;

    /// <summary>Whole names first, then their beginnings, then parts of them and addresses; at most limit. Nothing for an empty text.</summary>
    public static IReadOnlyList<Hit> Find(IClusterEngine engine, Sight sight, People people, string? text, int limit)
    {
        var wanted = (text ?? "").Trim();
        if (wanted.Length is 0 or > Longest) { return []; }
        var hits = new List<(int Rank, Hit Hit)>();
        void Take(IEnumerable<(string Name, Hit Hit)> some) => hits.AddRange(some.Select(s => (Rank(s.Name, wanted), s.Hit)));
        Take(Instances(engine, sight, wanted));
        Take(engine.Feeds.Nodes.Current(n => Fits(n.Name, wanted) || Host(n.Address).StartsWith(wanted, StringComparison.OrdinalIgnoreCase)).Where(sight.Node).Select(n => (n.Name, new Hit("node", n.Name, Host(n.Address), Page("nodes", n.Name)))));
        Take(engine.Feeds.Groups.Current(g => Fits(g.Name, wanted)).Where(sight.Group).Select(g => (g.Name, new Hit("group", g.Name, Count(g.Nodes, "node"), "/groups"))));
        Take(engine.Feeds.UserGroups.Current(g => Fits(g.Name, wanted)).Where(sight.For<UserGroupRow>()).Select(g => (g.Name, new Hit("user-group", g.Name, Count(g.Members.Count, "member"), Page("user-groups", g.Name)))));
        Take(engine.Feeds.Templates.Current(t => Fits(t.Name, wanted)).Where(sight.For<TemplateRow>()).Select(t => (t.Name, new Hit("template", t.Name, t.Template.Description, Page("templates", t.Name)))));
        if (sight.ClusterAdmin)
        {
            // Accounts are superusers'; administrators of the cluster see what somebody may do.
            Take(people.All.Where(p => Fits(p.Name, wanted)).Select(p => (p.Name, new Hit("user", p.Name, p.Active ? "" : "disabled", Page("users", p.Name) + (sight.Caller.Admin ? "" : "/rights")))));
        }
        return [.. hits.OrderBy(h => h.Rank).ThenBy(h => h.Hit.Name, StringComparer.OrdinalIgnoreCase).ThenBy(h => h.Hit.Kind, StringComparer.Ordinal).Take(limit).Select(h => h.Hit)];
    }

    private static IEnumerable<(string, Hit)> Instances(IClusterEngine engine, Sight sight, string wanted)
    {
        var (now, mac) = (engine.Now, Bare(wanted));
        return engine.Feeds.Instances.Current(i => Fits(i.Name, wanted) || Nics(i).Any(n => Host(n.Ip ?? "").StartsWith(wanted, StringComparison.OrdinalIgnoreCase) || (mac.Length >= 4 && Bare(n.Mac ?? "").Contains(mac, StringComparison.Ordinal))))
            .Where(sight.Instance).Select(i => (i.Name, new Hit("instance", i.Name, string.Join(", ", new[] { Host(i.Ip ?? ""), i.Owner.Length > 0 ? $"{i.Owner}'s" : "" }.Where(t => t.Length > 0)), Page("instances", i.Name))));

        // The row tells of the first card; the record has all of them.
        IEnumerable<(string? Ip, string? Mac)> Nics(InstanceRow row) => now.Instances.TryGetValue(row.Id, out var stored) && stored.Nics.Count > 0 ? stored.Nics.Select(n => (n.Ip, (string?)n.Mac)) : [(row.Ip, row.Mac)];
    }

    private static bool Fits(string name, string wanted) => name.Contains(wanted, StringComparison.OrdinalIgnoreCase);

    private static int Rank(string name, string wanted) =>
        name.Equals(wanted, StringComparison.OrdinalIgnoreCase) ? 0 : name.StartsWith(wanted, StringComparison.OrdinalIgnoreCase) ? 1 : Fits(name, wanted) ? 2 : 3;

    /// <summary>Without its network's length or its port.</summary>
    private static string Host(string address) => address.Split('/')[0] is var host && host.LastIndexOf(':') is > 0 and var colon && host.IndexOf(':') == colon ? host[..colon] : host;

    /// <summary>A MAC as digits alone, however it is written; "" for what is none.</summary>
    private static string Bare(string mac) => string.Concat(mac.Where(c => c is not (':' or '-' or '.'))).ToLowerInvariant() is var bare && bare.All(char.IsAsciiHexDigit) ? bare : "";

    private static string Count(int n, string what) => n == 1 ? $"1 {what}" : $"{n} {what}s";

    private static string Page(string of, string name) => $"/{of}/{Uri.EscapeDataString(name)}";
}
