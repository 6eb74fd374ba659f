using WebManager.Web.Lab;
using Xunit;

namespace WebManager.Web.Tests.Lab;

public sealed class LabCutsTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-test-").FullName;
    private LabIdentity _lab = null!;
    private LabNetwork? _network;

    public async ValueTask InitializeAsync() => _lab = LabIdentity.Open(_folder, "10.79", LabWires.Namespaces, await LabNetwork.UsedAsync(default));

    [Fact]
    public void A_node_may_be_cut_off_and_cut_from_others_at_the_same_time()
    {
        var cuts = LabCuts.None.Cut(1, null).Cut(2, 1).Cut(3, 2).Cut(1, 2);
        Assert.Equal([1], cuts.Nodes);
        Assert.Equal([1, 3], cuts.From(2));
        Assert.Equal([2], cuts.From(1));
    }

    [Fact]
    public void Healing_a_node_heals_all_of_its_cuts_and_no_others()
    {
        var cuts = LabCuts.None.Cut(1, null).Cut(1, 2).Cut(2, 3).Heal(1, null).Value!;
        Assert.Empty(cuts.Nodes);
        Assert.Equal([3], cuts.From(2));
        Assert.False(cuts.Heal(3, 2).Value!.Any);
    }

    [Fact]
    public void A_node_that_is_cut_off_cannot_be_healed_towards_one_other_alone()
    {
        var cuts = LabCuts.None.Cut(2, null);
        Assert.Equal("lab.cut.off", cuts.Heal(1, 2).Refusal?.Code);
        Assert.Equal("lab.cut.off", cuts.Heal(2, 1).Refusal?.Code);
    }

    [Fact]
    public async Task Without_wires_a_cut_is_refused_with_the_reason_and_healing_finds_nothing_to_do()
    {
        using var loopback = new LabSwitch(_lab with { Wires = LabWires.Loopback });
        await loopback.ReadAsync(default);
        var refused = await loopback.ChangeAsync(_ => LabCuts.None.Cut(1, null), default);
        Assert.Equal("lab.cut.no-wires", refused.Refusal?.Code);
        Assert.Contains("root", refused.Refusal?.Remedy, StringComparison.Ordinal);
        Assert.True((await loopback.ChangeAsync(_ => LabCuts.None, default)).Ok);
    }

    [Fact]
    public async Task A_cut_node_hears_nobody_and_nobody_hears_it_while_its_link_stays_up()
    {
        using var cables = await ThreeNodesAsync();
        await MustAsync(cables.ChangeAsync(_ => LabCuts.None.Cut(1, null), default));
        Assert.Equal(["host-n2", "host-n3", "n2-n3", "n3-n2"], await ReachAsync());
        Assert.Equal("1", (await File.ReadAllTextAsync($"/sys/class/net/{_lab.Namespace(1)}/carrier", TestContext.Current.CancellationToken)).Trim());
        await MustAsync(cables.ChangeAsync(cuts => cuts.Heal(1, null), default));
        Assert.Equal(9, (await ReachAsync()).Count);
    }

    [Fact]
    public async Task A_cut_between_two_nodes_leaves_the_third_and_the_host_alone_in_both_directions()
    {
        using var cables = await ThreeNodesAsync();
        await MustAsync(cables.ChangeAsync(_ => LabCuts.None.Cut(2, 1).Cut(2, 3), default));
        Assert.Equal(["host-n1", "host-n2", "host-n3", "n1-n3", "n3-n1"], await ReachAsync());
    }

    [Fact]
    public async Task A_portal_that_starts_anew_reads_the_cuts_from_the_kernel()
    {
        using var cables = await ThreeNodesAsync();
        var cuts = LabCuts.None.Cut(3, null).Cut(1, 2);
        await MustAsync(cables.ChangeAsync(_ => cuts, default));
        using var next = new LabSwitch(_lab);
        await next.ReadAsync(default);
        Assert.Equal(cuts.Nodes, next.Cuts.Nodes);
        Assert.Equal(cuts.Pairs, next.Cuts.Pairs);
        await MustAsync(next.ChangeAsync(_ => LabCuts.None, default));
        await cables.ReadAsync(default);
        Assert.False(cables.Cuts.Any);
    }

    [Fact]
    public async Task Nodes_that_are_healed_at_the_same_time_are_all_healed()
    {
        using var cables = await ThreeNodesAsync();
        await MustAsync(cables.ChangeAsync(_ => LabCuts.None.Cut(1, null).Cut(2, null).Cut(3, null), default));
        await Task.WhenAll(Enumerable.Range(1, 3).Select(node => MustAsync(cables.ChangeAsync(cuts => cuts.Heal(node, null), default))));
        using var next = new LabSwitch(_lab);
        await next.ReadAsync(default);
        Assert.False(next.Cuts.Any);
    }

    private async Task<LabSwitch> ThreeNodesAsync()
    {
        if (!await LabNetwork.PossibleAsync(default)) Assert.Skip("Network namespaces need root.");
        _network = new LabNetwork(_lab, _folder);
        await _network.EnsureHostAsync(default);
        for (var node = 1; node <= 3; node++) await _network.EnsureNodeAsync(node, default);
        return new LabSwitch(_lab);
    }

    /// <summary>Who gets an answer to a ping: "n1-n2" and "host-n1", sorted.</summary>
    private async Task<List<string>> ReachAsync()
    {
        var pings = Enumerable.Range(0, 4).SelectMany(from => Enumerable.Range(1, 3).Where(to => to != from).Select(to => (from, to)));
        var done = await Task.WhenAll(pings.Select(async p =>
        {
            string[] inside = p.from == 0 ? [] : ["netns", "exec", _lab.Namespace(p.from), "busybox"];
            var ping = await LabCommand.RunAsync(p.from == 0 ? "busybox" : "ip", [.. inside, "ping", "-c", "2", "-W", "1", _lab.Address(p.to)], default);
            return (Name: $"{(p.from == 0 ? "host" : $"n{p.from}")}-n{p.to}", ping.Ok);
        }));
        return [.. done.Where(d => d.Ok).Select(d => d.Name).Order(StringComparer.Ordinal)];
    }

    private static async Task MustAsync(Task<Contracts.Outcome<Contracts.Done>> change)
    {
        var done = await change;
        Assert.True(done.Ok, done.Refusal?.Message);
    }

    public async ValueTask DisposeAsync()
    {
        if (_network is not null)
        {
            await LabCommand.RunAsync("nft", ["delete", "table", "bridge", _lab.Bridge], default);
            for (var node = 1; node <= 3; node++) await _network.RemoveNodeAsync(node, default);
            await _network.RemoveHostAsync(default);
        }
        Directory.Delete(_folder, recursive: true);
    }
}
