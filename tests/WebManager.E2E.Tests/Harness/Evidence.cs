// What there is to see when a test has failed: instances, the last jobs with their logs, the guests' last words, the portal's log.
using System.Text;
using WebManager.Testing.E2E;

namespace WebManager.E2E.Tests.Harness;

internal static class Evidence
{
    public static async Task<string> OfAsync(PortalProcess portal)
    {
        var text = new StringBuilder();
        try
        {
            foreach (var i in await portal.Api.InstancesAsync())
            {
                text.AppendLine($"--- {i}");
                foreach (var node in new[] { i.Primary, i.Secondary }.OfType<string>())
                    text.AppendLine($"  serial on {node}: {string.Join(" | ", portal.Serial(node, i.Id).Lines().TakeLast(8))}");
            }
            foreach (var job in await portal.Api.JobsAsync(6))
                text.AppendLine($"--- job {job.Id} {job.Summary}: {job.Status} {job.Error}\n  {string.Join("\n  ", await portal.Api.LogAsync(job.Id))}");
            foreach (var process in portal.Nodes.All()) text.AppendLine($"--- {process.Node} {process.Pid} {process.Name} {process.Arguments[..Math.Min(process.Arguments.Length, 150)]}");
        }
        catch (Exception e) when (e is HttpRequestException or ApiException or IOException or TaskCanceledException)
        {
            text.AppendLine($"--- the portal does not answer: {e.Message}");
        }
        return text.AppendLine($"--- portal's log:\n{portal.LastLines(60)}").ToString();
    }
}
