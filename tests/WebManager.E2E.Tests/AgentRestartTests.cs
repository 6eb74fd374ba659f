// The agents of all nodes hand over to what is installed by now, one after the other, and guests that write all the time do not notice.
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class AgentRestartTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Agents_of_all_nodes_are_restarted_one_by_one_under_running_guests()
    {
        var (alpha, alphaLedger) = await BeatingAsync("alpha");
        var (bravo, bravoLedger) = await BeatingAsync("bravo", "n2", "n3");
        var before = new[] { alpha, bravo }.Select(i => (i.Name, Lab.Processes.Guest(i.Id)!.Pid, i.Generation, i.Primary)).ToList();
        var (agents, keepers) = (PidsOf(p => p.IsAgent), PidsOf(p => p.IsKeeper));
        var (lastEvent, lastJob) = ((await Api.EventsAsync()).Max(e => e.Id), (await Api.JobsAsync()).Max(j => j.Id));
        var watches = new[] { alpha, bravo }.Select(i => (i.Name, Beats: new BeatWatch(Portal.Serial(i)))).ToList();

        var ran = await Lab.Wm.RunAsync("node", "restart-agent", "--all", "--timeout", "60", "--reason", "new version");
        Assert.True(ran.ExitCode == 0, ran.Output + ran.Error);
        Say(ran.Output.TrimEnd());
        foreach (var i in new[] { alpha, bravo }) await Lab.BeatsAsync(i, more: 100);   // well beyond a lease
        foreach (var (name, beats) in watches) Say($"{name}: longest pause between two beats {(await beats.StopAsync()).LongestPause.TotalMilliseconds:0} ms");

        Assert.Equal(keepers, PidsOf(p => p.IsKeeper));
        Assert.Empty(agents.Intersect(PidsOf(p => p.IsAgent)));
        Assert.Equal(LabFixture.NodeNames.Length, PidsOf(p => p.IsAgent).Count);
        var after = new[] { await Lab.InSyncAsync("alpha"), await Lab.InSyncAsync("bravo") };
        Assert.Equal(before, after.Select(i => (i.Name, Lab.Processes.Guest(i.Id)!.Pid, i.Generation, i.Primary)));
        Assert.DoesNotContain(await Api.JobsAsync(), j => j.Id > lastJob && j.Operation != "node.restart-agent");
        var events = (await Api.EventsAsync()).Where(e => e.Id > lastEvent).ToList();
        Assert.DoesNotContain(events, e => e.Severity == "error");
        Assert.Equal(LabFixture.NodeNames.Length, events.Count(e => e.Kind == "node.agent-restarted"));
        await CleanAsync(alphaLedger, after[0]);
        await CleanAsync(bravoLedger, after[1]);

        // The lab knows a successor as the node's agent: a kill takes it along, a start makes one.
        await Api.LabAsync("n3", "kill");
        Assert.Empty(Lab.Processes.All("n3"));
        await Lab.BackAsync("n3");
        await Lab.InSyncAsync("bravo");
    }

    private IReadOnlyList<int> PidsOf(Func<NodeProcess, bool> which) => [.. LabFixture.NodeNames.SelectMany(n => Lab.Processes.All(n)).Where(which).Select(p => p.Pid)];
}
