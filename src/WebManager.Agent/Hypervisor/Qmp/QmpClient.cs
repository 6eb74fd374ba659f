using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace WebManager.Agent.Hypervisor.Qmp;

/// <summary>
/// One QMP monitor over a unix socket. In-order commands go one at a time, because QEMU stops reading a monitor whose queue is full,
/// and an out-of-band command could then not overtake a blocked one, which is all that it is for.
/// </summary>
public sealed class QmpClient : IAsyncDisposable
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);
    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly NetworkStream _stream;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _waiting = [];
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private TaskCompletionSource _awake = Completed();
    private int _halts;
    private long _lastId;

    private QmpClient(Socket socket, TimeProvider clock)
    {
        (_socket, _clock) = (socket, clock);
        _stream = new NetworkStream(socket, ownsSocket: false);
        _reader = new StreamReader(_stream, Encoding.UTF8);
    }

    /// <summary>Raised on the reading loop, in QEMU's order: a handler must be quick and must not wait for a command.</summary>
    public event Action<QmpEvent>? Event;

    /// <summary>Completes when the monitor is gone.</summary>
    public Task Closed => _closed.Task;

    /// <summary>The process is stopped (SIGSTOP): no limit passes meanwhile. A command whose time was over in between gets its time anew.</summary>
    public bool Halted
    {
        get => !_awake.Task.IsCompleted;
        set
        {
            if (value == Halted) return;
            if (value) Interlocked.Increment(ref _halts);
            if (value) _awake = new(TaskCreationOptions.RunContinuationsAsynchronously);
            else _awake.TrySetResult();
        }
    }

    /// <summary>Connects, reads the greeting, negotiates out-of-band. Events are delivered from here on to <paramref name="onEvent"/>.</summary>
    public static async Task<QmpClient> ConnectAsync(string path, TimeProvider clock, Action<QmpEvent>? onEvent, CancellationToken ct)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try { await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct); }
        catch
        {
            socket.Dispose();
            throw;
        }
        var client = new QmpClient(socket, clock);
        try
        {
            if (await client._reader.ReadLineAsync(ct) is not { } greeting || !greeting.Contains("\"QMP\"", StringComparison.Ordinal))
                throw new QmpClosedException("No QMP greeting.");
            if (onEvent is not null) client.Event += onEvent;
            client._loop = client.ReadAsync();
            await client.ExecuteAsync("qmp_capabilities", new JsonObject { ["enable"] = new JsonArray("oob") }, ct);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Runs an in-order command. After <paramref name="limit"/> (10 s when null) TimeoutException; the command may still run in QEMU then,
    /// and keeps its place: later commands wait for it.
    /// </summary>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken ct, TimeSpan? limit = null)
    {
        var due = _clock.GetTimestamp();
        var halts = _halts;
        while (!await _turn.WaitAsync(limit ?? Usual, ct))
        {
            if (!await SleptAsync(halts, ct)) throw new TimeoutException($"{command}: QEMU is busy with an earlier command.");
            (due, halts) = (_clock.GetTimestamp(), _halts);
        }

        var left = (limit ?? Usual) - _clock.GetElapsedTime(due);
        var answer = await SendAsync("execute", command, arguments);
        // The turn ends with QEMU's answer, not with our patience.
        _ = answer.ContinueWith(_ => _turn.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return await WithinAsync(answer, left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), ct);
    }

    /// <summary>Overtakes every command that waits or hangs; only for commands QEMU allows out of band (yank).</summary>
    public async Task<JsonElement> ExecuteOobAsync(string command, JsonObject? arguments, CancellationToken ct, TimeSpan? limit = null) =>
        await WithinAsync(await SendAsync("exec-oob", command, arguments), limit ?? Usual, ct);

    private async Task<JsonElement> WithinAsync(Task<JsonElement> answer, TimeSpan limit, CancellationToken ct)
    {
        while (true)
        {
            var halts = _halts;
            try { return await answer.WaitAsync(limit, _clock, ct); }
            catch (TimeoutException)
            {
                if (!await SleptAsync(halts, ct)) throw;
            }
        }
    }

    /// <summary>Whether the process stood still since <paramref name="halts"/> was read; if it still does, once it goes on or is gone.</summary>
    private async Task<bool> SleptAsync(int halts, CancellationToken ct)
    {
        if (halts == _halts && !Halted) return false;
        await Task.WhenAny(_awake.Task, Closed).WaitAsync(ct);
        return true;
    }

    private static TaskCompletionSource Completed()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private async Task<Task<JsonElement>> SendAsync(string verb, string command, JsonObject? arguments)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<JsonElement>(command, TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var line = new JsonObject { [verb] = command, ["id"] = id };
        if (arguments is not null) line["arguments"] = arguments.DeepClone();
        await _writing.WaitAsync();
        try { await _stream.WriteAsync(Encoding.UTF8.GetBytes(line.ToJsonString() + "\n")); }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException) { Fail(id, e.Message); }
        finally { _writing.Release(); }
        if (_closed.Task.IsCompleted) Fail(id, "QEMU's monitor is closed.");
        return answer.Task;
    }

    private void Fail(long id, string why)
    {
        if (_waiting.TryRemove(id, out var answer)) answer.TrySetException(new QmpClosedException(why));
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _reader.ReadLineAsync() is { } line) Take(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or JsonException)
        {
            // The end of the monitor is told to everyone who waits, below.
        }
        _closed.TrySetResult();
        foreach (var id in _waiting.Keys) Fail(id, "QEMU closed its monitor.");
    }

    private void Take(string line)
    {
        if (line.Length == 0) return;
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.TryGetProperty("event", out var name))
        {
            Raise(new QmpEvent(name.GetString() ?? "", root.TryGetProperty("data", out var data) ? data.Clone() : default));
            return;
        }
        if (!root.TryGetProperty("id", out var id) || !_waiting.TryRemove(id.GetInt64(), out var answer)) return;
        if (root.TryGetProperty("error", out var error))
            answer.TrySetException(new QmpException((string)answer.Task.AsyncState!, error.GetProperty("class").GetString()!, error.GetProperty("desc").GetString()!));
        else
            answer.TrySetResult(root.GetProperty("return").Clone());
    }

    private void Raise(QmpEvent report)
    {
        try { Event?.Invoke(report); }
        catch (Exception)
        {
            // A handler's mistake must not cost the monitor.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        _reader.Dispose();
        await _loop;
        _closed.TrySetResult();
        foreach (var id in _waiting.Keys) Fail(id, "The monitor was closed.");
    }
}
