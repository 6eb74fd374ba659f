// Every resource of Ganeti's remote API, version 2, with its methods; docs/rapi.md tells what each does here.
using System.Text.RegularExpressions;

namespace WebManager.Web.Rapi;

using Handler = Func<RapiCall, Task<ReadOnlyMemory<byte>>>;

internal static partial class Resources
{
    private static readonly List<(string[] Path, Dictionary<string, Handler> Methods)> s_all = [];
    private static readonly Dictionary<int, List<(string[] Path, Dictionary<string, Handler> Methods)>> s_bySize;

    static Resources()
    {
        Cluster();
        Instances();
        Nodes();
        Groups();
        Missing();
        s_bySize = s_all.GroupBy(r => r.Path.Length).ToDictionary(g => g.Key, g => g.ToList());
    }

    /// <summary>Every resource and its methods, for tests that want a row of each.</summary>
    public static IEnumerable<(string Path, string Method)> All => s_all.SelectMany(r => r.Methods.Keys.Select(m => ("/" + string.Join('/', r.Path), m)));

    public static (IReadOnlyDictionary<string, Handler> Methods, string[] Names) Find(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        foreach (var (pattern, methods) in s_bySize.GetValueOrDefault(parts.Length) ?? [])
        {
            if (Match(pattern, parts) is { } names) { return (methods, names); }
        }
        throw RapiError.NotFound;
    }

    private static string[]? Match(string[] pattern, string[] parts)
    {
        var names = new List<string>(2);
        for (var n = 0; n < pattern.Length; n++)
        {
            if (pattern[n] is "{name}" ? Name().IsMatch(parts[n]) : pattern[n] is "{number}" && parts[n].All(char.IsAsciiDigit)) { names.Add(parts[n]); }
            else if (pattern[n] != parts[n]) { return null; }
        }
        return [.. names];
    }

    private static void Cluster()
    {
        Add("/", ("GET", _ => Task.FromResult(Json.Null)));
        Add("/2", ("GET", _ => Task.FromResult(Json.Null)));
        Add("/version", ("GET", _ => Reading.Fixed("2")));
        Add("/2/features", ("GET", _ => Reading.Fixed("""["node-evac-res1","instance-reinstall-reqv1","node-migrate-reqv1","instance-create-reqv1"]""")));
        Add("/2/info", ("GET", ClusterInfo.Read));
        Add("/2/os", ("GET", Reading.OperatingSystems));
        Add("/2/tags", ("GET", Reading.ClusterTags), ("PUT", TagChanges.AddToCluster), ("DELETE", TagChanges.RemoveFromCluster));
        Add("/2/modify", ("PUT", ClusterChanges.Modify));
        Add("/2/redistribute-config", ("PUT", ClusterChanges.Redistribute));
        Add("/2/query/{name}", ("GET", Query.Read), ("PUT", Query.Read));
        Add("/2/query/{name}/fields", ("GET", Query.Fields));
        Add("/2/jobs", ("GET", JobResources.List));
        Add("/2/jobs/{number}", ("GET", JobResources.Show), ("DELETE", JobResources.Cancel));
        Add("/2/jobs/{number}/wait", ("GET", JobResources.Wait));
    }

    private static void Instances()
    {
        Add("/2/instances", ("GET", Reading.Instances), ("POST", InstanceCreation.Create));
        Add("/2/instances-multi-alloc", ("POST", InstanceCreation.CreateMany));
        Add("/2/instances/{name}", ("GET", Reading.Instance), ("DELETE", InstanceChanges.Remove));
        Add("/2/instances/{name}/info", ("GET", InstanceChanges.Info));
        Add("/2/instances/{name}/console", ("GET", Reading.Console));
        Add("/2/instances/{name}/tags", ("GET", Reading.InstanceTags), ("PUT", TagChanges.AddToInstance), ("DELETE", TagChanges.RemoveFromInstance));
        Add("/2/instances/{name}/startup", ("PUT", InstanceChanges.Startup));
        Add("/2/instances/{name}/shutdown", ("PUT", InstanceChanges.Shutdown));
        Add("/2/instances/{name}/reboot", ("POST", InstanceChanges.Reboot));
        Add("/2/instances/{name}/failover", ("PUT", InstanceChanges.Failover));
        Add("/2/instances/{name}/migrate", ("PUT", InstanceChanges.Migrate));
        Add("/2/instances/{name}/replace-disks", ("POST", InstanceChanges.ReplaceDisks));
        Add("/2/instances/{name}/modify", ("PUT", InstanceChanges.Modify));
    }

