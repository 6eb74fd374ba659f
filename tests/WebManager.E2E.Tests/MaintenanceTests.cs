// A node with real guests goes into maintenance, is rebooted together with the portal, and gets its guests back: none of them notices.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class MaintenanceTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task S60_Node_is_emptied_alive_rebooted_and_gets_its_instances_back()
    {
        var (alpha, alphaLedger) = await BeatingAsync("alpha");
        var (bravo, bravoLedger) = await BeatingAsync("bravo", "n1", "n3");
        // The lab has seen other tests.
        var (lastEvent, lastJob) = ((await Api.EventsAsync()).Max(e => e.Id), (await Api.JobsAsync()).Max(j => j.Id));
        await MaintenanceAsync("on", "--return", "--reason", "new fans");
        Assert.DoesNotContain(Lab.Processes.All("n1"), p => p.IsGuest);
        var moved = new[] { await Lab.InSyncAsync("alpha"), await Lab.InSyncAsync("bravo") };
        Assert.Equal(["n2", "n3"], moved.Select(i => i.Primary));
        foreach (var i in moved) await Lab.BeatsAsync(i);

        await Api.LabAsync("n1", "kill");
        foreach (var i in moved) await Lab.BeatsAsync(await RunsAtAsync(i.Name, i.Primary, "degraded"));
        await Until.TrueAsync(async () => (await Api.NodeAsync("n1")).Health == "lost", LabFixture.Soon, "n1 is away");
        Assert.DoesNotContain(await Api.EventsAsync(), e => e.Id > lastEvent && e is { Kind: "node.health", Subject: "node:n1", Severity: "error", To: "lost" });
        await Portal.RestartAsync();   // which starts what of its lab does not run
        await Portal.AllOnlineAsync();
        Assert.Equal("new fans", (await Api.NodeAsync("n1")).Maintenance?.Why);
        Assert.Equal("node.in-maintenance", (await Api.SendAsync(HttpMethod.Post, "instances/alpha/migrate", new MigrateInstanceRequest())).Problem.Code);

        await MaintenanceAsync("off");
        Assert.Null((await Api.NodeAsync("n1")).Maintenance);
        foreach (var (was, ledger) in new[] { (alpha, alphaLedger), (bravo, bravoLedger) })
        {
            var back = await Lab.InSyncAsync(was.Name);
            Assert.Equal((was.Primary, was.Secondary), (back.Primary, back.Secondary));
            Assert.Single((await BeatRecords.OfAsync(Portal.Disk("n1", was.Id))).Boots);
            await CleanAsync(ledger, back);
        }
        Assert.DoesNotContain(await Api.JobsAsync(), j => j.Id > lastJob && j.Operation is "instance.recover" or "instance.restart" or "instance.replace-secondary");
    }

    private async Task MaintenanceAsync(params string[] what)
    {
        var began = NodeProcesses.SinceBoot();
        var ran = await Lab.Wm.RunAsync(["node", "maintenance", "n1", .. what]);
        Assert.True(ran.ExitCode == 0, ran.Output + ran.Error);
        Say($"maintenance of n1 {what[0]}: {Print.Seconds(NodeProcesses.SinceBoot() - began)}\n{ran.Output.TrimEnd()}");
    }
}
