// What is really there, compared with what the API says: folders and processes on every node.
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests.Harness;

internal static class World
{
    /// <summary>Picture and nodes agree: each wanted guest runs once and on its primary, and nobody else's folder or process is left.</summary>
    public static async Task MatchesAsync(PortalProcess portal)
    {
        string? wrong = "not looked yet";
        try
        {
            // Daemons of an ended generation may take a moment to go.
            await Until.TrueAsync(async () => (wrong = await DifferenceAsync(portal)) is null, TimeSpan.FromSeconds(15), "picture and nodes agree", TimeSpan.FromMilliseconds(200));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Picture and nodes differ: {wrong}");
        }
    }

    private static async Task<string?> DifferenceAsync(PortalProcess portal)
    {
        var instances = await portal.Api.InstancesAsync();
        var jobs = await portal.Api.JobsAsync();
        if (jobs.FirstOrDefault(j => j.EndedAt is null) is { } open) return $"job {open.Id} {open.Summary} has not ended";
        var processes = portal.Nodes.All();
        foreach (var i in instances)
        {
            var guests = processes.Where(p => p.IsGuest && p.Of(i.Id)).ToList();
            var wanted = i.Wanted == "up" ? 1 : 0;
            if (guests.Count != wanted) return $"{i.Name} is wanted {i.Wanted} and has {guests.Count} processes";
            if (guests.Any(g => g.Node != i.Primary)) return $"{i.Name} runs on {guests[0].Node}, the picture says {i.Primary}";
            if (wanted == 1 && i.Status != "running") return $"{i.Name} is {i.Status}: {i.Text}";
        }
        foreach (var process in processes.Where(p => p.IsGuest || p.IsExport))
            if (!instances.Any(i => process.Of(i.Id))) return $"orphaned process {process}";
        foreach (var node in LabFixture.NodeNames)
        {
            var folder = Path.Combine(portal.NodeFolder(node), "instances");
            foreach (var id in Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Select(f => Path.GetFileName(f)!) : [])
                if (!OnlyRemembers(Path.Combine(folder, id)) && !instances.Any(i => i.Id.ToString() == id && (i.Primary == node || i.Secondary == node))) return $"orphaned folder {id} on {node}";
        }
        return null;
    }

    /// <summary>A former secondary keeps the record, and nothing else.</summary>
    private static bool OnlyRemembers(string folder) => Directory.EnumerateFileSystemEntries(folder).Select(f => Path.GetFileName(f)).ToList() is ["generation.json"];
}
