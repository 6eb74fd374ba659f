using System.Net.Http.Json;
using System.Security.Cryptography;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>Real agent and keeper processes with pretended guests, called as the engine calls them.</summary>
[Trait("Speed", "Slow")]
public sealed class AgentTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static GuestSpec Guest(Guid id, DiskTemplate template = DiskTemplate.Mirror) => new(id, "web", "tiny", 1, 96, template, template == DiskTemplate.Diskless ? [] : [new DiskSpec(0, Guid.NewGuid(), 16)], []);
    private static GenerationRecord Record(long n = 1, SyncState sync = SyncState.Alone, string p = "n1", string s = "n2", Guid? id = null, string? tag = null) => new(id ?? Guid.NewGuid(), n, tag ?? $"{n}", p, s, sync);
    private static StartGuestOrder Start(GenerationRecord record, long epoch = 1) => new(Guid.NewGuid(), epoch, Guest(record.Instance))
    {
        Record = record,
        Replica = record.Sync == SyncState.InSync ? new ReplicaAddress("127.0.0.1", 1, ["x"]) : null,
    };

    private static async Task<Outcome<StartGuestReply>> StartAsync(TestEngine engine, StartGuestOrder order)
    {
        Assert.True((await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), order.Epoch, order.Guest))).Ok);
        return await engine.CallAsync(order);
    }

    [Fact]
    public async Task Orders_that_come_after_the_removal_of_their_instance_leave_nothing_behind()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var alone = Record(1) with { Sync = SyncState.Alone };
        Assert.Equal("disks.missing", (await engine.CallAsync(Start(alone))).Refusal?.Code);
        Assert.Null(await engine.ReportAsync(alone.Instance));
        Assert.True((await StartAsync(engine, Start(alone))).Ok);
        Assert.True((await engine.CallAsync(new RemoveInstanceOrder(Guid.NewGuid(), 1, alone.Instance))).Ok);
        Assert.Equal("instance.removed", (await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, Guest(alone.Instance)))).Refusal?.Code);
        Assert.Equal("instance.removed", (await engine.CallAsync(Start(alone))).Refusal?.Code);
        Assert.Null(await engine.ReportAsync(alone.Instance));
        // An engine that was started since may carry on with its creation.
        Assert.True((await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 2, Guest(alone.Instance)))).Ok);
    }

    [Fact]
    public async Task Joined_node_says_hello_and_beats()
    {
        var node = await _cluster.NodeAsync("n1", "--memory", "4096", "--disk", "20480", "--cpus", "3");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(node.Folder, "agent.key")));
        await node.RunAsync();
        using var engine = node.Engine();
        var hello = (await engine.CallAsync(new HelloRequest())).Value!;
        Assert.Equal(("n1", HypervisorKind.Fake, 3, 4096, 20480), (hello.Node, hello.Hypervisor, hello.Cpus, hello.MemoryMiB, hello.DiskMiB));
        var beat = await engine.BeatAsync();
        Assert.True(beat.KeeperAlive);
        Assert.NotNull(beat.Nonce);
        var again = await engine.CallAsync(new BeatRequest("test", 1, "n1") { KnownRun = beat.Run, KnownState = beat.StateSerial });
        Assert.Null(again.Value!.Instances);
        Assert.Equal("beat.wrong-node", (await engine.CallAsync(new BeatRequest("test", 1, "n9"))).Refusal?.Code);
    }

    [Fact]
    public async Task Wrong_used_and_broken_tokens_and_an_impostor_are_told_apart()
    {
        var first = await _cluster.NodeAsync("n1");
        await using var node = new TestNode(_cluster, "n2");
        Assert.Contains("join.token-invalid", (await node.JoinAsync("n2.nonsense")).Text);
        var (code, text) = await node.JoinAsync("n2");
        Assert.Equal(2, code);
        Assert.Contains("ID.SECRET", text);
        await using var twin = new TestNode(_cluster, "n1");
        (code, text) = await twin.JoinAsync($"n1.{_cluster.Secret}");
        Assert.Equal(1, code);
        Assert.Contains("join.token-used", text);
        Assert.Contains("joined already", (await first.JoinAsync($"n1.{_cluster.Secret}")).Text);
        _cluster.Lies = true;
        (code, text) = await node.JoinAsync($"n2.{_cluster.Secret}");
        Assert.Equal(1, code);
        Assert.Contains("not your portal", text);
        Assert.False(File.Exists(Path.Combine(node.Folder, "agent.key")));
    }

    [Theory]
    [InlineData("'fly' is no verb", "fly")]
    [InlineData("--dir is missing", "run")]
    [InlineData("has no option --speed", "run", "--speed", "9")]
    [InlineData("--dir needs a value", "run", "--dir")]
    [InlineData("--address 'here' is not HOST:PORT", "join", "http://x", "a.b", "--dir", "/tmp/x", "--name", "n", "--address", "here")]
    [InlineData("--memory 'lots'", "join", "http://x", "a.b", "--dir", "/tmp/x", "--name", "n", "--address", "h:1", "--memory", "lots")]
    public async Task Wrong_arguments_are_named(string expected, params string[] arguments)
    {
        var (code, text) = await TestNode.CommandAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(expected, text);
    }

    [Fact]
    public async Task Only_the_engine_gets_in_and_peers_only_to_the_challenge()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var bare = node.Stranger(null);
        await Assert.ThrowsAsync<HttpRequestException>(() => bare.CallAsync(new HelloRequest()));
        await using var other = new TestCluster();
        using var foreign = node.Stranger(other.Issue("engine", "engine"));
        await Assert.ThrowsAsync<HttpRequestException>(() => foreign.CallAsync(new HelloRequest()));
        using var someone = node.Engine("someone", "people");
        Assert.Equal("caller.not-allowed", (await someone.CallAsync(new HelloRequest())).Refusal?.Code);
        using var peer = node.Engine("n2", "agent");
        Assert.Equal("caller.not-allowed", (await peer.CallAsync(new HelloRequest())).Refusal?.Code);
        Assert.Equal("x", (await peer.CallAsync(new PeerChallenge("n2", "x", []))).Value?.Nonce);
        Assert.Equal("peer.wrong-node", (await peer.CallAsync(new PeerChallenge("n3", "x", []))).Refusal?.Code);
    }

    [Fact]
    public async Task Older_epochs_are_refused_also_after_a_restart()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        Assert.True((await engine.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 7, Record()))).Ok);
        Assert.Equal("order.stale-epoch", (await engine.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 6, Record()))).Refusal?.Code);
        await node.KillAgentAsync();
        await node.RunAsync();
        Assert.Equal("order.stale-epoch", (await engine.CallAsync(new BeatRequest("test", 6, "n1"))).Refusal?.Code);
    }

    [Fact]
    public async Task Repeated_orders_get_the_first_result_also_after_a_restart()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var order = new StoreGenerationOrder(Guid.NewGuid(), 1, Record(5));
        Assert.True((await engine.CallAsync(order)).Ok);
        var newer = order with { Operation = Guid.NewGuid(), Record = order.Record with { Number = 6, Tag = "6" } };
        Assert.True((await engine.CallAsync(newer)).Ok);
        await node.KillAgentAsync();
        await node.RunAsync();
        Assert.True((await engine.CallAsync(order)).Ok);
        Assert.Equal("generation.stale", (await engine.CallAsync(order with { Operation = Guid.NewGuid() })).Refusal?.Code);
        Assert.Equal("order.id-reused", (await engine.CallAsync(new StandUpOrder(order.Operation, 1, order.Record, Guid.NewGuid()))).Refusal?.Code);
        Assert.Equal(6, (await engine.ReportAsync(order.Record.Instance))!.Stored!.Number);
    }

    [Fact]
    public async Task Malformed_calls_name_the_field()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var reply = await engine.Http.PostAsJsonAsync("/v1/generation/store", new { operation = Guid.NewGuid(), epoch = 1, record = new { instance = "no guid" } });
        Assert.Equal(400, (int)reply.StatusCode);
        Assert.Equal("record.instance", (await reply.Content.ReadFromJsonAsync<Refusal>(WireJson.Options))!.Field);
        reply = await engine.Http.PostAsJsonAsync("/v1/guests/stop", new { operation = Guid.NewGuid(), epoch = 1 });
        Assert.Contains("instance", (await reply.Content.ReadFromJsonAsync<Refusal>(WireJson.Options))!.Message);
    }

    [Fact]
    public async Task Agent_killed_and_back_finds_the_same_guest_which_kept_its_lease_and_later_stands_still_without_one()
    {
        var node = await _cluster.NodeAsync("n1");
        node.SetIsolation(8);
        await node.RunAsync();
        var record = Record(sync: SyncState.InSync);
        using var engine = node.Engine();
        await engine.BeatAsync(record);
        await engine.BeatAsync(record);
        var pid = (await StartAsync(engine, Start(record))).Value!.Pid;
        await engine.BeatAsync(record);
        await node.KillAgentAsync();
        await node.RunAsync();
        for (var i = 0; i < 40; i++)
        {
            var report = await engine.ReportAsync(record.Instance, record);
            Assert.Equal((pid, record.Number), (report!.Pid, report.GuestGeneration));
            await Task.Delay(250);
        }

        // Nobody stands behind it any more: it stands still, also for the next agent, until somebody does again.
        InstanceReport? told = null;
        await Until.TrueAsync(async () => (told = await engine.ReportAsync(record.Instance))!.Guest == GuestPhase.Paused);
        Assert.Equal("Paused: neither the portal nor n2 answers.", told!.MirrorText);
        Assert.True(Real.IsStopped(pid));
        await node.KillAgentAsync();
        await node.RunAsync();
        Assert.Equal((GuestPhase.Paused, pid), ((told = await engine.ReportAsync(record.Instance))!.Guest, told.Pid));
        await Until.TrueAsync(async () => (told = await engine.ReportAsync(record.Instance, record))!.Guest == GuestPhase.Running);
        Assert.Equal((pid, null, false), (told!.Pid, told.MirrorText, Real.IsStopped(pid)));

        // The button is of no use to one that stands still; it ends all the same.
        await Until.TrueAsync(async () => (await engine.ReportAsync(record.Instance))!.Guest == GuestPhase.Paused);
        var stopped = (await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, record.Instance, TimeSpan.FromSeconds(1)))).Value!;
        Assert.Equal((GuestEnd.Killed, 1, false), (stopped.End, stopped.Generation, Real.IsAlive(pid)));
    }

    [Fact]
    public async Task Keeper_killed_is_replaced_and_its_guests_are_reported_killed()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var record = Record();
        var pid = (await StartAsync(engine, Start(record))).Value!.Pid;
        Real.Kill(node.KeeperPid);
        await Until.TrueAsync(async () => (await engine.ReportAsync(record.Instance))!.Guest == GuestPhase.Absent && (await engine.BeatAsync()).KeeperAlive);
        Assert.False(Real.IsAlive(pid));
        var report = (await engine.ReportAsync(record.Instance))!;
        Assert.Equal((GuestEnd.Killed, 1), (report.End, report.GuestGeneration));
        Assert.Equal("generation.spent", (await StartAsync(engine, Start(record))).Refusal?.Code);
        Assert.True((await StartAsync(engine, Start(record with { Number = 2, Tag = "2" }))).Ok);
    }

    [Fact]
    public async Task Stop_answers_when_reaped_and_knows_clean_from_killed()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var record = Record();
        var pid = (await StartAsync(engine, Start(record))).Value!.Pid;
        var stopped = (await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, record.Instance, TimeSpan.Zero))).Value!;
        Assert.Equal((GuestEnd.Killed, 1), (stopped.End, stopped.Generation));
        Assert.False(Real.IsAlive(pid));
        Assert.True((await engine.CallAsync(new RemoveInstanceOrder(Guid.NewGuid(), 1, record.Instance))).Ok);
        Assert.Null(await engine.ReportAsync(record.Instance));
        Assert.Equal(GuestEnd.None, (await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, record.Instance, TimeSpan.Zero))).Value!.End);
    }

    [Fact]
    public async Task Newer_record_with_another_primary_kills_at_once_and_is_kept()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var record = Record();
        Assert.True((await StartAsync(engine, Start(record))).Ok);
        var newer = record with { Number = 2, Tag = "2", Primary = "n2", Secondary = "n1" };
        InstanceReport? report = null;
        await Until.TrueAsync(async () => (report = await engine.ReportAsync(record.Instance, newer))!.Guest == GuestPhase.Absent && report.Stored!.Number == 2);
        Assert.Equal(GuestEnd.Killed, report!.End);
    }

    [Fact]
    public async Task Copy_promise_and_in_sync_and_back_to_alone()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var alone = Record();
        Assert.True((await StartAsync(engine, Start(alone))).Ok);
        var inSync = alone with { Sync = SyncState.InSync };
        Assert.Equal("generation.not-promised", (await engine.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, inSync))).Refusal?.Code);
        await engine.BeatAsync(alone);
        await engine.BeatAsync(alone);
        Assert.True((await engine.CallAsync(new ResyncOrder(Guid.NewGuid(), 1, alone, Guest(alone.Instance), new ReplicaAddress("127.0.0.1", 1, ["x"])))).Ok);
        await Until.TrueAsync(async () => (await engine.ReportAsync(alone.Instance, alone))!.Mirror == MirrorPhase.Promised);
        Assert.True((await engine.CallAsync(new StoreGenerationOrder(Guid.NewGuid(), 1, inSync))).Ok);
        Assert.Equal(MirrorPhase.InSync, (await engine.ReportAsync(alone.Instance, inSync))!.Mirror);
        var lost = alone with { Number = 2, Tag = "2" };
        Assert.True((await engine.CallAsync(new DegradeOrder(Guid.NewGuid(), 1, lost))).Ok);
        var report = (await engine.ReportAsync(alone.Instance, lost))!;
        Assert.Equal((MirrorPhase.Alone, 2, GuestPhase.Running), (report.Mirror, report.GuestGeneration, report.Guest));
    }

    [Fact]
    public async Task Primary_and_secondary_keep_each_other_alive_without_the_engine_until_the_secondary_stands_down()
    {
        var (p, s) = (await _cluster.NodeAsync("n1"), await _cluster.NodeAsync("n2"));
        p.SetIsolation(5);
        await Task.WhenAll(p.RunAsync(), s.RunAsync());
        using var toP = p.Engine();
        using var toS = s.Engine();
        var record = Record(sync: SyncState.InSync);
        var open = await toS.CallAsync(new OpenReplicaOrder(Guid.NewGuid(), 1, record, Guest(record.Instance)));
        Assert.Equal(record.Number, (await toS.ReportAsync(record.Instance))!.ExportGeneration);
        await toP.CallAsync(new BeatRequest("test", 1, "n1") { Peers = new Dictionary<string, string> { ["n1"] = p.Address, ["n2"] = s.Address } });
        var pid = (await StartAsync(toP, Start(record) with { Replica = open.Value!.Replica })).Value!.Pid;
        // The engine stands behind nothing from here on; only the secondary does.
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (since.Elapsed < TimeSpan.FromSeconds(7.5))
        {
            Assert.True(Real.IsAlive(pid));
            await Task.Delay(50);
        }

        var down = (await toS.CallAsync(new StandDownOrder(Guid.NewGuid(), 1, record))).Value!;
        Assert.InRange(down.SinceHeardMs!.Value, 0, 4000);
        since.Restart();
        await Until.TrueAsync(() => Real.IsStopped(pid));
        Assert.InRange(since.Elapsed.TotalSeconds, 1, 5.3);
    }

    [Fact]
    public async Task Console_and_events_reach_the_engine()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        await using var events = await engine.Http.GetStreamAsync("/v1/events");
        using var lines = new StreamReader(events);
        var record = Record();
        Assert.True((await StartAsync(engine, Start(record))).Ok);
        using var console = await engine.SerialAsync(record.Instance);
        Assert.Contains("ready: web", await console.ReadUntilAsync("ready: web"));
        await console.SendAsync("hello"u8.ToArray(), System.Net.WebSockets.WebSocketMessageType.Binary, true, default);
        Assert.Contains("hello", await console.ReadUntilAsync("hello"));
        Assert.Contains("hello", (await engine.CallAsync(new SerialTailRequest(record.Instance, 1))).Value!.Lines[0]);
        var stopped = (await engine.CallAsync(new StopGuestOrder(Guid.NewGuid(), 1, record.Instance, TimeSpan.FromSeconds(10)))).Value!;
        Assert.Equal(GuestEnd.Clean, stopped.End);
        var seen = "";
        while (!seen.Contains("guest.exited", StringComparison.Ordinal)) seen += await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Images_come_in_whole_or_not_at_all()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        var json = """{"name":"tiny","version":"1","kernel":"vmlinuz","minMemoryMiB":64}"""u8.ToArray();
        var files = new Dictionary<string, string> { ["vmlinuz"] = Convert.ToHexStringLower(SHA256.HashData(bytes)), ["image.json"] = Convert.ToHexStringLower(SHA256.HashData(json)) };
        (await engine.Http.PutAsync("/v1/images/tiny/1/vmlinuz", new ByteArrayContent(bytes))).EnsureSuccessStatusCode();
        Task<Outcome<Done>> PublishAsync() => engine.CallAsync(new PublishImageOrder(Guid.NewGuid(), 1, "tiny", "1", files));
        Assert.Equal("image.incomplete", (await PublishAsync()).Refusal?.Code);
        (await engine.Http.PutAsync("/v1/images/tiny/1/image.json", new ByteArrayContent("x"u8.ToArray()))).EnsureSuccessStatusCode();
        Assert.Equal("image.incomplete", (await PublishAsync()).Refusal?.Code);
        (await engine.Http.PutAsync("/v1/images/tiny/1/image.json", new ByteArrayContent(json))).EnsureSuccessStatusCode();
        Assert.True((await PublishAsync()).Ok);
        Assert.True((await PublishAsync()).Ok);
        Assert.Equal([new ImageRef("tiny", "1")], (await engine.CallAsync(new HelloRequest())).Value!.Images);
        Assert.Equal(409, (int)(await engine.Http.PutAsync("/v1/images/..%2fx/1/a", new ByteArrayContent(json))).StatusCode);
    }
}
