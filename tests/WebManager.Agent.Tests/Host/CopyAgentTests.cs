using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>What a secondary says of its copy, and to whom.</summary>
[Trait("Speed", "Slow")]
public sealed class CopyAgentTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();
    private readonly GuestSpec _guest = new(Guid.NewGuid(), "web", "tiny", 1, 96, DiskTemplate.Mirror, [new DiskSpec(0, Guid.NewGuid(), 16)], []);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private GenerationRecord Record(long n, SyncState sync) => new(_guest.Instance, n, $"t{n}", "n1", "n2", sync);

    private async Task<Outcome<OpenReplicaReply>> OpenAsync(TestEngine engine, long n, SyncState sync) =>
        await engine.CallAsync(new OpenReplicaOrder(Guid.NewGuid(), 1, Record(n, sync), _guest));

    [Fact]
    public async Task Copy_passes_for_nearly_equal_only_with_its_own_images_and_without_a_reboot()
    {
        var node = await _cluster.NodeAsync("n2");
        await node.RunAsync();
        var engine = node.Engine();
        Assert.Equal("1-t1", (await OpenAsync(engine, 1, SyncState.InSync)).Value?.Replica.Holds);
        Assert.Equal("1-t1", (await OpenAsync(engine, 2, SyncState.Alone)).Value?.Replica.Holds);

        // An agent that restarts still knows it, a machine that restarts does not.
        async Task AgainAsync()
        {
            await node.KillAgentAsync();
            engine.Dispose();
            await node.RunAsync();
            engine = node.Engine();
        }
        await AgainAsync();
        Assert.Equal("1-t1", (await OpenAsync(engine, 3, SyncState.Alone)).Value?.Replica.Holds);
        await File.WriteAllTextAsync(Path.Combine(node.Folder, "boot"), Guid.NewGuid().ToString());
        await AgainAsync();
        Assert.Null((await OpenAsync(engine, 4, SyncState.Alone)).Value!.Replica.Holds);

        // An image made anew is empty: never in sync, and nothing is known of it.
        Assert.Equal("5-t5", (await OpenAsync(engine, 5, SyncState.InSync)).Value?.Replica.Holds);
        var image = Path.Combine(node.Folder, "instances", _guest.Instance.ToString(), "disk0.qcow2");
        File.Delete(image);
        Assert.Equal("replica.no-disks", (await OpenAsync(engine, 6, SyncState.InSync)).Refusal?.Code);
        Assert.False(File.Exists(image));
        Assert.Null((await OpenAsync(engine, 6, SyncState.Alone)).Value!.Replica.Holds);
        Assert.True(File.Exists(image));
        engine.Dispose();
    }

    [Fact]
    public async Task Cleaned_secondary_keeps_only_the_record_and_refuses_what_is_older_also_after_a_restart()
    {
        var node = await _cluster.NodeAsync("n2");
        await node.RunAsync();
        using var engine = node.Engine();
        Task<Outcome<Done>> CleanAsync(GenerationRecord record) => engine.CallAsync(new RemoveInstanceOrder(Guid.NewGuid(), 1, _guest.Instance) { Record = record });
        await OpenAsync(engine, 2, SyncState.Alone);
        Assert.Equal("generation.names-node", (await CleanAsync(Record(3, SyncState.InSync))).Refusal?.Code);
        Assert.Equal("generation.stale", (await CleanAsync(Record(1, SyncState.InSync) with { Secondary = "n3" })).Refusal?.Code);
        Assert.Equal(2, (await engine.ReportAsync(_guest.Instance))!.ExportGeneration);
        var elsewhere = Record(3, SyncState.InSync) with { Secondary = "n3" };
        Assert.True((await CleanAsync(elsewhere)).Ok);
        Assert.Equal(["generation.json"], Directory.EnumerateFileSystemEntries(Path.Combine(node.Folder, "instances", _guest.Instance.ToString())).Select(f => Path.GetFileName(f)!));

        await node.KillAgentAsync();
        await node.RunAsync();
        var report = (await engine.ReportAsync(_guest.Instance))!;
        Assert.Equal((elsewhere, GuestPhase.Absent, (long?)null, 0), (report.Stored, report.Guest, report.ExportGeneration, report.Disks));
        Assert.Equal("generation.stale", (await OpenAsync(engine, 2, SyncState.Alone)).Refusal?.Code);
    }

    [Fact]
    public async Task Hashes_of_a_copy_are_told_to_its_primary_only()
    {
        var node = await _cluster.NodeAsync("n2");
        await node.RunAsync();
        using var engine = node.Engine();
        await OpenAsync(engine, 1, SyncState.Alone);
        var asked = new PeerHashesRequest(Record(1, SyncState.Alone), 0, 0, 65536);
        using var primary = node.Engine("n1", "agent");
        using var other = node.Engine("n3", "agent");
        // Pretended copies have none to tell; the question itself was allowed.
        Assert.Contains("pretended", (await primary.CallAsync(asked)).Refusal?.Message, StringComparison.Ordinal);
        Assert.Equal("peer.wrong-node", (await other.CallAsync(asked)).Refusal?.Code);
        Assert.Equal("replica.not-open", (await primary.CallAsync(asked with { Record = Record(2, SyncState.Alone) })).Refusal?.Code);
        Assert.Equal("caller.not-allowed", (await primary.CallAsync(new SerialTailRequest(_guest.Instance, 1))).Refusal?.Code);
    }
}
