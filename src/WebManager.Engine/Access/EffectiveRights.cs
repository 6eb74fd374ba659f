// What somebody may do, and why.
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Access;

/// <summary>Through: "superuser", "owner", or the key's words of who has the grant ("user:ada", "usergroup:ops").</summary>
public sealed record EffectiveRight(string Target, string TargetName, IReadOnlyList<string> Rights, string Through);

public static class EffectiveRights
{
    public static IReadOnlyList<EffectiveRight> Of(Person person, Picture now, IPeople people)
    {
        var all = new List<EffectiveRight>();
        if (person.Superuser) { all.Add(new EffectiveRight(Keys.Cluster, "everything", ["admin"], "superuser")); }
        foreach (var subject in now.Access.SubjectsOf(person.Id))
        {
            var through = Words(subject, now, people);
            all.AddRange(now.Grants.Values.Where(g => g.Subject == subject).Select(g => new EffectiveRight(g.Target, Subjects.Name(g.Target, now, people), g.Rights, through)));
            all.AddRange(now.Templates.Values.Where(t => t.Owner == subject).OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => new EffectiveRight(Keys.Template(t.Id), t.Name, ["admin"], "owner")));
            all.AddRange(now.Instances.Values.Where(i => i.Owner == subject).OrderBy(i => i.Name, StringComparer.Ordinal)
                .Select(i => new EffectiveRight(Keys.Instance(i.Id), i.Name, ["admin"], subject == Keys.User(person.Id) ? "owner" : $"owner {through}")));
        }
        return all;
    }

    private static string Words(string subject, Picture now, IPeople people) => $"{subject[..subject.IndexOf(':')]}:{Subjects.Name(subject, now, people)}";
}
