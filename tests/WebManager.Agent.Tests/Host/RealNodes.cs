using System.Globalization;
using System.Text.Json;
using Bench = WebManager.Agent.Tests.Guests.Bench;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>Agents with real QEMU guests, and the beats that keep those in sync alive.</summary>
internal static class RealNodes
{
    public static async Task<TestNode> NodeAsync(TestCluster cluster, string name)
    {
        var node = await cluster.NodeAsync(name, "--hypervisor", "tcg");
        node.SetIsolation(30);
        await node.RunAsync();
        using var engine = node.Engine();
        var version = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Bench.Image!, "image.json"))).RootElement.GetProperty("version").GetString()!;
        var files = new Dictionary<string, string>();
        foreach (var file in new[] { "image.json", "vmlinux", "initrd" })
        {
            await using var bytes = File.OpenRead(Path.Combine(Bench.Image!, file));
            using var content = new StreamContent(bytes);
            using var reply = await engine.Http.PutAsync($"/v1/images/tiny-linux/{version}/{file}", content);
            files[file] = JsonDocument.Parse(await reply.Content.ReadAsStringAsync()).RootElement.GetProperty("sha256").GetString()!;
        }

        Assert.True((await engine.CallAsync(new PublishImageOrder(Guid.NewGuid(), 1, "tiny-linux", version, files))).Ok);
        return node;
    }

    /// <summary>Beats like an engine until the condition holds: without beats an in-sync guest would be killed.</summary>
    public static async Task BeatUntilAsync(TestEngine engine, GenerationRecord behind, Func<Task<bool>> condition)
    {
        await Until.TrueAsync(async () =>
        {
            await engine.BeatAsync(behind);
            await Task.Delay(100);
            return await condition();
        }, 60);
    }

    public static async Task<int> BeatsAsync(TestEngine engine, Guid instance) => (await AllBeatsAsync(engine, instance)).LastOrDefault();

    public static async Task<List<int>> AllBeatsAsync(TestEngine engine, Guid instance)
    {
        var tail = (await engine.CallAsync(new SerialTailRequest(instance, 2000))).Value!;
        return [.. tail.Lines.Where(l => l.StartsWith("beat ", StringComparison.Ordinal)).Select(l => int.TryParse(l[5..].Trim(), CultureInfo.InvariantCulture, out var n) ? n : 0)];
    }
}
