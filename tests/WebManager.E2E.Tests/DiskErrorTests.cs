// S10: the disk of the primary's node is full, really: images, journal, logs and keeper are on one small filesystem.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class DiskErrorTests(LabFixture lab) : LabTest(lab)
{
    private const string Node = "n1";

    [Fact]
    public async Task Guest_whose_disk_is_full_runs_on_its_other_node_and_comes_back_in_sync_when_there_is_room()
    {
        await Api.LabAsync(Node, "kill");
        using var disk = Mounted();
        try
        {
            await Lab.BackAsync(Node);
            var (at, ledger) = await BeatingAsync("crowded", Node, "n2");
            var (_, bystander) = await BeatingAsync("beside", "n3", Node);
            disk.Fill();

            var there = await RunsAtAsync("crowded", "n2", "degraded");
            Assert.Equal($"{Node} says its guest is gone.", there.LastRecovery!.FencedBy);
            var events = await Api.EventsAsync();
            Assert.Contains(events, e => e.Kind == "instance.disk-error" && e.Subject == "instance:crowded" && e.Text.Contains($"No space is left on {Node} (Disk 0", StringComparison.Ordinal));
            // Its agent and keeper live on, and say what is wrong with the node.
            var node = await Until.SomeAsync(async () => await Api.NodeAsync(Node) is { DiskFault: not null } n ? n : null, LabFixture.Soon, "the node tells its fault");
            Assert.Equal("online", node.Health);
            // The one that has only a copy there goes on without it.
            var beside = await RunsAtAsync("beside", "n3", "degraded");
            await Lab.BeatsAsync(beside);
            var refused = await Assert.ThrowsAsync<ApiException>(() => Api.CreateAsync(LabFixture.Diskless("unplaced") with { Primary = Node }));
            Assert.Contains($"{Node}: its disk fails", refused.Message, StringComparison.Ordinal);

            disk.Free();
            await CleanAsync(ledger, await Lab.InSyncAsync("crowded"));
            await CleanAsync(bystander, await Lab.InSyncAsync("beside"));
            await Until.TrueAsync(async () => (await Api.NodeAsync(Node)).DiskFault is null, LabFixture.Patience, "the node's disk works again");
        }
        finally
        {
            // The node forgets this disk and all that was on it.
            foreach (var left in await Api.InstancesAsync()) await Lab.RemoveAsync(left.Name);
            await Api.LabAsync(Node, "kill");
        }
    }

    /// <summary>The node's folder on a disk of its own; what the node had is there, and on the old one after the test.</summary>
    private SmallDisk Mounted()
    {
        var folder = Portal.NodeFolder(Node);
        var has = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length) >> 20;
        if (SmallDisk.TryMount(folder, (int)has + 100) is { } disk) return disk;
        Assert.Skip("A filesystem of its own needs root.");
        throw new InvalidOperationException();
    }
}
