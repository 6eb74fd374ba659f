// The portal is away: by itself that stops nothing and moves nothing; with another loss on top nothing is acknowledged that could be lost.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class PortalAwayTests(LabFixture lab) : LabTest(lab)
{
    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task S06_Portal_that_is_away_for_a_minute_stops_no_guest_in_sync_or_degraded()
    {
        var (degraded, degradedLedger) = await BeatingAsync("degraded", "n2", "n3");
        var (whole, wholeLedger) = await BeatingAsync("whole");
        await Api.LabAsync("n3", "kill");
        degraded = await RunsAtAsync("degraded", "n2", "degraded");
        await Lab.BeatsAsync(degraded);
        var guests = new[] { whole, degraded }.Select(i => Lab.Processes.Guest(i.Id)!.Pid).ToList();
        var jobs = (await Api.JobsAsync(1))[0].Id;

        await Portal.KillAsync();
        var (began, watches) = (NodeProcesses.SinceBoot(), new[] { whole, degraded }.Select(i => new BeatWatch(Portal.Serial(i))).ToList());
        await Until.TrueAsync(() =>
        {
            Assert.All(guests, pid => Assert.True(NodeProcesses.Lives(pid), "A guest is gone while the portal is away."));
            return NodeProcesses.SinceBoot() - began > s_away;
        }, s_away * 2, "the minute is over");
        foreach (var (name, watch) in new[] { "whole", "degraded" }.Zip(watches))
        {
            var beats = await watch.StopAsync();
            Say($"{name}, portal away for {Print.Seconds(s_away)}: {beats.All.Count} beats, longest pause {Print.Seconds(beats.LongestPause)}");
        }
        // A guest that paused for want of an answer would stand still until the portal is back.
        foreach (var i in new[] { whole, degraded }) await Lab.BeatsAsync(i);

        await Portal.BeginAsync();
        var again = await Lab.InSyncAsync("whole");
        Assert.Equal((whole.Primary, whole.Secondary, whole.Generation), (again.Primary, again.Secondary, again.Generation));
        Assert.DoesNotContain(await Api.JobsAsync(), j => j.Id > jobs && j.Operation is "instance.recover" or "instance.degrade" or "instance.restart");
        await Lab.BackAsync("n3");
        degraded = await Lab.InSyncAsync("degraded");
        Assert.Equal(guests, new[] { whole, degraded }.Select(i => Lab.Processes.Guest(i.Id)!.Pid));
        await CleanAsync(wholeLedger, again);
        await CleanAsync(degradedLedger, degraded);
    }

    [Fact]
    public async Task S20_Portal_that_dies_at_any_step_of_a_promotion_brings_it_to_one_guest_without_loss()
    {
        NeedsWires();
        var (at, ledger) = await BeatingAsync("promoted");
        foreach (var step in new[] { "stand-down", "promote", "fenced", "start", "settled" })
        {
            await Portal.RestartAsync(crashAt: $"instance.recover:{step}");
            await Portal.AllOnlineAsync();
            at = await Lab.InSyncAsync("promoted");
            var handover = new Handover(Lab, at);
            // Cut off rather than killed: its guest runs while the portal decides.
            await Api.CutAsync(at.Primary);
            await Portal.EndedAsync(LabFixture.Patience, $"it should have crashed at {step} of the promotion");
            await Portal.BeginAsync(healthy: false);
            Say($"portal killed at {step}:");
            await handover.EndAsync();
            await RunsAtAsync("promoted", at.Secondary!, "degraded");
            await Api.HealAsync();
            at = await Lab.InSyncAsync("promoted");
            await CleanAsync(ledger, at);
        }
    }

    [Fact]
    public async Task S23_Guest_whose_secondary_dies_while_the_portal_is_away_acknowledges_nothing_until_it_is_back()
    {
        var (at, ledger) = await BeatingAsync("waiting");
        var (serial, guest) = (Portal.Serial(at), Lab.Processes.Guest(at.Id)!.Pid);
        await Portal.KillAsync();
        await Lab.BeatsAsync(at);
        while (Lab.Processes.All("n2") is { Count: > 0 } left)
            foreach (var process in left.OrderBy(p => p.IsGuest)) NodeProcesses.Kill(process.Pid);
        // Nobody answers its keeper any more: it stands still before its lease is over.
        var rests = await NodeProcesses.RestsAsync(guest, LabFixture.Patience);
        var (said, held) = (serial.HighestBeat(), (await BeatRecords.OfAsync(Portal.Disk("n2", at.Id))).Last);
        Say($"secondary and portal dead: beat {said} was the last, the secondary's copy has {held}");
        Assert.True(said <= held, $"beat {said} was said without the secondary, which has {held}.");
        var from = serial.End;
        await Portal.BeginAsync(healthy: false);
        await Until.TrueAsync(() => serial.HighestBeat() > said, LabFixture.Patience, "it goes on at n1");
        Say($"goes on {Print.Seconds(NodeProcesses.SinceBoot() - rests)} after it stood still");
        Assert.True(NodeProcesses.Lives(guest), "It was not paused but ended.");
        Assert.Null(serial.Resume(from));
        // The portal's start has started n2 as well.
        await Portal.AllOnlineAsync();
        var again = await Lab.InSyncAsync("waiting");
        Assert.Equal(("n1", guest), (again.Primary, Lab.Processes.Guest(at.Id)?.Pid));
        await CleanAsync(ledger, again);
    }
}
