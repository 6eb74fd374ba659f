// What a restored backup, or a database that is gone, does not know is found on the nodes and taken up; guests run on all the time.
using WebManager.Contracts.Api;
using WebManager.E2E.Tests.Harness;
using WebManager.Testing.E2E;
using Xunit;

namespace WebManager.E2E.Tests;

[Trait("Speed", "Slow")]
public sealed class FoundTests
{
    private static readonly UsageView s_nothing = new(0, 0, 0, 0);

    [Fact]
    public async Task Made_after_the_backup_it_is_found_given_back_to_its_owner_and_never_stopped()
    {
        await using var portal = await PortalProcess.StartAsync();
        await TeamAsync(portal);
        var file = Path.Combine(portal.Data, "before.wmbackup");
        (await portal.Wm.RunAsync("backup", file)).Must();
        var (pair, single) = (await MadeAsync(portal, "pair", "mirror"), await MadeAsync(portal, "single", "file"));
        (await portal.Wm.RunAsync("instance", "add-tags", "pair", "shop")).Must();
        var (ledger, guests) = (new BeatLedger(portal, pair.Id, LabFixture.NodeNames), new[] { pair, single }.ToDictionary(i => i.Id, i => portal.Nodes.Guest(i.Id)!.Pid));
        await BeatsAsync(portal, pair);
        await NotedAsync(portal, pair, "webmanager:owner:group:team", "shop");

        await portal.KillAsync();
        (await portal.Wm.RunAsync("restore", file, "--yes")).Must();
        await portal.BeginAsync();
        var found = await FoundAsync(portal, 2);
        Assert.Equal([("pair", "team", true, true), ("single", "team", true, true)], found.Select(f => (f.Name, f.Owner!, f.OwnerHere, f.Runs)));
        Assert.Empty(await portal.Api.InstancesAsync());
        await NoDifferenceAsync(portal.Api);
        Assert.Equal(s_nothing, (await TeamsAsync(portal)).Allocated);
        Assert.Contains("pair", (await portal.Wm.RunAsync("instance", "found")).Must(), StringComparison.Ordinal);

        (await portal.Wm.RunAsync("instance", "adopt", "--all", "--owner-from-tags")).Must();
        var after = await InSyncAsync(portal, "pair");
        Assert.Equal((pair.Id, pair.Primary, pair.Secondary, "team"), (after.Id, after.Primary, after.Secondary, after.Owner));
        Assert.Equal(["webmanager:owner:group:team", "shop"], after.Tags);
        Assert.Equal(guests, new[] { pair, single }.ToDictionary(i => i.Id, i => portal.Nodes.Guest(i.Id)!.Pid));
        var held = await TeamsAsync(portal);
        Assert.Equal((new UsageView(2, 2, 192, 128), 2), (held.Allocated, held.Running.Instances));
        await NoDifferenceAsync(portal.Api);
        await BeatsAsync(portal, after);
        Assert.True((await ledger.CheckAsync(after.Primary)) is { Clean: true } clean, "Nothing was lost.");
        Assert.Empty(await portal.Api.GetAsync<IReadOnlyList<FoundView>>("found"));
        // It is an instance like any other: its node dies, the other one goes on.
        await portal.Api.LabAsync(after.Primary, "kill");
        await Until.TrueAsync(async () => await portal.Api.InstanceAsync("pair") is { Status: "running" } i && i.Primary == pair.Secondary, LabFixture.Patience, "pair runs on its secondary");
        await BeatsAsync(portal, (await portal.Api.InstanceAsync("pair"))!);
        Assert.True((await ledger.CheckAsync(pair.Secondary!)).Clean);
    }

