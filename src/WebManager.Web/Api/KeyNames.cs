using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Web.Api;

/// <summary>What people write for owners and targets, as keys: "user:ada", "usergroup:ops", "instance:web1", "template:small", "cluster", "nobody", or a name alone.</summary>
internal static class KeyNames
{
    public const string Nobody = "nobody";

    /// <summary>What names nothing comes back as it is, for the door to refuse.</summary>
    public static string KeyOf(string text, Picture now, IPeople people)
    {
        if (text == Nobody) { return ""; }
        if (text is Keys.Cluster or OwnerLimits.DefaultOwner) { return text; }
        var (kind, name) = text.IndexOf(':') is var at && at < 0 ? ("", text) : (text[..at], text[(at + 1)..]);
        return kind switch
        {
            "user" => User(name, people),
            "usergroup" => Group(name, now),
            "instance" => now.Find(name) is { } i ? Keys.Instance(i.Id) : null,
            "template" => now.FindTemplate(name) is { } t ? Keys.Template(t.Id) : null,
            "" => User(name, people) ?? Group(name, now),
            _ => null,
        } ?? text;
    }

    private static string? User(string name, IPeople people) => people.Find(name) is { } person ? Keys.User(person.Id) : null;
    private static string? Group(string name, Picture now) => now.FindUserGroup(name) is { } group ? Keys.Group(group.Id) : null;
}
