using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using WebManager.Agent.Node;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Keeper;

/// <summary>The agent's end of the keeper's socket: starts a keeper when none answers, connects again when it died, tells both.</summary>
/// <param name="launch">Starts a keeper process for the folder; called again only when its socket still does not answer.</param>
public sealed class KeeperClient(string nodeFolder, Func<Task> launch, TimeProvider clock) : IKeeper, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<KeeperReply>> _waiting = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _leaving = new();
    private volatile NetworkStream? _stream;
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastId;
    private int _refused;
    private Task _loop = Task.CompletedTask;

    public event Action<ProcessEnd>? Ended;
    public event Action<KeeperStatus>? Connected;
    public event Action? Lost;
    public event Action<ProcessPause>? PauseChanged;
    public event Action<SpawnRequest, int>? Spawned;

    public bool Alive => _stream is not null;

    public KeeperFacts? Facts { get; private set; }

    /// <summary>What this agent speaks; another one in tests.</summary>
    public SpeaksRange Speaks { get; init; } = KeeperSpeech.Own;

    /// <summary>The keeper and this agent do not understand each other, and it holds guests: told once, and nothing else is said to it.</summary>
    public event Action<Refusal>? Refused;

    public void Start() => _loop = Task.Run(LoopAsync);

    /// <summary>Null when no keeper answered in time.</summary>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken ct)
    {
        try
        {
            await _connected.Task.WaitAsync(limit, clock, ct);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public async Task<Outcome<int>> SpawnAsync(SpawnRequest request, CancellationToken ct)
    {
        var reply = await CallAsync(new KeeperRequest(0, KeeperVerb.Spawn) { Spawn = request }, Patience, ct);
        if (reply.Pid is not { } pid) return reply.Refusal ?? new Refusal("keeper.failed", "The keeper gave no pid.");
        Spawned?.Invoke(request, pid);
        return pid;
    }

    public async Task<Outcome<int>> BecomeAsync(string id, string guestId, GenerationRecord record, CancellationToken ct)
    {
        var reply = await CallAsync(new KeeperRequest(0, KeeperVerb.Become) { Process = id, As = guestId, Records = [record] }, Patience, ct);
        if (reply.Pid is not { } pid) return reply.Refusal ?? new Refusal("keeper.failed", "The keeper gave no pid.");
        Spawned?.Invoke(new SpawnRequest(guestId, [], "", DieWithKeeper: true, record), pid);
        return pid;
    }

    public async Task<Outcome<Done>> KillAsync(string id, CancellationToken ct)
    {
        // A keeper that died meanwhile took the process along; its successor answers only once that is certain. So ask again.
        while (true)
        {
            var reply = await CallAsync(new KeeperRequest(0, KeeperVerb.Kill) { Process = id }, Patience, ct, waitForAnswer: true);
            if (reply.Refusal?.Code != "keeper.lost") return reply.Refusal is { } no ? no : Done.Value;
        }
    }

    public async Task<string?> ChallengeAsync(CancellationToken ct) =>
        Alive ? (await CallAsync(new KeeperRequest(0, KeeperVerb.Challenge), TimeSpan.FromMilliseconds(200), ct)).Nonce : null;

    public void Answer(string? nonce, IReadOnlyList<GenerationRecord> standsBehind)
    {
        if (Alive) _ = CallAsync(new KeeperRequest(0, KeeperVerb.Answer) { Nonce = nonce, Records = standsBehind }, Patience, CancellationToken.None);
    }

    public Task<Outcome<Done>> AdoptAsync(GenerationRecord record, CancellationToken ct) => TellAsync(new(0, KeeperVerb.Adopt) { Records = [record] }, ct);

    public Task<Outcome<Done>> PromiseAsync(GenerationRecord record, CancellationToken ct) => TellAsync(new(0, KeeperVerb.Promise) { Records = [record] }, ct);

    public Task<Outcome<Done>> LeaseAsync(GenerationRecord record, CancellationToken ct) => TellAsync(new(0, KeeperVerb.Lease) { Records = [record] }, ct);

    public async Task<KeeperStatus?> StatusAsync(CancellationToken ct) => (await CallAsync(new KeeperRequest(0, KeeperVerb.Status), Patience, ct)).Status;

    public Task ForgetAsync(string id, CancellationToken ct) => CallAsync(new KeeperRequest(0, KeeperVerb.Forget) { Process = id }, Patience, ct);

    public async ValueTask DisposeAsync()
    {
        if (_leaving.IsCancellationRequested) return;     // at a hand-over, before everything else
        await _leaving.CancelAsync();
        await _loop;
        _leaving.Dispose();
        _sending.Dispose();
    }

    private async Task<Outcome<Done>> TellAsync(KeeperRequest request, CancellationToken ct) =>
        (await CallAsync(request, Patience, ct)).Refusal is { } no ? no : Done.Value;

    private async Task<KeeperReply> CallAsync(KeeperRequest request, TimeSpan limit, CancellationToken ct, bool waitForAnswer = false)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<KeeperReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (!await WaitAsync(limit, ct)) return Gone("keeper.unreachable", "The keeper does not answer.");
            _waiting[id] = answer;
            await SendAsync(request with { Id = id }, ct);
            return waitForAnswer ? await answer.Task.WaitAsync(ct) : await answer.Task.WaitAsync(limit, clock, ct);
        }
        catch (TimeoutException)
        {
            return Gone("keeper.unreachable", $"The keeper did not answer {request.Verb} within {limit.TotalSeconds} s.");
        }
        catch (IOException)
        {
            return Gone("keeper.lost", "The keeper ended.");
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    private static KeeperReply Gone(string code, string text) => new(0) { Refusal = new Refusal(code, text, "The agent starts a new keeper by itself; try again.") };

    private async Task SendAsync(KeeperRequest request, CancellationToken ct)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(request, KeeperJson.Default.KeeperRequest);
        Array.Resize(ref line, line.Length + 1);
        line[^1] = (byte)'\n';
        await _sending.WaitAsync(ct);
        try
        {
            // Not cancellable: half a line would garble the next.
            await (_stream ?? throw new IOException("not connected")).WriteAsync(line, CancellationToken.None);
        }
        catch (ObjectDisposedException ex)
        {
            throw new IOException("not connected", ex);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task LoopAsync()
    {
        while (!_leaving.IsCancellationRequested)
        {
            try
            {
                await using var stream = await ConnectAsync();
                await ReadAsync(stream);
            }
            catch (Exception ex) when (ex is IOException or SocketException or JsonException)
            {
                await DelayAsync(20);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<NetworkStream> ConnectAsync()
    {
        var path = KeeperFolder.SocketOf(Path.Combine(nodeFolder, "keeper"));
        for (var tries = 0; ; tries++)
        {
            _leaving.Token.ThrowIfCancellationRequested();
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), _leaving.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException)
            {
                socket.Dispose();
                if (tries % 100 == 0) await launch();       // again after 2 s: the first may have failed to start
                await DelayAsync(20);
            }
        }
    }

    private async Task ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        _stream = stream;
        try
        {
            await SendAsync(new KeeperRequest(0, KeeperVerb.Status) { Speaks = Speaks }, _leaving.Token);
            while (await reader.ReadLineAsync(_leaving.Token) is { } line)
            {
                if (JsonSerializer.Deserialize(line, KeeperJson.Default.KeeperReply) is not { } reply) continue;
                if (reply is { Id: 0, Status: { } status }) Connect(status);
                else if (reply.Ended is { } end) Ended?.Invoke(end);
                else if (reply.Pause is { } pause) PauseChanged?.Invoke(pause);
                else if (_waiting.TryRemove(reply.Id, out var waiting)) waiting.TrySetResult(reply);
            }
        }
        finally
        {
            Disconnect();
        }
    }

    private void Connect(KeeperStatus status)
    {
        if (KeeperSpeech.Check(Speaks, status.Speaks, status.Version) is { } refusal)
        {
            // One that holds nothing can go; the next one is of this program.
            if (status.Live.Count == 0) _ = Native.kill(status.Pid, Native.SigTerm);
            else if (Interlocked.Exchange(ref _refused, 1) == 0) Refused?.Invoke(refusal);
            throw new IOException(refusal.Message);
        }

        Facts = new KeeperFacts(status.Version ?? "before versions were told", status.Build != NodeIdentity.Build);
        // First the picture, then the calls that waited for it.
        Connected?.Invoke(status);
        _connected.TrySetResult();
    }

    private void Disconnect()
    {
        (_stream, Facts) = (null, null);
        var was = _connected.Task.IsCompleted;
        if (was) _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var (_, waiting) in _waiting) waiting.TrySetException(new IOException("The keeper's connection broke."));
        if (was && !_leaving.IsCancellationRequested) Lost?.Invoke();
    }

    private async Task DelayAsync(int milliseconds)
    {
        try { await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), clock, _leaving.Token); }
        catch (OperationCanceledException) { }
    }
}
