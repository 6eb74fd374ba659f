// When something was found: everything that tells how it came about, beside the build's output.
using System.Globalization;
using WebManager.Testing.E2E;

namespace WebManager.Soak;

internal static class Evidence
{
    public static async Task KeepAsync(PortalProcess portal, int seed)
    {
        var folder = Path.Combine(Built.Artifacts, "soak", string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetLocalNow():yyyyMMdd-HHmmss}-seed{seed}"));
        foreach (var file in Directory.EnumerateFiles(portal.Data, "*", SearchOption.AllDirectories).Where(IsTelling))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(portal.Data, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
        var lines = portal.Nodes.All().Select(p => $"{p.Node} {p.Pid} {p.Name} {p.Arguments}").ToList();
        try
        {
            lines.AddRange((await portal.Api.InstancesAsync()).Select(i => $"{i}"));
            foreach (var job in await portal.Api.JobsAsync()) lines.Add($"{job.ReceivedAt:HH:mm:ss.fff} job {job.Id} {job.Summary}: {job.Status} {job.Error}\n  {string.Join("\n  ", await portal.Api.LogAsync(job.Id))}");
        }
        catch (Exception e) when (e is HttpRequestException or ApiException or TaskCanceledException)
        {
            lines.Add($"The portal does not answer: {e.Message}");
        }
        await File.WriteAllLinesAsync(Path.Combine(folder, "picture.txt"), lines);
        Console.WriteLine($"Logs, journals and disks are in {folder}");
    }

    private static bool IsTelling(string file) => Path.GetExtension(file) is ".log" or ".json" or ".jsonl" or ".qcow2" or ".db" or ".db-wal" || file.EndsWith(".log.1", StringComparison.Ordinal);
}
