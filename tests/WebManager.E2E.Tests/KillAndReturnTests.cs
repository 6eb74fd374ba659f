// The plug of the primary is pulled again and again; the instance moves between nodes and never loses what it acknowledged.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class KillAndReturnTests(LabFixture lab) : LabTest(lab)
{
    private const int Times = 10;

    [Fact]
    public async Task Ten_kills_lose_no_acknowledged_write_and_the_guest_is_back_within_eight_seconds()
    {
        using var key = await SshKey.MakeAsync();
        var at = await Lab.CreateAsync(LabFixture.Mirrored("wanderer") with { SshKeys = [key.Public] });
        await Lab.BeatsAsync(at);
        var hasAddress = at.Ip is not null;
        if (hasAddress) await key.CanSignInAsync(at.Ip!);
        var (times, lost, nodes) = (new List<TimeSpan>(), 0L, new HashSet<string> { at.Primary });
        for (var turn = 1; turn <= Times; turn++)
        {
            var (took, missing, next) = await KillPrimaryAsync(at);
            times.Add(took);
            lost += missing;
            nodes.Add(next.Primary);
            if (hasAddress)
            {
                Assert.Equal(at.Ip, next.Ip);
                await key.CanSignInAsync(next.Ip!);
            }
            await Lab.BackAsync(at.Primary);
            at = await Lab.InSyncAsync("wanderer", TimeSpan.FromSeconds(60));
            await Lab.BeatsAsync(at);
        }
        Say($"kill->init min/median/max over {Times}: {Print.Spread(times)}; lost records: {lost}; nodes it ran on: {string.Join(", ", nodes.Order())}; SSH works again each time: {(hasAddress ? "yes" : "no addresses without root")}");
        Assert.Equal(0, lost);
        Assert.True(times.Max() <= Limits.KillToInit, $"The slowest took {times.Max().TotalSeconds:0.00} s.");
        Assert.True(nodes.Count >= 2);
    }

    private async Task<(TimeSpan Took, long Lost, InstanceView Next)> KillPrimaryAsync(InstanceView at)
    {
        var (old, next) = (Portal.Serial(at), Portal.Serial(at.Secondary!, at.Id));
        var from = next.End;
        var gone = NodeProcesses.GoneAsync(Lab.Processes.Guest(at.Id)!.Pid, TimeSpan.FromSeconds(20));
        await Api.LabAsync(at.Primary, "kill");
        var killed = await gone;
        Assert.Empty(Lab.Processes.All(at.Primary));
        var took = await next.BootedAsync(from, TimeSpan.FromSeconds(30)) - killed;
        await Until.TrueAsync(() => next.Resume(from) is not null, LabFixture.Soon, "resume N");
        var (last, resumed) = (old.HighestBeat(), next.Resume(from)!.Value);
        var moved = await Until.SomeAsync(async () => await Api.InstanceAsync(at.Name) is { Status: "running" } i && i.Primary == at.Secondary ? i : null, LabFixture.Soon, "it runs on its secondary");
        Say($"  {at.Primary} -> {moved.Primary}: {Print.Seconds(took)}, last beat {last}, resume {resumed}");
        return (took, Math.Max(0, last - resumed), moved);
    }
}
