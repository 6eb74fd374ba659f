using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using WebManager.Agent.Keeper;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Keeper;

/// <summary>An agent meets keepers of other versions: stand-ins on the keeper's socket.</summary>
public sealed class KeeperSpeechTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wm-k").FullName;
    private readonly Socket _keeper = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly TaskCompletionSource _launched = new();

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "keeper"));
        _keeper.Bind(new UnixDomainSocketEndPoint(KeeperFolder.SocketOf(Path.Combine(_folder, "keeper"))));
        _keeper.Listen(4);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _keeper.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(1, 2, 1, 2, 2)]
    [InlineData(1, 2, 2, 9, 2)]
    [InlineData(3, 5, 1, 4, 4)]
    [InlineData(1, 2, 3, 4, null)]
    [InlineData(3, 4, 1, 2, null)]
    public void Both_use_the_newest_version_that_both_know(int oldest, int newest, int othersOldest, int othersNewest, int? common) =>
        Assert.Equal(common, new SpeaksRange(oldest, newest).Common(new SpeaksRange(othersOldest, othersNewest)));

    [Fact]
    public async Task Keeper_from_before_versions_is_spoken_to_and_called_older()
    {
        await using var client = Client(KeeperSpeech.Own);
        var connected = new TaskCompletionSource<KeeperStatus>();
        client.Connected += connected.SetResult;
        client.Start();
        await AnswerAsync(new KeeperStatus(Guid.NewGuid(), 1, [Live], []));
        Assert.Single((await connected.Task).Live);
        Assert.Equal(new KeeperFacts("before versions were told", Older: true), client.Facts);
    }

    [Fact]
    public async Task Agent_says_plainly_that_it_does_not_understand_a_keeper_with_guests_and_tells_it_nothing()
    {
        await using var client = Client(new SpeaksRange(8, 9));
        var refused = new TaskCompletionSource<Refusal>();
        client.Connected += _ => refused.TrySetException(new InvalidOperationException("connected"));
        client.Refused += r => refused.TrySetResult(r);
        client.Start();
        await AnswerAsync(new KeeperStatus(Guid.NewGuid(), 1, [Live], []) { Version = "1.0.0", Build = "x", Speaks = new SpeaksRange(1, 2) });
        Assert.Equal("The keeper (version 1.0.0) speaks version 1 to 2, this agent 8 to 9.", (await refused.Task).Message);
        Assert.Equal("keeper.unreachable", (await client.LeaseAsync(Live.Record!, new CancellationTokenSource(TimeSpan.FromSeconds(8)).Token)).Refusal?.Code);
    }

    [Fact]
    public async Task Keeper_that_holds_nothing_is_ended_when_it_is_not_understood()
    {
        using var process = Process.Start("sleep", "1000");
        await using var client = Client(new SpeaksRange(8, 9));
        client.Start();
        await AnswerAsync(new KeeperStatus(Guid.NewGuid(), process.Id, [], []) { Version = "1.0.0", Build = "x", Speaks = new SpeaksRange(1, 2) });
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(128 + 15, process.ExitCode);
    }

    private static readonly LiveProcess Live = new($"guest:{Guid.Empty}", 1, new GenerationRecord(Guid.Empty, 1, "1", "n1", "n2", SyncState.InSync), default, null);

    private KeeperClient Client(SpeaksRange speaks) => new(_folder, () => { _launched.TrySetResult(); return Task.CompletedTask; }, TimeProvider.System) { Speaks = speaks };

    /// <summary>What the stand-in says to the first question on each connection; nothing else is answered.</summary>
    private async Task AnswerAsync(KeeperStatus status)
    {
        var agent = new NetworkStream(await _keeper.AcceptAsync(), ownsSocket: true);
        using var reader = new StreamReader(agent, Encoding.UTF8, leaveOpen: true);
        var asked = JsonSerializer.Deserialize((await reader.ReadLineAsync())!, KeeperJson.Default.KeeperRequest)!;
        Assert.Equal((KeeperVerb.Status, true), (asked.Verb, asked.Speaks is not null));
        await agent.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(new KeeperReply(0) { Status = status }, KeeperJson.Default.KeeperReply), (byte)'\n']);
        _ = agent;    // stays open until the process ends
    }
}
