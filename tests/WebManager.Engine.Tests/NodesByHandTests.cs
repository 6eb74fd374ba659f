// The simulated nodes without an engine: the test gives the orders itself. Shows that the agents' rules hold whoever gives them.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Ports;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class NodesByHandTests
{
    [Fact]
    public void Cut_off_primary_stops_by_itself_before_the_secondary_may_start() => Play(1, async hand =>
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(5);
        Assert.Equal("n1", hand.RunsOn);
        hand.World.Network.Cut("n1", "n2");
        hand.World.Network.Cut("n2", "n1");
        hand.World.Network.Cut(SimNetwork.Portal, "n1");
        hand.World.Network.Cut("n1", SimNetwork.Portal);
        await hand.BeatForAsync(2);
        var heard = await hand.SendAsync("n2", new StandDownOrder(hand.Id(), 1, hand.Record));
        Assert.True(heard.Value!.SinceHeardMs is > 1000 and < 3500);
        await hand.BeatForAsync(3.5 - heard.Value.SinceHeardMs.Value / 1000.0);
        Assert.Null(hand.RunsOn);
        var next = hand.Record with { Number = 2, Tag = "b", Primary = "n2", Secondary = "n1", Sync = SyncState.Alone };
        Assert.True((await hand.SendAsync("n2", new StoreGenerationOrder(hand.Id(), 1, next))).Ok);
        Assert.True((await hand.SendAsync("n2", new StartGuestOrder(hand.Id(), 1, hand.Guest) { Record = next })).Ok);
        await hand.BeatForAsync(5);
        Assert.Equal("n2", hand.RunsOn);
    });

    [Fact]
    public void Second_start_while_the_first_runs_is_noticed()
    {
        var broken = Assert.ThrowsAny<Exception>(() => Play(1, async hand =>
        {
            hand.Guest = hand.Guest with { OsParams = new Dictionary<string, string> { ["quiet"] = "on" } };
            await hand.StartInSyncAsync();
            await hand.BeatForAsync(3);
            var next = hand.Record with { Number = 2, Tag = "b", Primary = "n2", Secondary = "n1", Sync = SyncState.Alone };
            await hand.SendAsync("n2", new StartGuestOrder(hand.Id(), 1, hand.Guest) { Record = next });
        }));
        Assert.Contains("runs twice", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Frozen_primary_does_not_go_on_after_the_thaw() => Play(1, async hand =>
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(3);
        hand.World.Node("n1").Freeze();
        await hand.BeatForAsync(10);
        hand.World.Node("n1").Thaw();
        await hand.BeatForAsync(0.1);
        Assert.Null(hand.RunsOn);
    });

    [Fact]
    public void Secondary_keeps_the_primary_alive_without_an_engine() => Play(1, async hand =>
    {
        await hand.StartInSyncAsync();
        await hand.World.DelayAsync(TimeSpan.FromMinutes(10));
        Assert.Equal("n1", hand.RunsOn);
    });

    [Fact]
    public void Lost_secondary_pauses_the_guest_until_there_is_leave_to_go_on_alone() => Play(1, async hand =>
    {
        await hand.StartInSyncAsync();
        await hand.BeatForAsync(5);
        hand.World.Node("n2").PowerOff();
        await hand.BeatForAsync(2);
        Assert.Null(hand.RunsOn);
        var before = hand.World.Truth.Acknowledged(hand.Instance);
        await hand.BeatForAsync(5);
        Assert.Equal(before, hand.World.Truth.Acknowledged(hand.Instance));
        hand.Record = hand.Record with { Number = 2, Tag = "b", Sync = SyncState.Alone };
        Assert.True((await hand.SendAsync("n1", new DegradeOrder(hand.Id(), 1, hand.Record))).Ok);
        await hand.BeatForAsync(5);
        Assert.Equal("n1", hand.RunsOn);
        Assert.True(hand.World.Truth.Acknowledged(hand.Instance) > before);
    });

    [Fact]
    public void Copy_ends_in_a_promise_and_then_in_sync() => Play(1, async hand =>
    {
        await hand.StartAloneAsync();
        await hand.BeatForAsync(3);
        var replica = await hand.SendAsync("n2", new OpenReplicaOrder(hand.Id(), 1, hand.Record, hand.Guest));
        Assert.True((await hand.SendAsync("n1", new ResyncOrder(hand.Id(), 1, hand.Record, hand.Guest, replica.Value!.Replica))).Ok);
        await hand.BeatForAsync(10);
        Assert.Equal(MirrorPhase.Promised, hand.Reports["n1"].Single().Mirror);
        hand.Record = hand.Record with { Sync = SyncState.InSync };
        Assert.True((await hand.SendAsync("n1", new StoreGenerationOrder(hand.Id(), 1, hand.Record))).Ok);
        Assert.True((await hand.SendAsync("n2", new StoreGenerationOrder(hand.Id(), 1, hand.Record))).Ok);
        await hand.World.DelayAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("n1", hand.RunsOn);
        Assert.Equal(MirrorPhase.InSync, hand.World.Node("n1").Guests[hand.Instance].Mirror);
    });

    /// <summary>Without the rule the simulator must notice, or it would not notice an agent that breaks it.</summary>
    [Theory]
    [InlineData("", false)]
    [InlineData(nameof(RuleSwitches.InSyncNeedsLease), true)]
    [InlineData(nameof(RuleSwitches.LeaseFromIssue), true)]
    public void Lease_keeps_a_cut_off_guest_that_only_reads_from_running_twice(string without, bool noticed)
    {
        void Run() => Play(1, async hand =>
        {
            hand.Guest = hand.Guest with { OsParams = new Dictionary<string, string> { ["quiet"] = "on" } };
            await hand.StartInSyncAsync();
            await hand.BeatForAsync(3);
            var (n1, last) = (hand.World.Node("n1"), hand.World.Node("n1").Keeper!.Nonce);
            hand.World.Network.Cut("n1", "n2");
            hand.World.Network.Cut("n2", "n1");
            // The engine's last answer is under way for 2.5 s (H1).
            await hand.World.DelayAsync(TimeSpan.FromSeconds(2.5));
            n1.Keeper?.Answer(last, [hand.Record]);
            await hand.World.DelayAsync(TimeSpan.FromSeconds(1));
            var next = hand.Record with { Number = 2, Tag = "b", Primary = "n2", Secondary = "n1", Sync = SyncState.Alone };
            await hand.SendAsync("n2", new StartGuestOrder(hand.Id(), 1, hand.Guest) { Record = next });
            Assert.Equal("n2", hand.RunsOn);
        }, without.Length == 0 ? null : Drawing.Without(without));
        if (noticed) Assert.Contains("runs twice", Assert.Throws<InvariantBrokenException>(Run).Message, StringComparison.Ordinal);
        else Run();
    }

    [Fact]
    public void Same_seed_gives_the_same_history() => Assert.Equal(HistoryOf(7), HistoryOf(7));

    private static string HistoryOf(int seed)
    {
        var history = "";
        Play(seed, async hand =>
        {
            await hand.StartInSyncAsync();
            await hand.BeatForAsync(20);
            history = hand.World.History + hand.World.Truth.Acknowledged(hand.Instance) + " " + hand.World.Scheduler.Steps;
        });
        return history;
    }

    private static void Play(int seed, Func<Hand, Task> script, RuleSwitches? rules = null) => Hand.Play(seed, script, rules);
}
