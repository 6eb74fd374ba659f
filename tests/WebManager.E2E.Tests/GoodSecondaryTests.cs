// Another node takes the place of a secondary whose copy is good: that one can take over until the new one is whole, and the guest hardly notices (H7, S27).
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class GoodSecondaryTests(LabFixture lab) : LabTest(lab)
{
    private const string Name = "chooser";

    [Fact]
    public async Task Good_secondary_is_replaced_while_the_guest_counts_and_the_new_one_takes_over()
    {
        var (at, ledger) = await BeatingAsync(Name);
        var (guest, old) = (Lab.Processes.Guest(at.Id)!.Pid, Portal.Disk("n2", at.Id));
        var beats = new BeatWatch(Portal.Serial(at));
        await Lab.BeatsAsync(at);
        var replaced = await Lab.Wm.RunAsync("instance", "replace-disks", Name, "--new-secondary", "n3");
        Assert.True(replaced.ExitCode == 0, replaced.Output + replaced.Error);
        await Lab.BeatsAsync(at, more: 20);
        var pause = (await beats.StopAsync()).LongestPause;
        Say($"longest pause of beat while its good secondary is replaced: {Print.Seconds(pause)}");
        Say(string.Join(' ', (await Api.LogAsync((await JobAsync()).Id)).Where(l => l.Contains("stood still", StringComparison.Ordinal))));
        Assert.True(pause < Limits.Standstill, $"The guest stood still for {pause.TotalSeconds:0.00} s.");
        var now = await Lab.InSyncAsync(Name);
        Assert.Equal(("n1", "n3", at.Generation + 1), (now.Primary, now.Secondary, now.Generation));
        Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);
        await Until.TrueAsync(async () => (await Api.InstanceAsync(Name)).OldCopies.Count == 0, LabFixture.Patience, "the old copy is gone");
        Assert.False(File.Exists(old), "The old copy is still on n2.");

        await Api.LabAsync("n1", "kill");
        await CleanAsync(ledger, await RunsAtAsync(Name, "n3", "degraded"));
        await Lab.BackAsync("n1");
        await Lab.InSyncAsync(Name);
    }

    [Fact]
    public async Task Primary_dies_while_the_new_copy_is_made_and_the_former_secondary_takes_over()
    {
        var at = await Lab.CreateAsync(LabFixture.Mirrored(Name) with { Primary = "n1", Secondary = "n2", DisksMiB = [2048] });
        await Lab.BeatsAsync(at);
        var ledger = new BeatLedger(Portal, at.Id, LabFixture.NodeNames);
        await ReplaceAsync();
        await Until.TrueAsync(async () => await JobAsync() is { Step: "third.copy" } && File.Exists(Path.Combine(Portal.InstanceFolder("n3", at.Id), "replica.json")), LabFixture.Soon, "n3 is copied to");
        await Lab.BeatsAsync(at, more: 2);
        await Api.LabAsync("n1", "kill");
        Assert.Equal("third.copy", (await JobAsync()).Step);
        await TakenOverAsync(ledger, "n2");
        Assert.Equal("mirror.copy-failed", (await JobAsync()).ErrorCode);
    }

    [Fact]
    public async Task Primary_dies_as_soon_as_the_secondary_is_another_one_and_that_one_takes_over()
    {
        var (at, ledger) = await BeatingAsync(Name);
        await ReplaceAsync();
        await Until.TrueAsync(async () => (await Api.InstanceAsync(Name)).Secondary == "n3", LabFixture.Patience, "n3 is the secondary", TimeSpan.FromMilliseconds(5));
        await Api.LabAsync("n1", "kill");
        await TakenOverAsync(ledger, "n3");
    }

    /// <summary>On that node with every record; the third copy is removed once the other two are whole.</summary>
    private async Task TakenOverAsync(BeatLedger ledger, string node)
    {
        await Lab.BeatsAsync(await RunsAtAsync(Name, node, "degraded"));
        var found = await ledger.CheckAsync(node);
        Assert.True(found.Clean, found.ToString());
        Say($"n1 died; {ledger.Highest} records acknowledged, on {node}: {found}");
        await Lab.BackAsync("n1");
        var again = await Lab.InSyncAsync(Name);
        Assert.Equal((node, "n1"), (again.Primary, again.Secondary));
        await Until.TrueAsync(async () => (await Api.InstanceAsync(Name)).OldCopies.Count == 0, LabFixture.Patience, "the third copy is gone");
        await CleanAsync(ledger, again);
    }

    private async Task ReplaceAsync()
    {
        var answer = await Api.SendAsync(HttpMethod.Post, $"instances/{Name}/replace-secondary", new ReplaceSecondaryRequest { Secondary = "n3" });
        Assert.True(answer.Ok, answer.Body);
    }

    private async Task<JobView> JobAsync() => (await Api.JobsAsync()).First(j => j.Operation == "instance.replace-secondary");
}
