using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Threading.Channels;
using WebManager.Contracts;
using WebManager.Agent.Storage;

namespace WebManager.Agent.State;

/// <summary>The result an operation had, as it went over the wire.</summary>
public sealed record JournalResult(int Status, JsonElement Body);

/// <summary>
/// Every order by its operation id: begun before acting, finished with its result. One file, appended and synced (many lines a sync);
/// begun but unfinished means the order is simply carried out again.
/// </summary>
public sealed class Journal : IAsyncDisposable
{
    private const int Remembered = 4096;
    private const long CompactBeyond = 16 << 20;

    private sealed record Line(Guid Op, string Path, DateTimeOffset At) { public JournalResult? Result { get; init; } }

    private readonly string _file;
    private readonly TimeProvider _clock;
    private readonly Dictionary<Guid, Line> _known = [];
    private readonly Queue<Guid> _order = [];
    private readonly Lock _gate = new();
    private readonly Channel<(byte[] Line, TaskCompletionSource Done)> _queue = Channel.CreateUnbounded<(byte[], TaskCompletionSource)>();
    private FileStream _stream;
    private bool _torn;
    private readonly Task _writer;

    public Journal(string file, TimeProvider clock)
    {
        (_file, _clock) = (file, clock);
        Read();
        Compact();
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Orders that a crash interrupted.</summary>
    public int Unfinished { get; private set; }

    /// <summary>The first result of this id. A refusal when the id was used for another call.</summary>
    public Outcome<JournalResult>? Find(Guid operation, string path)
    {
        lock (_gate)
        {
            if (!_known.TryGetValue(operation, out var line)) return null;
            if (line.Path != path) return new Refusal("order.id-reused", $"Operation {operation} was {line.Path} before.") { Field = "operation" };
            if (line.Result is { } result) return result;
            return null;
        }
    }

    public Task BeginAsync(Guid operation, string path) => AppendAsync(new Line(operation, path, _clock.GetUtcNow()));

    public Task EndAsync(Guid operation, string path, JournalResult result) => AppendAsync(new Line(operation, path, _clock.GetUtcNow()) { Result = result });

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writer;
        await _stream.DisposeAsync();
    }

    private Task AppendAsync(Line line)
    {
        Remember(line);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(line, WireJson.Options);
        if (!_queue.Writer.TryWrite(([.. bytes, (byte)'\n'], done))) done.SetCanceled();
        return done.Task;
    }

    private async Task WriteAsync()
    {
        var batch = new List<TaskCompletionSource>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            try
            {
                while (_queue.Reader.TryRead(out var next))
                {
                    batch.Add(next.Done);
                    // Half a line that a full disk left must not spoil the next one.
                    if (_torn) _stream.WriteByte((byte)'\n');
                    _torn = false;
                    _stream.Write(next.Line);
                }

                _stream.Flush(flushToDisk: true);
                foreach (var done in batch) done.SetResult();
                if (_stream.Length > CompactBeyond) Compact();
            }
            catch (IOException ex)
            {
                _torn = true;
                foreach (var done in batch) done.TrySetException(ex);
            }

            batch.Clear();
        }
    }

    private void Remember(Line line)
    {
        lock (_gate)
        {
            if (_known.TryAdd(line.Op, line)) _order.Enqueue(line.Op);
            else _known[line.Op] = line;
            while (_order.Count > Remembered) _known.Remove(_order.Dequeue());
        }
    }

    private void Read()
    {
        if (!File.Exists(_file)) return;
        foreach (var text in File.ReadLines(_file))
        {
            // Torn by a crash or a full disk: nobody was told of it.
            try { if (JsonSerializer.Deserialize<Line>(text, WireJson.Options) is { } line) Remember(line); }
            catch (JsonException) { }
        }

        Unfinished = _known.Values.Count(l => l.Result is null);
    }

    private FileStream Open() => new(_file, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);

    [MemberNotNull(nameof(_stream))]
    private void Compact()
    {
        using var all = new MemoryStream();
        lock (_gate)
        {
            foreach (var id in _order)
            {
                JsonSerializer.Serialize(all, _known[id], WireJson.Options);
                all.WriteByte((byte)'\n');
            }
        }

        DurableFile.Write(_file, all.ToArray());
        _stream?.Dispose();
        _stream = Open();
    }
}
