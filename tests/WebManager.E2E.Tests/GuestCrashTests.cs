// The guest's own process ends on a healthy node: started again in place, and after too many times a person is asked.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class GuestCrashTests(LabFixture lab) : LabTest(lab)
{
    private const int RestartLimit = 5;   // Engine:Recovery:RestartLimit

    [Fact]
    public async Task S09_Killed_guest_is_started_in_place_with_all_its_records_and_gets_a_fresh_copy()
    {
        var (at, ledger) = await BeatingAsync("crashing");
        var (serial, guest) = (Portal.Serial(at), Lab.Processes.Guest(at.Id)!.Pid);
        var from = serial.End;
        NodeProcesses.Kill(guest);
        var gone = await NodeProcesses.GoneAsync(guest, LabFixture.Patience);
        var said = serial.HighestBeat();
        var started = NodeProcesses.StartOf(await NextAsync(at, guest));
        await Until.TrueAsync(() => serial.Resume(from) is not null, LabFixture.Patience, "resume N");
        Say($"started again {Print.Seconds(started - gone)} after it was killed; beat {said}, resume {serial.Resume(from)}");
        Assert.True(serial.Resume(from) >= said, "A record is missing.");
        var again = await Lab.InSyncAsync("crashing");
        Assert.Equal(("n1", "n2"), (again.Primary, again.Secondary));
        await CleanAsync(ledger, again);
    }

    [Fact]
    public async Task S09_Guest_that_ends_again_and_again_is_left_to_a_person()
    {
        var at = await Lab.CreateAsync(LabFixture.Diskless("hopeless") with { Primary = "n3" });
        var (guest, waits) = (Lab.Processes.Guest(at.Id)!.Pid, new List<TimeSpan>());
        for (var turn = 1; turn <= RestartLimit; turn++)
        {
            NodeProcesses.Kill(guest);
            var gone = await NodeProcesses.GoneAsync(guest, LabFixture.Patience);
            guest = await NextAsync(at, guest);
            waits.Add(NodeProcesses.StartOf(guest) - gone);
        }
        Say($"killed -> started again: {string.Join(", ", waits.Select(Print.Seconds))}");
        Assert.True(waits[^1] > waits[0], "There is no back-off.");
        NodeProcesses.Kill(guest);
        var told = await Until.SomeAsync(async () => (await Api.EventsAsync()).FirstOrDefault(e => e.Kind == "instance.gave-up" && e.Subject == "instance:hopeless"), LabFixture.Patience, "a person is asked");
        Say($"{told.Severity}: {told.Text}");
        Assert.Equal("error", told.Severity);
        Assert.Equal("errorDown", (await Api.InstanceAsync("hopeless")).Status);
        Assert.Empty(Lab.Processes.Guests(at.Id));

        await Api.SucceedsAsync(Api.ActAsync("hopeless", "start"));
        await Lab.InSyncAsync("hopeless");
        await World.MatchesAsync(Portal);
    }

    private async Task<int> NextAsync(InstanceView at, int before)
    {
        var next = await Until.SomeAsync(() => Task.FromResult(Lab.Processes.Guests(at.Id).FirstOrDefault(p => p.Pid != before)), LabFixture.Patience, $"{at.Name} is started again", TimeSpan.FromMilliseconds(10));
        Assert.Equal(at.Primary, next.Node);
        return next.Pid;
    }
}
