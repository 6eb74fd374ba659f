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
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

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
        }, without.Length == 0 ? null : RuleSwitchTests.Without(without));
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

    private static void Play(int seed, Func<Hand, Task> script, RuleSwitches? rules = null)
    {
        var hand = new Hand(seed, rules);
        hand.World.Scheduler.Run(() => script(hand), TimeSpan.FromHours(1));
    }

    private sealed class Hand
    {
        private readonly Life _life = new();
        private readonly SimLinks _links;
        private readonly SimRandomness _randomness;
        private readonly Dictionary<string, string?> _nonces = [];

        public Hand(int seed, RuleSwitches? rules)
        {
            World = new SimWorld(new SimOptions { Seed = seed, Rules = rules ?? RuleSwitches.All });
            World.Network.SlowPart = 0;
            _links = new SimLinks(World, _life, new SimClock(World.Scheduler));
            _randomness = new SimRandomness(World.Random);
            Instance = Id();
            Guest = new GuestSpec(Instance, "i1", "alpine", 1, 256, DiskTemplate.Mirror, [new DiskSpec(0, Id(), 1024)], []);
            Record = new GenerationRecord(Instance, 1, "a", "n1", "n2", SyncState.InSync);
            World.AddNode("n1");
            World.AddNode("n2");
        }

        public SimWorld World { get; }
        public Guid Instance { get; }
        public GuestSpec Guest { get; set; }
        public GenerationRecord Record { get; set; }
        public Dictionary<string, IReadOnlyList<InstanceReport>> Reports { get; } = [];
        public string? RunsOn => World.Truth.Executing(Instance)?.Node.Name;

        public Guid Id() => _randomness.NewGuid();

        public Task<Outcome<T>> SendAsync<T>(string node, IAgentCall<T> call) => _links.To(node, "").CallAsync(call, Limit, CancellationToken.None);

        public async Task StartInSyncAsync()
        {
            await PrepareAsync();
            var replica = await SendAsync("n2", new OpenReplicaOrder(Id(), 1, Record, Guest));
            var started = await SendAsync("n1", new StartGuestOrder(Id(), 1, Guest) { Record = Record, Replica = replica.Value!.Replica });
            Assert.Null(started.Refusal);
        }

        public async Task StartAloneAsync()
        {
            await PrepareAsync();
            Record = Record with { Sync = SyncState.Alone };
            Assert.Null((await SendAsync("n1", new StartGuestOrder(Id(), 1, Guest) { Record = Record })).Refusal);
        }

        private async Task PrepareAsync()
        {
            foreach (var node in World.Nodes)
            {
                node.PowerOn();
                await SendAsync(node.Name, new CreateDisksOrder(Id(), 1, Guest));
            }

            await BeatForAsync(0.5);
        }

        public async Task BeatForAsync(double seconds)
        {
            for (var until = World.Now + TimeSpan.FromSeconds(seconds); World.Now < until;)
            {
                foreach (var node in World.Nodes)
                {
                    World.Spawn(() => BeatAsync(node));
                }

                var left = until - World.Now;
                await World.DelayAsync(left < TimeSpan.FromSeconds(0.5) ? left : TimeSpan.FromSeconds(0.5));
            }
        }

        private async Task BeatAsync(SimNode node)
        {
            var reply = await SendAsync(node.Name, new BeatRequest("c", 1, node.Name)
            {
                Nonce = _nonces.GetValueOrDefault(node.Name),
                StandsBehind = [Record],
                Peers = World.Nodes.ToDictionary(n => n.Name, n => n.Address),
            });
            if (reply.Value is not { } told) return;
            _nonces[node.Name] = told.Nonce;
            if (told.Instances is { } reports) Reports[node.Name] = reports;
        }
    }
}
