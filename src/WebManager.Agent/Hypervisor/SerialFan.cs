using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace WebManager.Agent.Hypervisor;

/// <summary>The tail of a serial console in memory, and everybody who watches it. A watcher that falls behind loses the oldest bytes, nobody waits for it.</summary>
public sealed class SerialFan(TimeProvider clock)
{
    private const int Kept = 64 * 1024;
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _tail = [];
    private readonly List<Channel<ReadOnlyMemory<byte>>> _listeners = [];
    private int _tailBytes;
    private bool _lineBegun;
    private bool _ended;

    /// <summary>When the first line with anything on it was complete.</summary>
    public DateTimeOffset? FirstLineAt { get; private set; }

    public event Action<DateTimeOffset>? FirstLine;

    public int Listeners { get { lock (_gate) return _listeners.Count; } }

    /// <summary>What was printed before this agent listened; it counts for nobody's first line.</summary>
    public void Recall(byte[] bytes) { lock (_gate) Keep(bytes); }

    /// <summary>The first line was seen by an earlier agent run.</summary>
    public void RecallFirstLine(DateTimeOffset at) => FirstLineAt = at;

    public void Append(byte[] bytes)
    {
        lock (_gate)
        {
            Keep(bytes);
            foreach (var listener in _listeners) listener.Writer.TryWrite(bytes);
        }
        if (FirstLineAt is null && EndsLine(bytes))
        {
            FirstLineAt = clock.GetUtcNow();
            FirstLine?.Invoke(FirstLineAt.Value);
        }
    }

    private bool EndsLine(byte[] bytes)
    {
        foreach (var b in bytes)
        {
            if (b == '\n' && _lineBegun) return true;
            if (b > ' ') _lineBegun = true;
        }
        return false;
    }

    private void Keep(byte[] bytes)
    {
        _tail.Enqueue(bytes);
        _tailBytes += bytes.Length;
        while (_tail.TryPeek(out var oldest) && _tailBytes - oldest.Length >= Kept) _tailBytes -= _tail.Dequeue().Length;
    }

    /// <summary>The last bytes printed, then everything new until the console ends or the caller leaves.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ListenAsync(int lastBytes, [EnumeratorCancellation] CancellationToken ct)
    {
        var channel = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest });
        byte[] history;
        lock (_gate)
        {
            history = _tail.SelectMany(b => b).ToArray();
            _listeners.Add(channel);
            if (_ended) channel.Writer.TryComplete();
        }
        try
        {
            if (lastBytes > 0 && history.Length > 0) yield return history.AsMemory(Math.Max(0, history.Length - lastBytes));
            await foreach (var bytes in channel.Reader.ReadAllAsync(ct)) yield return bytes;
        }
        finally { lock (_gate) _listeners.Remove(channel); }
    }

    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            foreach (var listener in _listeners) listener.Writer.TryComplete();
        }
    }
}
