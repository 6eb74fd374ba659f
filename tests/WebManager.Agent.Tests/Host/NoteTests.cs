using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

/// <summary>What a node keeps of an instance for an engine without its record, and a node that joins anew; with pretended guests.</summary>
[Trait("Speed", "Slow")]
public sealed class NoteTests : IAsyncLifetime
{
    private readonly TestCluster _cluster = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;
    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static GuestSpec Guest(Guid id) => new(id, "web", "tiny", 1, 96, DiskTemplate.File, [new DiskSpec(0, Guid.NewGuid(), 16)], [new NicSpec(0, "aa:00:00:00:00:01", "10.0.0.9/24", null)])
    {
        OsParams = new Dictionary<string, string> { ["beat"] = "on" }, SshKeys = ["ssh-ed25519 AAAA me"], SshHostKey = "key",
    };

    private static KeptNote Note(GuestSpec guest, string digest, params string[] tags) => new(digest, new InstanceNote(guest) { Tags = tags, CreatedAt = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero), Priority = "high" });
    private static NoteInstanceOrder Order(KeptNote kept) => new(Guid.NewGuid(), 1, kept);

    [Fact]
    public async Task A_note_comes_with_the_disks_is_replaced_and_survives_the_agent_and_goes_with_the_instance()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var guest = Guest(Guid.NewGuid());
        Assert.True((await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, guest) { Kept = Note(guest, "one", "a") })).Ok);
        Assert.Equal("one", (await engine.ReportAsync(guest.Instance))!.Note);
        Assert.True((await engine.CallAsync(Order(Note(guest, "two", "webmanager:owner:user:ada")))).Ok);
        await node.KillAgentAsync();
        await node.RunAsync();
        Assert.Equal("two", (await engine.ReportAsync(guest.Instance))!.Note);
        var kept = Assert.Single((await engine.CallAsync(new NotesRequest([guest.Instance, Guid.NewGuid()]))).Value!.Notes);
        Assert.Equivalent(Note(guest, "two", "webmanager:owner:user:ada"), kept, strict: true);
        Assert.True((await engine.CallAsync(new RemoveInstanceOrder(Guid.NewGuid(), 1, guest.Instance))).Ok);
        Assert.Empty((await engine.CallAsync(new NotesRequest([guest.Instance]))).Value!.Notes);
        Assert.False(Directory.Exists(Path.Combine(node.Folder, "instances", guest.Instance.ToString())));
    }

    [Fact]
    public async Task A_note_of_what_is_not_here_leaves_nothing_behind()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var guest = Guest(Guid.NewGuid());
        Assert.Equal("instance.absent", (await engine.CallAsync(Order(Note(guest, "one")))).Refusal?.Code);
        Assert.Null(await engine.ReportAsync(guest.Instance));
        Assert.False(Directory.Exists(Path.Combine(node.Folder, "instances", guest.Instance.ToString())));
    }

    [Fact]
    public async Task An_instance_without_a_note_is_known_by_what_it_was_started_with()
    {
        var node = await _cluster.NodeAsync("n1");
        await node.RunAsync();
        using var engine = node.Engine();
        var guest = Guest(Guid.NewGuid());
        Assert.True((await engine.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, guest))).Ok);
        Assert.Empty((await engine.CallAsync(new NotesRequest([guest.Instance]))).Value!.Notes);
        Assert.True((await engine.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, guest))).Ok);
        var kept = Assert.Single((await engine.CallAsync(new NotesRequest([guest.Instance]))).Value!.Notes);
        Assert.Equal(("", "web", 0), (kept.Digest, kept.Note.Guest.Name, kept.Note.Tags.Count));
        Assert.Null((await engine.ReportAsync(guest.Instance))!.Note);
    }

    [Fact]
    public async Task A_node_that_joins_another_portal_keeps_its_instances_and_their_guests()
    {
        await using var other = new TestCluster();
        var node = await _cluster.NodeAsync("n1", "--memory", "4096");
        await node.RunAsync();
        var guest = Guest(Guid.NewGuid());
        int pid;
        using (var before = node.Engine())
        {
            Assert.True((await before.CallAsync(new CreateDisksOrder(Guid.NewGuid(), 1, guest) { Kept = Note(guest, "one", "webmanager:owner:user:ada") })).Ok);
            pid = (await before.CallAsync(new StartGuestOrder(Guid.NewGuid(), 1, guest))).Value!.Pid;
        }

        var (code, text) = await TestNode.CommandAsync("rejoin", other.Url, $"n1.{other.Secret}", "--dir", node.Folder);
        Assert.True(code == 0, text);
        await node.KillAgentAsync();
        await node.RunAsync(other);
        using var former = node.Engine();
        await Assert.ThrowsAsync<HttpRequestException>(() => former.CallAsync(new HelloRequest()));   // of another authority by now
        using var engine = new TestEngine(other, node, other.Issue("engine", "engine"));
        Assert.Equal(("n1", 4096), ((await engine.CallAsync(new HelloRequest())).Value!.Node, (await engine.CallAsync(new HelloRequest())).Value!.MemoryMiB));
        var report = await engine.ReportAsync(guest.Instance);
        Assert.Equal((GuestPhase.Running, pid, "one"), (report!.Guest, report.Pid!.Value, report.Note));
        Assert.Equal("webmanager:owner:user:ada", Assert.Single(Assert.Single((await engine.CallAsync(new NotesRequest([guest.Instance]))).Value!.Notes).Note.Tags));
    }

    [Fact]
    public async Task Rejoin_is_for_nodes_that_were_in_a_cluster()
    {
        await using var node = new TestNode(_cluster, "n1");
        var (code, text) = await TestNode.CommandAsync("rejoin", _cluster.Url, $"n1.{_cluster.Secret}", "--dir", node.Folder);
        Assert.Equal(2, code);
        Assert.Contains("Use join", text);
    }
}
