// Nodes that live but are not heard: cut off, frozen, or with one link cut. The guest never runs twice and loses nothing.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class IsolationTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task S02_Node_that_is_cut_off_pauses_its_guest_by_itself_before_the_other_starts_it()
    {
        NeedsWires();
        var (at, ledger) = await BeatingAsync("isolated");
        var handover = new Handover(Lab, at);
        var guest = Lab.Processes.Guest(at.Id)!.Pid;
        var seen = await Api.CutAsync("n1");
        Assert.True(seen.Nodes.Single(n => n.Name == "n1").CutOff);
        Assert.Equal("1", File.ReadAllText($"/sys/class/net/wm{Lab.Processes.LabId}n1/carrier").Trim());
        await handover.EndAsync();
        // Its agent and keeper go on; only the guest had to stand still, and does for good.
        Assert.Contains(Lab.Processes.All("n1"), p => p.IsAgent);
        Assert.True(NodeProcesses.Rests(guest));
        var end = Portal.Serial("n1", at.Id).End;
        var alone = await RunsAtAsync("isolated", "n2", "degraded");
        var held = (await BeatRecords.OfAsync(Portal.Disk("n1", at.Id))).Last;
        await Lab.BeatsAsync(alone);

        await Api.HealAsync();
        var again = await Lab.InSyncAsync("isolated");
        Assert.Equal(("n2", "n1"), (again.Primary, again.Secondary));
        Assert.True(again.Generation > at.Generation);
        Assert.False(NodeProcesses.Lives(guest));
        Assert.Equal(end, Portal.Serial("n1", at.Id).End);
        var now = (await BeatRecords.OfAsync(Portal.Disk("n1", at.Id))).Last;
        Assert.True(now > held, $"n1's copy ended with {held} while it was outdated and ends with {now} in sync.");
        await CleanAsync(ledger, again);
    }

    [Fact]
    public async Task S03_Node_that_freezes_and_thaws_has_no_guest_left_and_none_of_its_writes_count()
    {
        var (at, ledger) = await BeatingAsync("frozen");
        var handover = new Handover(Lab, at);
        await Api.LabAsync("n1", "freeze");
        var end = Portal.Serial(at).End;
        await handover.EndAsync();
        await Lab.BeatsAsync(await RunsAtAsync("frozen", "n2", "degraded"));

        await Api.LabAsync("n1", "thaw");
        await Lab.BackAsync("n1");
        var again = await Lab.InSyncAsync("frozen");
        Assert.Equal("n2", again.Primary);
        Assert.Equal(end, Portal.Serial("n1", at.Id).End);
        await CleanAsync(ledger, again);
    }

    [Fact]
    public async Task S04_Cut_between_its_two_nodes_leaves_the_guest_where_it_is_on_one_copy()
    {
        NeedsWires();
        var (at, ledger) = await BeatingAsync("linked");
        var (guest, jobs) = (Lab.Processes.Guest(at.Id)!.Pid, (await Api.JobsAsync(1))[0].Id);
        var seen = await Api.CutAsync("n1", "n2");
        Assert.Equal(["n2"], seen.Nodes.Single(n => n.Name == "n1").CutFrom);
        var alone = await RunsAtAsync("linked", "n1", "degraded");
        await Lab.BeatsAsync(alone, more: 20);
        Assert.All(await Api.NodesAsync(), n => Assert.Equal("online", n.Health));
        Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);

        await Api.HealAsync();
        var again = await Lab.InSyncAsync("linked");
        Assert.Equal(("n1", "n2"), (again.Primary, again.Secondary));
        Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);
        Assert.DoesNotContain(await Api.JobsAsync(), j => j.Id > jobs && j.Operation == "instance.recover");
        await CleanAsync(ledger, again);
    }
}
