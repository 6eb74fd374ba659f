using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using WebManager.Agent.Node;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>Real agents that leave their place to the program that is installed by now, with a pretended guest that must not notice.</summary>
[Trait("Speed", "Slow")]
public sealed class HandOverTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();
    private readonly OtherProgram _programs = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _programs.Dispose();
    }

    private static readonly Guid Web = Guid.NewGuid();
    private static readonly GenerationRecord Record = new(Web, 1, "1", "n1", "n2", SyncState.InSync);
    private static readonly GuestSpec Guest = new(Web, "web", "tiny", 1, 96, DiskTemplate.Mirror, [new DiskSpec(0, Guid.NewGuid(), 16)], []);

    [Fact]
    public async Task Successor_of_another_version_takes_over_a_guest_that_does_not_notice_and_later_the_empty_keeper_is_replaced_too()
    {
        var (node, engine) = await RunningAsync();
        var before = await engine.BeatAsync(Record);
        var (guest, keeper) = (before.Instances!.Single().Pid, node.KeeperPid);
        Assert.Equal((NodeIdentity.Version, false), (before.Version, before.Keeper!.Older));

        _programs.Install(_programs.Real("1.0.1"));
        var order = new RestartAgentOrder(Guid.NewGuid(), 1);
        var (reply, gap) = await BeatingAsync(engine, () => engine.CallAsync(order), r => r.Run != before.Run);
        TestContext.Current.TestOutputHelper?.WriteLine($"Silent for {gap.TotalMilliseconds:0} ms.");
        Assert.Equal((NodeIdentity.Version, NodeIdentity.Version.Replace("1.0.0", "1.0.1", StringComparison.Ordinal), false), (reply.Value!.From, reply.Value.To, reply.Value.KeeperToo));
        Assert.Equal(0, await node.EndedAsync());
        var hello = (await engine.CallAsync(new HelloRequest())).Value!;
        Assert.Equal((reply.Value.To, new HandOverReport(order.Operation, reply.Value.From, null)), (hello.Version, hello.HandOver));
        var after = await engine.BeatAsync(Record);
        Assert.Equal((guest, GuestPhase.Running, MirrorPhase.InSync), (after.Instances!.Single().Pid, after.Instances!.Single().Guest, after.Instances!.Single().Mirror));
        Assert.Equal((keeper, true, reply.Value.To), (node.KeeperPid, after.Keeper!.Older, after.Version));
        Assert.True(node.PidNow != node.AgentPid && Real.IsAlive(node.PidNow));
        // The engine that got no answer asks again: nothing is restarted twice.
        Assert.Equal(reply.Value, (await engine.CallAsync(order)).Value);
        Assert.Equal(after.Run, (await engine.BeatAsync(Record)).Run);

        Assert.True((await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, Web, TimeSpan.Zero))).Ok);
        (reply, _) = await BeatingAsync(engine, () => engine.CallAsync(new RestartAgentOrder(Guid.NewGuid(), 1)), r => r.Run != after.Run && r.KeeperAlive);
        Assert.True(reply.Value!.KeeperToo);
        Assert.NotEqual(keeper, node.KeeperPid);
        Assert.False((await engine.BeatAsync()).Keeper!.Older);
    }

    [Fact]
    public async Task Service_manager_hears_who_serves()
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        var path = Path.Combine(_programs.Folder, "notify");
        manager.Bind(new UnixDomainSocketEndPoint(path));
        var (node, engine) = await RunningAsync(n => n.Environment["NOTIFY_SOCKET"] = path);
        var run = (await engine.BeatAsync(Record)).Run;
        await BeatingAsync(engine, () => engine.CallAsync(new RestartAgentOrder(Guid.NewGuid(), 1)), r => r.Run != run);
        await node.EndedAsync();
        var heard = new List<string>();
        var buffer = new byte[200];
        while (manager.Available > 0) heard.Add(Encoding.UTF8.GetString(buffer, 0, await manager.ReceiveAsync(buffer)));
        Assert.Equal(["READY=1", "READY=1", $"MAINPID={node.PidNow}"], heard);
    }

    [Theory]
    [InlineData("exit 3", "ends with code 3")]
    [InlineData("echo hello", "does not say which version it is: hello")]
    [InlineData("""echo '{"version":"9","build":"9","handOver":{"oldest":9,"newest":9},"keeper":{"oldest":1,"newest":9}}'""", "version 9 takes over by version 9 of the hand-over, this agent knows 1")]
    [InlineData("""echo '{"version":"9","build":"9","handOver":{"oldest":1,"newest":1},"keeper":{"oldest":8,"newest":9}}'""", "speaks version 8 to 9 with keepers, and the keeper with this node's guests 1 to 2")]
    [InlineData("""[ "$1" = version ] && exec "$real" version; echo broken >&2; exit 4""", "it ended at once, with code 4")]
    public async Task Agent_stays_when_the_installed_program_cannot_take_over(string program, string why)
    {
        var (node, engine) = await RunningAsync();
        var before = await engine.BeatAsync(Record);
        _programs.Install(_programs.Script("bad", program));
        var (refused, _) = await BeatingAsync(engine, () => engine.CallAsync(new RestartAgentOrder(Guid.NewGuid(), 1)), _ => true);
        Assert.Equal("agent.candidate-bad", refused.Refusal?.Code);
        Assert.Contains(why, refused.Refusal!.Message, StringComparison.Ordinal);
        var after = await engine.BeatAsync(Record);
        Assert.Equal((before.Run, before.Instances!.Single().Pid), (after.Run, after.Instances!.Single().Pid));
        // It takes orders as before.
        Assert.True((await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, Web, TimeSpan.Zero))).Ok);
    }

    [Fact]
    public async Task Agent_takes_its_place_again_when_the_successor_fails_after_it_has_left()
    {
        var (node, engine) = await RunningAsync();
        var before = await engine.BeatAsync(Record);
        var (guest, agent) = (before.Instances!.Single().Pid, node.PidNow);
        // A program that cannot read the node's state: it sees a damaged one.
        var damaged = Directory.CreateDirectory(Path.Combine(_programs.Folder, "state")).FullName;
        foreach (var file in Directory.EnumerateFiles(node.Folder, "agent.*").Append(Path.Combine(node.Folder, "ca.crt")).Where(f => !f.EndsWith("lock", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(damaged, Path.GetFileName(file)));
        Directory.CreateDirectory(Path.Combine(damaged, "keeper"));
        File.CreateSymbolicLink(Path.Combine(damaged, "keeper", "next"), Path.Combine(node.Folder, "keeper", "next"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(damaged, "instances", Web.ToString())).FullName, "generation.json"), "{");
        _programs.Install(_programs.Script("blind", $"""[ "$1" = version ] && exec "$real" version; exec "$real" run --dir {damaged} --after 1"""));

        var order = new RestartAgentOrder(Guid.NewGuid(), 1);
        var (reply, gap) = await BeatingAsync(engine, () => engine.CallAsync(order), r => r.Run != before.Run);
        TestContext.Current.TestOutputHelper?.WriteLine($"Silent for {gap.TotalMilliseconds:0} ms.");
        Assert.True(reply.Ok);
        var hello = (await engine.CallAsync(new HelloRequest())).Value!;
        Assert.Equal((order.Operation, NodeIdentity.Version), (hello.HandOver!.Operation, hello.Version));
        Assert.Contains("ended before it answered", hello.HandOver.Failed, StringComparison.Ordinal);
        await Until.TrueAsync(async () => (await engine.ReportAsync(Web, Record)) is { Guest: GuestPhase.Running, Mirror: MirrorPhase.InSync });
        Assert.Equal((guest, agent), ((await engine.ReportAsync(Web, Record))!.Pid, node.PidNow));
        Assert.True((await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, Web, TimeSpan.Zero))).Ok);
        // And the next one is taken.
        _programs.Install(_programs.Real("1.0.1"));
        var run = (await engine.BeatAsync()).Run;
        Assert.True((await BeatingAsync(engine, () => engine.CallAsync(new RestartAgentOrder(Guid.NewGuid(), 1)), r => r.Run != run)).Reply.Ok);
    }

    [Fact]
    public async Task Agent_stays_while_nobody_renews_its_guests_leases()
    {
        var (node, engine) = await RunningAsync();
        var run = (await engine.BeatAsync(Record)).Run;
        var since = Stopwatch.StartNew();
        Assert.Equal("agent.lease-stale", (await RefusedAsync(engine, since)).Code);
        // A slow machine may have come to the lease's end meanwhile; with the next answers the guest goes on.
        await Until.TrueAsync(async () => (await engine.ReportAsync(Web, Record)) is { Guest: GuestPhase.Running });
        Assert.Equal(run, (await engine.BeatAsync(Record)).Run);
    }

    /// <summary>Asked without a beat, until half of the lease is over.</summary>
    private static async Task<Refusal> RefusedAsync(TestEngine engine, Stopwatch since)
    {
        await Until.TrueAsync(() => since.Elapsed > TimeSpan.FromSeconds(Isolation / 2));
        return (await engine.CallAsync(new RestartAgentOrder(Guid.NewGuid(), 1))).Refusal ?? throw new InvalidOperationException("It left.");
    }

    private const int Isolation = 10;   // seconds; a loaded machine is slow to bring an agent up

    /// <summary>An agent of the installed program that runs an in-sync guest.</summary>
    private async Task<(TestNode Node, TestEngine Engine)> RunningAsync(Action<TestNode>? prepare = null)
    {
        _programs.Install(_programs.Real());
        var node = await _cluster.NodeAsync("n1");
        node.SetIsolation(Isolation);
        node.Program = _programs.Installed;
        prepare?.Invoke(node);
        await node.RunAsync();
        var engine = node.Engine();
        await engine.BeatAsync(Record);
        await engine.BeatAsync(Record);
        Assert.True((await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, Guest))).Ok);
        var started = await engine.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, Guest) { Record = Record, Replica = new ReplicaAddress("127.0.0.1", 1, ["x"]) });
        Assert.True(started.Ok, started.Refusal?.Message);
        return (node, engine);
    }

    /// <summary>Beats all the time, as an engine does: the reply, and the longest time without an answer until the wanted one.</summary>
    private static async Task<(Outcome<T> Reply, TimeSpan Gap)> BeatingAsync<T>(TestEngine engine, Func<Task<Outcome<T>>> act, Func<BeatReply, bool> until)
    {
        var acting = act();
        var (last, longest) = (Stopwatch.StartNew(), TimeSpan.Zero);
        var found = false;
        await Until.TrueAsync(async () =>
        {
            try { found = until(await engine.BeatAsync(Record)); }
            catch (HttpRequestException) { return false; }
            longest = last.Elapsed > longest ? last.Elapsed : longest;
            last.Restart();
            return acting.IsCompleted && (found || !(await acting).Ok);
        }, 40);
        return (await acting, longest);
    }
}
