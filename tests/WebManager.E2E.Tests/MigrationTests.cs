// Live migration of real guests that count: nothing is lost or repeated, and what goes wrong on the way leaves exactly one guest.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class MigrationTests(LabFixture lab) : LabTest(lab)
{
    [Fact]
    public async Task Guest_moves_there_and_back_while_it_counts_and_hardly_stands_still()
    {
        var (at, ledger) = await BeatingAsync("nomad");
        var emulated = (await Api.NodesAsync()).Any(n => n.Hypervisor == "tcg");
        var gaps = new List<TimeSpan>();
        foreach (var to in new[] { "n2", "n1", "n2", "n1" })
        {
            var watches = LabFixture.NodeNames.Select(n => new BeatWatch(Portal.Serial(n, at.Id))).ToList();
            await Lab.BeatsAsync(at);
            var job = await MigrateAsync(at.Name);
            var ended = await Api.EndOfAsync(job);
            var log = await Api.LogAsync(job);
            Assert.True(ended.Status == "success", $"{ended.Error} {ended.Remedy}\n  {string.Join("\n  ", log)}");
            at = await Lab.InSyncAsync("nomad");
            Assert.Equal(to, at.Primary);
            await Lab.BeatsAsync(at, more: 20);
            var beats = new Beats([.. (await Task.WhenAll(watches.Select(w => w.StopAsync()))).SelectMany(b => b.All).OrderBy(b => b.Number)]);
            Say($"to {to}: longest gap between acknowledged records {Print.Seconds(beats.LongestPause)}; {log.Single(l => l.Contains("stood still", StringComparison.Ordinal))}");
            Assert.True(beats.LongestPause < Limits.MigrationGap * (emulated ? 2 : 1), $"The guest stood still for {beats.LongestPause.TotalSeconds:0.000} s.");
            gaps.Add(beats.LongestPause);
            Assert.Equal(beats.All.Select(b => b.Number).Distinct().Count(), beats.All.Count);
        }

        Assert.True(gaps.Count(g => g < Limits.MigrationGap) >= 3, $"The guest stood still for {string.Join(", ", gaps.Select(Print.Seconds))} s.");
        Assert.Single((await BeatRecords.OfAsync(Portal.Disk("n1", at.Id))).Boots);
        Assert.Contains(await Api.EventsAsync(), e => e.Kind == "instance.migrated" && e.Subject == "instance:nomad");
        await CleanAsync(ledger, at);
    }

    [Theory]
    [InlineData("n1")]
    [InlineData("n2")]
    public async Task S26_Node_that_dies_during_a_migration_leaves_exactly_one_guest(string dies)
    {
        var (at, ledger) = await BeatingAsync($"torn-{dies}");
        var job = await UnderWayAsync(at);
        await Api.LabAsync(dies, "kill");
        await EndsOnAsync(at, job, $"{dies} killed");
        await Lab.BackAsync(dies);
        await CleanAsync(ledger, await Lab.InSyncAsync(at.Name));
    }

    [Fact]
    public async Task S26_Link_that_is_cut_during_a_migration_leaves_exactly_one_guest()
    {
        NeedsWires();
        var (at, ledger) = await BeatingAsync("stretched");
        var job = await UnderWayAsync(at);
        await Api.CutAsync("n1", "n2");
        await EndsOnAsync(at, job, "link cut");
        await Api.HealAsync();
        await CleanAsync(ledger, await Lab.InSyncAsync(at.Name));
    }

    private async Task<long> MigrateAsync(string name) => (await Api.SendAsync(HttpMethod.Post, $"instances/{name}/migrate", new MigrateInstanceRequest())).As<JobAccepted>().Job;

    private async Task<long> UnderWayAsync(InstanceView at)
    {
        var job = await MigrateAsync(at.Name);
        await Until.TrueAsync(async () => (await Api.GetAsync<JobView>($"jobs/{job}")).Step is not (null or "receive"), LabFixture.Soon, "the memory is under way", TimeSpan.FromMilliseconds(5));
        return job;
    }

    /// <summary>Wherever it is when the dust has settled, it runs there and nowhere else, and counts.</summary>
    private async Task EndsOnAsync(InstanceView at, long job, string what)
    {
        var ended = await Api.EndOfAsync(job, LabFixture.Patience);
        var now = await Until.SomeAsync(async () => await Api.InstanceAsync(at.Name) is { Status: "running" } i && Lab.Processes.Guests(at.Id).Count(p => p.Node == i.Primary) == 1 ? i : null, LabFixture.Patience, $"{at.Name} runs");
        await Lab.BeatsAsync(now);
        var guests = Lab.Processes.Guests(at.Id).Select(p => p.Node).ToList();
        Say($"{what} at step {ended.Step}: job {ended.Status} ({ended.ErrorCode}); runs on {string.Join(", ", guests)}, mirror {now.Mirror}");
        Assert.Equal([now.Primary], guests);
    }
}
