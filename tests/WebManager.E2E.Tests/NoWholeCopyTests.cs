// The primary dies while the other copy is not whole: that copy is never used, the instance waits and says why.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class NoWholeCopyTests(LabFixture lab) : LabTest(lab)
{
    private const string Name = "half";

    [Fact]
    public async Task S22_Primary_that_dies_degraded_is_waited_for()
    {
        var (at, ledger) = await BeatingAsync(Name);
        await Api.LabAsync("n2", "kill");
        await Lab.BeatsAsync(await RunsAtAsync(Name, "n1", "degraded"));
        await Api.LabAsync("n1", "kill");
        await Api.LabAsync("n2", "start");
        await WaitsForItsPrimaryAsync(at, ledger);
    }

    [Fact]
    public async Task S21_Primary_that_dies_while_its_copy_is_made_is_waited_for()
    {
        var (at, ledger) = await BeatingAsync(Name);
        await DieWhileCopyingAsync(at);
        await WaitsForItsPrimaryAsync(at, ledger);
    }

    /// <summary>The copy is held up by stopping the process that receives it, as soon as there is one; a copy that was quicker is made again.</summary>
    private async Task DieWhileCopyingAsync(InstanceView at)
    {
        for (var turn = 0; turn < 5; turn++)
        {
            await Api.LabAsync("n2", "kill");
            await RunsAtAsync(Name, "n1", "degraded");
            await Api.LabAsync("n2", "start");
            var export = await Until.SomeAsync(() => Task.FromResult(Lab.Processes.All("n2").FirstOrDefault(p => p.IsExport && p.Of(at.Id))), LabFixture.Patience, "the copy's receiver", TimeSpan.FromMilliseconds(2));
            (await Shell.RunAsync("kill", ["-STOP", $"{export.Pid}"])).Must();
            if (await IsDoneAsync()) continue;
            Assert.Contains(await Api.JobsAsync(), j => j is { Operation: "instance.resync", Status: "running" });
            await Api.LabAsync("n1", "kill");
            (await Shell.RunAsync("kill", ["-CONT", $"{export.Pid}"])).Must();
            return;
        }
        Assert.Fail("The copy was always done before it could be held up.");
    }

    /// <summary>What was on its way when the receiver was stopped gets the time to be recorded.</summary>
    private async Task<bool> IsDoneAsync()
    {
        var began = NodeProcesses.SinceBoot();
        var done = false;
        await Until.TrueAsync(async () => (done = (await Api.InstanceAsync(Name)).Mirror == "inSync") || NodeProcesses.SinceBoot() - began > TimeSpan.FromSeconds(2), LabFixture.Patience, "two seconds");
        return done;
    }

    private async Task WaitsForItsPrimaryAsync(InstanceView at, BeatLedger ledger)
    {
        await Until.TrueAsync(async () => (await Api.NodeAsync("n1")).Health == "lost" && (await Api.NodeAsync("n2")).Health == "online", LabFixture.Patience, "n1 is lost, n2 is there");
        var waits = await Until.SomeAsync(async () => await Api.InstanceAsync(Name) is { Status: "nodeDown" } i ? i : null, LabFixture.Patience, "it waits");
        Say($"it waits: {waits.Text}");
        Assert.Equal("n1", waits.Primary);
        Assert.Contains("n1", waits.Text, StringComparison.Ordinal);
        Assert.Contains("n2 is not whole", waits.Text, StringComparison.Ordinal);
        // A promotion by hand is refused as well, and the watcher has had its turns meanwhile.
        var failover = await Api.SendAsync(HttpMethod.Post, $"instances/{Name}/failover", new InstanceActionRequest());
        Assert.False(failover.Ok, failover.Body);
        var began = NodeProcesses.SinceBoot();
        await Until.TrueAsync(() =>
        {
            Assert.Empty(Lab.Processes.Guests(at.Id));
            return NodeProcesses.SinceBoot() - began > TimeSpan.FromSeconds(4);
        }, LabFixture.Patience, "four seconds");

        var from = Portal.Serial(at).End;
        await Lab.BackAsync("n1");
        var again = await Lab.InSyncAsync(Name);
        Assert.Equal("n1", again.Primary);
        await Until.TrueAsync(() => Portal.Serial(at).Resume(from) is not null, LabFixture.Patience, "it counts on at n1");
        await CleanAsync(ledger, again);
    }
}
