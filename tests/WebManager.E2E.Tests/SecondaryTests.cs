// The secondary's plug is pulled: the guest waits until it may go on alone, and gets its copy back while it runs.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class SecondaryTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Guest_pauses_goes_on_degraded_and_is_in_sync_again_when_the_secondary_is_back()
    {
        var at = await Lab.CreateAsync(LabFixture.Mirrored("faithful"));
        await Lab.BeatsAsync(at);
        var (serial, guest) = (Portal.Serial(at), Lab.Processes.Guest(at.Id)!.Pid);
        await Api.LabAsync(at.Secondary!, "kill");
        // A write acknowledged before the kill may be said after it.
        var before = serial.LastBeat();
        await Until.TrueAsync(() => serial.LastBeat() >= before + 5, LabFixture.Soon, "beat goes on");   // a line of its own it need not be: the shell has its prompt there
        var alone = await Api.InstanceAsync("faithful");
        Assert.Equal("degraded", alone.Mirror);
        Assert.True(alone.Generation > at.Generation, "It goes on under a new generation.");

        await Lab.BackAsync(at.Secondary!);
        var again = await Lab.InSyncAsync("faithful", TimeSpan.FromSeconds(60));
        Assert.Equal((at.Primary, at.Secondary), (again.Primary, again.Secondary));
        Assert.Equal(guest, Lab.Processes.Guest(at.Id)?.Pid);
        await Lab.BeatsAsync(again, more: 20);
        await CopiesAreEqualAsync(again);
    }

    [Fact]
    public async Task Guest_writes_nothing_alone_before_that_is_recorded_and_stands_still_for_less_than_a_second_while_its_copy_comes_back()
    {
        var at = await Lab.CreateAsync(LabFixture.Mirrored("steady"));
        await Lab.BeatsAsync(at);
        var beats = new BeatWatch(Portal.Serial(at));
        await Lab.BeatsAsync(at);
        var export = Lab.Processes.All(at.Secondary).Single(p => p.IsExport && p.Of(at.Id)).Pid;
        var gone = GoneAtAsync(export);
        await Api.LabAsync(at.Secondary!, "kill");
        await Until.TrueAsync(async () => (await Api.InstanceAsync("steady")).Mirror == "degraded", LabFixture.Soon, "degraded");
        await Lab.BeatsAsync(at, more: 20);
        await WaitedForTheRecordAsync(at, await gone, await AloneAtAsync("steady"), await beats.StopAsync());

        beats = new BeatWatch(Portal.Serial(at));
        await Lab.BackAsync(at.Secondary!);
        await Lab.InSyncAsync("steady", TimeSpan.FromSeconds(60));
        await Lab.BeatsAsync(at);
        var pause = (await beats.StopAsync()).LongestPause;
        Say($"longest pause of beat while the copy comes back: {Print.Seconds(pause)}");
        Assert.True(pause < Limits.Standstill, $"The guest stood still for {pause.TotalSeconds:0.00} s.");
    }

    [Fact]
    public async Task Secondary_that_falls_silent_holds_the_guest_up_for_a_bounded_time()
    {
        var at = await Lab.CreateAsync(LabFixture.Mirrored("patient"));
        await Lab.BeatsAsync(at);
        at = await Lab.InSyncAsync("patient");
        var beats = new BeatWatch(Portal.Serial(at));
        // One record before the fault, or the pause would have no beginning.
        await Lab.BeatsAsync(at);
        await Api.LabAsync(at.Secondary!, "freeze");
        await Until.TrueAsync(async () => (await Api.InstanceAsync("patient")).Generation > at.Generation, LabFixture.Soon, "alone under a new generation");
        await Lab.BeatsAsync(at, more: 20);
        var (pause, alone) = ((await beats.StopAsync()).LongestPause, await Api.InstanceAsync("patient"));
        Say($"longest pause of beat when the secondary falls silent: {Print.Seconds(pause)}; generation {at.Generation} -> {alone.Generation}");
        Assert.Equal("degraded", alone.Mirror);
        Assert.True(pause < Limits.SilentLoss, $"The guest stood still for {pause.TotalSeconds:0.00} s.");
    }

    private async Task CopiesAreEqualAsync(InstanceView at)
    {
        await Api.SucceedsAsync(Api.ActAsync(at.Name, "stop", timeout: 20));
        await Until.TrueAsync(() => Lab.Processes.Guest(at.Id) is null, LabFixture.Soon, "the guest is off");
        var compared = await Shell.RunAsync("qemu-img", ["compare", "-U", Portal.Disk(at.Primary, at.Id), Portal.Disk(at.Secondary!, at.Id)]);
        Say($"qemu-img compare: {compared.Output.Trim()}");
        Assert.True(compared.ExitCode == 0, compared.Output + compared.Error);
    }

    private static async Task<DateTimeOffset> GoneAtAsync(int pid)
    {
        await NodeProcesses.GoneAsync(pid, LabFixture.Soon);
        return TimeProvider.System.GetUtcNow();
    }

    /// <summary>When the engine's record says that the primary may go on alone.</summary>
    private async Task<DateTimeOffset> AloneAtAsync(string name)
    {
        var job = (await Api.JobsAsync()).First(j => j.Operation == "instance.degrade" && j.Summary.Contains(name, StringComparison.Ordinal));
        return (await Api.GetAsync<IReadOnlyList<JobLogLineView>>($"jobs/{job.Id}/log"))[0].At;
    }

    /// <summary>R1: what was acknowledged before the record said "alone" stands on the lost copy too.</summary>
    private async Task WaitedForTheRecordAsync(InstanceView at, DateTimeOffset gone, DateTimeOffset alone, Beats beats)
    {
        var said = beats.HighestSeenBefore(alone);
        var held = (await BeatRecords.OfAsync(Portal.Disk(at.Secondary!, at.Id))).Last;
        Say($"copy lost -> alone recorded: {Print.Seconds(alone - gone)}; said until then: {said}, on the lost copy: {held}; longest pause of beat: {Print.Seconds(beats.LongestPause)}");
        Assert.True(said > 0 && held >= said, $"beat {said} was said before the record, the copy on {at.Secondary} ends with {held}.");
        Assert.True(beats.LongestPause < Limits.LossThatTells, $"The guest stood still for {beats.LongestPause.TotalSeconds:0.00} s when its copy was lost.");
    }
}
