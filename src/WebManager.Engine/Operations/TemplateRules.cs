// What instance templates may hold, what becomes of them in a request, and whether one still stands for somebody who may create.
using WebManager.Contracts;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Operations;

public static class TemplateRules
{
    private const int MostText = 2000, MostOfOne = 100;

    public static Refusal Unknown(string template, string? field = null) => new("template.unknown", $"There is no instance template {Shown.Name(template)}.") { Field = field };

    public static Refusal? Free(string name, string field, Picture now) => Rules.Name(name, field)
        ?? (now.Templates.Values.Any(t => t.Name == name) ? new Refusal("template.exists", $"There is already an instance template {name}.", "Choose another name.") { Field = field } : null);

    public static Refusal? Text(string text) => text.Length > MostText || text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'))
        ? new Refusal("template.description-invalid", $"The description is longer than {MostText} characters, or has control characters.", "Shorten it.") { Field = "description" } : null;

    /// <summary>Whatever it is made for, its values have to make sense; what the nodes have room for is asked when it is used.</summary>
    public static Refusal? Parameters(TemplateParameters p, EngineParts parts) => Rules.Parameters(new CreateInstance("a", p.Image, p.Vcpus, p.MemoryMiB, p.Template, p.DisksMiB) { OsParams = p.OsParams, Nics = p.Nics }, parts);

    public static Refusal? TooMany(string owner, Picture now) => owner.Length > 0 && now.Templates.Values.Count(t => t.Owner == owner) >= MostOfOne
        ? new Refusal("template.too-many", $"You have {MostOfOne} instance templates.", "Remove one.") : null;

    /// <summary>Who makes one as an administrator makes it for the cluster.</summary>
    public static string OwnerFor(Caller caller, Picture now) =>
        caller.Admin || !caller.Account || now.Access.Cluster(caller.UserId).HasFlag(ClusterRights.Admin) ? "" : Keys.User(caller.UserId);

    /// <summary>
    /// One's own template lets others make instances only while one may do so oneself: what was given through it ends with what its owner has.
    /// </summary>
    public static bool Stands(InstanceTemplate template, Picture now, IPeople people) =>
        template.Owner.Length == 0
        || (Keys.UserOf(template.Owner) is { } user && people.Find(user) is { Active: true } owner && owner.Id == user
            && (owner.Superuser || now.Access.Cluster(user).HasFlag(ClusterRights.Admin) || now.Access.ClusterOf(template.Owner).HasFlag(ClusterRights.CreateVm)));

    /// <summary>The request with what the template says, or the field in which it differs from what the template leaves free.</summary>
    public static Outcome<CreateInstance> Fill(CreateFromTemplate r, InstanceTemplate template)
    {
        var p = template.Parameters;
        var refusal = Fixed(r.Image is { } image && image != p.Image, "image", p.Image)
            ?? Fixed(r.DiskTemplate is { } disks && disks != p.Template, "template", p.Template.ToString().ToLowerInvariant())
            ?? Fixed(r.Nics is { } nics && nics != p.Nics, "nics", $"{p.Nics}")
            ?? Fixed(r.Start is { } start && start != p.Start, "start", p.Start ? "started" : "not started")
            ?? Fixed(r.OsParams is { } os && !Same(os, p.OsParams), "osParams", p.OsParams.Count == 0 ? "none" : string.Join(", ", p.OsParams.Select(o => $"{o.Key}={o.Value}")))
            ?? Sizes(r, p);
        if (refusal is not null) { return refusal with { Message = $"The instance template {template.Name} {refusal.Message}" }; }
        return new CreateInstance(r.Instance, p.Image, r.Vcpus ?? p.Vcpus, r.MemoryMiB ?? p.MemoryMiB, p.Template, r.DisksMiB ?? p.DisksMiB)
        {
            Nics = p.Nics, OsParams = p.OsParams, Start = p.Start, Primary = r.Primary, Secondary = r.Secondary, SshKeys = r.SshKeys, Owner = r.Owner, Force = r.Force, FromTemplate = template.Id,
        };
    }

    private static Refusal? Sizes(CreateFromTemplate r, TemplateParameters p)
    {
        if (r.DisksMiB is { } given && given.Count != p.DisksMiB.Count) { return Fixed(true, "disksMiB", $"{p.DisksMiB.Count} disk(s)"); }
        return p.SizesFree ? null
            : Fixed(r.Vcpus is { } vcpus && vcpus != p.Vcpus, "vcpus", $"{p.Vcpus} virtual CPU(s)")
            ?? Fixed(r.MemoryMiB is { } memory && memory != p.MemoryMiB, "memoryMiB", $"{p.MemoryMiB} MiB of memory")
            ?? Fixed(r.DisksMiB is { } sizes && !sizes.SequenceEqual(p.DisksMiB), "disksMiB", string.Join(", ", p.DisksMiB.Select(d => $"{d} MiB")));
    }

    private static Refusal? Fixed(bool differs, string field, string value) => !differs ? null
        : new Refusal("template.fixed", $"says: {Shown.Name(value)}. That cannot be chosen.", "Leave it out, or use another instance template.") { Field = field };

    private static bool Same(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) => a.Count == b.Count && a.All(x => b.TryGetValue(x.Key, out var value) && value == x.Value);
}
