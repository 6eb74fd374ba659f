// Plays the engine by hand against simulated nodes: the test gives the orders and beats itself, right or wrong ones.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Ports;
using WebManager.Testing.Simulator;
using Xunit;

namespace WebManager.Engine.Tests;

internal sealed class Hand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private readonly Life _life = new();
    private readonly SimLinks _links;
    private readonly SimRandomness _randomness;
    private readonly Dictionary<string, string?> _nonces = [];

    private Hand(int seed, RuleSwitches? rules, double pace)
    {
        World = new SimWorld(new SimOptions { Seed = seed, Rules = rules ?? RuleSwitches.All, Pace = pace });
        World.Network.SlowPart = 0;
        _links = new SimLinks(World, _life, new SimClock(World.Scheduler));
        _randomness = new SimRandomness(World.Random);
        Instance = Id();
        Guest = new GuestSpec(Instance, "i1", "alpine", 1, 256, DiskTemplate.Mirror, [new DiskSpec(0, Id(), 1024)], []);
        Record = new GenerationRecord(Instance, 1, "a", "n1", "n2", SyncState.InSync);
        World.AddNode("n1");
        World.AddNode("n2");
    }

    public static void Play(int seed, Func<Hand, Task> script, RuleSwitches? rules = null, double pace = 1)
    {
        var hand = new Hand(seed, rules, pace);
        hand.World.Scheduler.Run(() => script(hand), TimeSpan.FromHours(1));
    }

    public SimWorld World { get; }
    public Guid Instance { get; }
    public GuestSpec Guest { get; set; }
    public GenerationRecord Record { get; set; }
    public ReplicaAddress? Replica { get; private set; }
    public Dictionary<string, IReadOnlyList<InstanceReport>> Reports { get; } = [];
    public string? RunsOn => World.Truth.Executing(Instance)?.Node.Name;

    public Guid Id() => _randomness.NewGuid();

    public Task<Outcome<T>> SendAsync<T>(string node, IAgentCall<T> call) => _links.To(node, "").CallAsync(call, Limit, CancellationToken.None);

    public Task<Outcome<StartGuestReply>> StartAsync(string node, GenerationRecord record) =>
        SendAsync(node, new StartGuestOrder(Id(), 1, Guest) { Record = record, Replica = record.Sync == SyncState.InSync ? Replica : null });

    /// <summary>The next record, with n2 for primary and alone.</summary>
    public GenerationRecord Promoted(string tag = "b") => Record with { Number = Record.Number + 1, Tag = tag, Primary = "n2", Secondary = "n1", Sync = SyncState.Alone };

    public async Task StartInSyncAsync()
    {
        await PrepareAsync();
        var replica = await SendAsync("n2", new OpenReplicaOrder(Id(), 1, Record, Guest));
        Replica = replica.Value!.Replica;
        Assert.Null((await StartAsync("n1", Record)).Refusal);
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