    [Fact]
    public async Task Without_any_database_nodes_join_anew_and_all_goes_back_to_groups_of_the_same_name()
    {
        await using var portal = await PortalProcess.StartAsync();
        await TeamAsync(portal);
        var (single, stopped) = (await MadeAsync(portal, "single", "file"), await MadeAsync(portal, "stopped", "mirror"));
        await BeatsAsync(portal, stopped);
        await portal.Api.SucceedsAsync(portal.Api.ActAsync("stopped", "stop", timeout: 20));
        await NotedAsync(portal, stopped, "webmanager:owner:group:team");
        var (ledger, guest) = (new BeatLedger(portal, stopped.Id, LabFixture.NodeNames), portal.Nodes.Guest(single.Id)!.Pid);
        ledger.Look();

        await portal.KillAsync();
        foreach (var lost in Directory.EnumerateFiles(portal.Data, "webmanager.db*")) { File.Delete(lost); }
        foreach (var lost in new[] { "ca", "keys" }) { Directory.Delete(Path.Combine(portal.Data, lost), recursive: true); }
        File.Delete(Path.Combine(portal.Data, "local-token"));
        await portal.BeginAsync(healthy: false);
        using var api = new Api(portal.Address, File.ReadAllText(Path.Combine(portal.Data, "local-token")).Trim());
        await Until.TrueAsync(async () => (await api.NodesAsync()).Count(n => n.Health == "online") == 3, LabFixture.Patience, "all nodes have joined anew");
        await Until.TrueAsync(async () => (await api.GetAsync<IReadOnlyList<FoundView>>("found")) is { Count: 2 } all && all.All(f => f.Why is null), LabFixture.Patience, "both are found");
        Assert.All(await api.GetAsync<IReadOnlyList<FoundView>>("found"), f => Assert.Equal(("team", false), (f.Owner, f.OwnerHere)));

        var refused = await portal.Wm.RunAsync("instance", "adopt", "single", "--owner-from-tags");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("team", refused.Error, StringComparison.Ordinal);
        (await portal.Wm.RunAsync("user-group", "add", "team")).Must();
        await Until.TrueAsync(async () => (await portal.Wm.RunAsync("instance", "adopt", "--all", "--owner-from-tags")).ExitCode == 0, LabFixture.Soon, "both are taken up", TimeSpan.FromSeconds(1));
        Assert.All(await api.InstancesAsync(), i => Assert.Equal("team", i.Owner));
        Assert.Equal(guest, portal.Nodes.Guest(single.Id)?.Pid);
        // The copies were equal when it was stopped, but nobody here can know that: it starts with one, the other is compared.
        await Until.TrueAsync(async () => (await api.SendAsync(HttpMethod.Post, "instances/stopped/start", new InstanceActionRequest())).Ok, LabFixture.Soon, "it may be started");
        var again = await Until.SomeAsync(async () => await api.InstanceAsync("stopped") is { Status: "running", Mirror: "inSync" } i ? i : null, LabFixture.Patience, "stopped runs in sync");
        await BeatsAsync(portal, again);
        Assert.True((await ledger.CheckAsync(again.Primary)).Clean);
        await NoDifferenceAsync(api);
    }

    private static async Task TeamAsync(PortalProcess portal)
    {
        (await portal.Wm.RunAsync("user-group", "add", "team")).Must();
        await portal.Api.SucceedsAsync(JobAsync(portal.Api.SendAsync(HttpMethod.Put, "quotas/usergroup:team", new SetQuotaRequest(new QuotaLimitsView(new LimitsView(2, null, null, null), new LimitsView(null, null, null, null))))));
    }

    private static async Task<InstanceView> MadeAsync(PortalProcess portal, string name, string template)
    {
        await portal.Api.SucceedsAsync(portal.Api.CreateAsync(LabFixture.Mirrored(name) with { Template = template, Owner = "usergroup:team" }));
        return await InSyncAsync(portal, name);
    }

    private static Task<InstanceView> InSyncAsync(PortalProcess portal, string name) =>
        Until.SomeAsync(async () => await portal.Api.InstanceAsync(name) is { Status: "running", Mirror: "inSync" or "none" } i ? i : null, LabFixture.Patience, $"{name} is running and in sync");

    private static Task BeatsAsync(PortalProcess portal, InstanceView at)
    {
        var serial = portal.Serial(at);
        var from = serial.LastBeat();
        return Until.TrueAsync(() => serial.LastBeat() >= from + 5, LabFixture.Patience, $"{at.Name} counts on");
    }

    /// <summary>Each of its nodes keeps these tags.</summary>
    private static Task NotedAsync(PortalProcess portal, InstanceView at, params string[] tags) => Until.TrueAsync(() => new[] { at.Primary, at.Secondary! }.All(node =>
        Path.Combine(portal.InstanceFolder(node, at.Id), "note.json") is var note && File.Exists(note) && File.ReadAllText(note) is var text && tags.All(t => text.Contains($"\"{t}\"", StringComparison.Ordinal))), LabFixture.Soon, "both nodes have the note");

    private static Task<List<FoundView>> FoundAsync(PortalProcess portal, int count) => Until.SomeAsync(async () =>
        await portal.Api.GetAsync<List<FoundView>>("found") is { } all && all.Count == count && all.All(f => f.Why is null) ? all : null, LabFixture.Patience, $"{count} instances are found");

    private static async Task<QuotaView> TeamsAsync(PortalProcess portal) => await portal.Api.GetAsync<QuotaView>("quotas/usergroup:team");

    private static async Task NoDifferenceAsync(Api api)
    {
        var job = await JobAsync(api.SendAsync(HttpMethod.Post, "quotas/recount", new RecountRequest()));
        Assert.Contains("no difference", Assert.Single(await api.LogAsync(job)));
    }

    private static async Task<long> JobAsync(Task<Reply> reply) => (await reply).As<JobAccepted>().Job;
}