    private static void Nodes()
    {
        Add("/2/nodes", ("GET", Reading.Nodes));
        Add("/2/nodes/{name}", ("GET", Reading.Node));
        Add("/2/nodes/{name}/role", ("GET", Reading.Role), ("PUT", NodeChanges.SetRole));
        Add("/2/nodes/{name}/modify", ("POST", NodeChanges.Modify));
        Add("/2/nodes/{name}/evacuate", ("POST", NodeChanges.Evacuate));
        Add("/2/nodes/{name}/migrate", ("POST", NodeChanges.Migrate));
        Add("/2/nodes/{name}/powercycle", ("POST", NodeChanges.Powercycle));
        Add("/2/nodes/{name}/storage", ("GET", NodeChanges.Storage));
        Add("/2/nodes/{name}/storage/modify", ("PUT", NodeChanges.NoLvm));
        Add("/2/nodes/{name}/storage/repair", ("PUT", NodeChanges.NoLvm));
        Add("/2/nodes/{name}/tags", ("GET", Reading.NodeTags), ("PUT", TagChanges.AddToNode), ("DELETE", TagChanges.RemoveFromNode));
    }

    private static void Groups()
    {
        Add("/2/groups", ("GET", Reading.Groups), ("POST", GroupChanges.Add));
        Add("/2/groups/{name}", ("GET", Reading.Group), ("DELETE", GroupChanges.Remove));
        Add("/2/groups/{name}/rename", ("PUT", GroupChanges.Rename));
        Add("/2/groups/{name}/modify", ("PUT", GroupChanges.Modify));
        Add("/2/groups/{name}/assign-nodes", ("PUT", GroupChanges.Assign));
        Add("/2/groups/{name}/tags", ("GET", Reading.GroupTags), ("PUT", TagChanges.None), ("DELETE", TagChanges.None));
    }

    /// <summary>What has no engine part yet (docs/rapi.md, "Not here yet").</summary>
    private static void Missing()
    {
        Later("Instances cannot be renamed here yet", "/2/instances/{name}/rename", "PUT");
        Later("Instances cannot be reinstalled here yet", "/2/instances/{name}/reinstall", "POST");
        Later("Disks cannot be grown here yet", "/2/instances/{name}/disk/{number}/grow", "POST");
        Later("Disks cannot be made anew here yet", "/2/instances/{name}/recreate-disks", "POST");
        Later("Disks are active while their instance runs here, and only then", "/2/instances/{name}/activate-disks", "PUT");
        Later("Disks are active while their instance runs here, and only then", "/2/instances/{name}/deactivate-disks", "PUT");
        Later("Exports are not here yet", "/2/instances/{name}/export", "PUT");
        Later("Exports are not here yet", "/2/instances/{name}/prepare-export", "PUT");
        Later("Networks are not here yet", "/2/networks/{name}", "DELETE");
        foreach (var verb in (string[])["connect", "disconnect", "modify", "rename"]) { Later("Networks are not here yet", $"/2/networks/{{name}}/{verb}", "PUT"); }
        Later("Networks are not here yet", "/2/networks/{name}/tags", "GET", "PUT", "DELETE");
        Add("/2/networks", ("GET", _ => Reading.Fixed("[]")), ("POST", _ => throw RapiError.Missing("Networks are not here yet")));
        s_all.First(r => r.Path is ["2", "networks", "{name}"]).Methods["GET"] = _ => throw RapiError.NotFound;
        Add("/2/filters", ("GET", _ => Reading.Fixed("[]")), ("POST", _ => throw RapiError.Missing("Job filters are not here yet")));
        Later("Job filters are not here yet", "/2/filters/{name}", "PUT", "DELETE");
        s_all.First(r => r.Path is ["2", "filters", "{name}"]).Methods["GET"] = _ => throw RapiError.NotFound;
    }

    private static void Later(string why, string path, params string[] methods) => Add(path, [.. methods.Select(m => (m, (Handler)(_ => throw RapiError.Missing(why))))]);

    private static void Add(string path, params (string Method, Handler Handler)[] methods) =>
        s_all.Add((path.Split('/', StringSplitOptions.RemoveEmptyEntries), methods.ToDictionary(m => m.Method, m => m.Handler)));

    [GeneratedRegex(@"\A[\w._-]+\z")]
    private static partial Regex Name();
}
