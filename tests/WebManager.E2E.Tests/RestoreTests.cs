// A portal comes back from a backup that is older than the cluster: it takes over what the nodes have, and no guest notices.
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class RestoreTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task An_older_backup_restored_after_an_instance_had_moved_is_put_right_by_the_nodes()
    {
        var before = await Lab.CreateAsync(LabFixture.Mirrored("roamer"));
        await Lab.BeatsAsync(before);
        var file = Path.Combine(Path.GetTempPath(), $"wm-restore-test-{Guid.NewGuid():n}.wmbackup");
        try
        {
            (await Portal.Wm.RunAsync("backup", file)).Must();
            await Api.SucceedsAsync(Api.ActAsync("roamer", "failover", timeout: 10));
            var moved = await Lab.InSyncAsync("roamer");
            Assert.Equal(before.Secondary, moved.Primary);
            await Lab.BeatsAsync(moved);
            var guest = Lab.Processes.Guest(moved.Id)!.Pid;

            Assert.NotEqual(0, (await Portal.Wm.RunAsync("restore", file, "--yes")).ExitCode);   // it still runs
            await Portal.KillAsync();
            (await Portal.Wm.RunAsync("restore", file, "--yes")).Must();
            await Portal.BeginAsync();

            var after = await Lab.InSyncAsync("roamer");
            Assert.Equal((moved.Primary, moved.Secondary), (after.Primary, after.Secondary));
            Assert.True(after.Generation >= moved.Generation, "The nodes' generation was taken over.");
            Assert.Equal(guest, Lab.Processes.Guest(after.Id)?.Pid);
            await Lab.BeatsAsync(after);
            var kinds = (await Api.EventsAsync()).Select(e => e.Kind).ToList();
            Assert.Contains("engine.restored", kinds);
            Assert.Contains("instance.settled", kinds);
            await World.MatchesAsync(Portal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
