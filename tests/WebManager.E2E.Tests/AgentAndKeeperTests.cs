// One process of a node dies while the rest of it lives.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class AgentAndKeeperTests(LabFixture lab) : LabTest(lab)
{
    private const int Tries = 3;
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Agent_back_within_two_seconds_finds_its_guest_again()
    {
        for (var turn = 1; turn <= Tries; turn++)
        {
            var at = await Lab.CreateAsync(LabFixture.Mirrored($"kept{turn}"));
            await Lab.BeatsAsync(at);
            var guest = Lab.Processes.Guest(at.Id)!.Pid;
            // On a machine that others keep busy a program may take longer to start; that is the next test's case, not this one's.
            if (await BackAfterAsync(at.Primary) >= InTime) continue;

            await Lab.BeatsAsync(at, more: 100);   // well beyond the lease
            Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);
            var after = await Lab.InSyncAsync(at.Name);
            Assert.Equal((at.Primary, at.Generation), (after.Primary, after.Generation));
            await Portal.AllOnlineAsync();
            await World.MatchesAsync(Portal);
            return;
        }
        Assert.Fail($"In {Tries} tries the agent was never back within {InTime.TotalSeconds} s.");
    }

    /// <summary>Kills the agent and starts it again: the time until it listens.</summary>
    private async Task<TimeSpan> BackAfterAsync(string node)
    {
        var begun = NodeProcesses.SinceBoot();
        NodeProcesses.Kill(Agent(node).Pid);
        await Api.LabAsync(node, "start");
        var took = NodeProcesses.SinceBoot() - begun;
        Say($"agent killed and listening again after {Print.Seconds(took)}");
        return took;
    }

    [Fact]
    public async Task Agent_that_never_comes_back_has_its_guest_paused_by_the_keeper_before_another_node_starts_it()
    {
        var at = await Lab.CreateAsync(LabFixture.Mirrored("leased"));
        await Lab.BeatsAsync(at);
        var (old, next) = (Portal.Serial(at), Portal.Serial(at.Secondary!, at.Id));
        var from = next.End;
        var guest = Lab.Processes.Guest(at.Id)!.Pid;
        var begun = NodeProcesses.SinceBoot();
        NodeProcesses.Kill(Agent(at.Primary).Pid);
        var rests = await NodeProcesses.RestsAsync(guest, TimeSpan.FromSeconds(20));
        var started = NodeProcesses.StartOf((await Until.SomeAsync(() => Task.FromResult(Lab.Processes.Guests(at.Id).FirstOrDefault(p => p.Node == at.Secondary)), LabFixture.Soon, "it runs on the secondary", TimeSpan.FromMilliseconds(10))).Pid);
        Say($"guest at rest {Print.Seconds(rests - begun)} after its agent, started elsewhere {Print.Seconds(started - begun)} after it");
        Assert.True(rests <= started, $"The guest was at rest at {rests} and started elsewhere at {started}.");

        await Until.TrueAsync(() => next.Resume(from) is not null, LabFixture.Patience, "resume N");
        Assert.True(next.Resume(from) >= old.HighestBeat(), "A record is missing.");
        Assert.True(NodeProcesses.Rests(guest));
        await Lab.BackAsync(at.Primary);
        await Lab.InSyncAsync("leased");
        Assert.False(NodeProcesses.Lives(guest), "What stood still is left over.");
        await World.MatchesAsync(Portal);
    }

    [Fact]
    public async Task Keeper_takes_its_guests_along_and_they_are_recovered()
    {
        var mirrored = await Lab.CreateAsync(LabFixture.Mirrored("mirrored"));
        var diskless = await Lab.CreateAsync(LabFixture.Diskless("diskless") with { Primary = mirrored.Primary });
        await Lab.BeatsAsync(mirrored);
        var node = mirrored.Primary;
        var highest = Portal.Serial(mirrored).HighestBeat();
        var ends = new Dictionary<string, long> { [node] = Portal.Serial(mirrored).End, [mirrored.Secondary!] = Portal.Serial(mirrored.Secondary!, mirrored.Id).End };
        var guests = new[] { mirrored, diskless }.Select(i => Lab.Processes.Guest(i.Id)!.Pid).ToList();
        var begun = NodeProcesses.SinceBoot();
        NodeProcesses.Kill(Lab.Processes.All(node).Single(p => p.IsKeeper).Pid);
        foreach (var guest in guests)
        {
            var after = await NodeProcesses.GoneAsync(guest, TimeSpan.FromSeconds(5)) - begun;
            Say($"guest gone {after.TotalMilliseconds:0} ms after its keeper");
            Assert.True(after < Limits.Standstill);
        }
        await Until.TrueAsync(async () => (await Api.InstancesAsync()).All(i => i.Status == "running" && Lab.Processes.Guest(i.Id) is { } p && !guests.Contains(p.Pid)), TimeSpan.FromSeconds(30), "both run again");
        Say($"both run again {Print.Seconds(NodeProcesses.SinceBoot() - begun)} after the keeper was killed");
        var now = await Lab.InSyncAsync("mirrored");
        var serial = Portal.Serial(now);
        await Until.TrueAsync(() => serial.Resume(ends[now.Primary]) is not null, LabFixture.Soon, "resume N");
        Assert.True(serial.Resume(ends[now.Primary]) >= highest, "A record is missing.");
        await World.MatchesAsync(Portal);
    }

    private NodeProcess Agent(string node) => Lab.Processes.All(node).Single(p => p.IsAgent);
}
