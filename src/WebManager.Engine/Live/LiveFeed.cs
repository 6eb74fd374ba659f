// A picture, then what changed: the one way live state reaches browsers (CONVENTIONS 1).
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace WebManager.Engine.Live;

/// <summary>Current rows by key, and subscribers that get the newest row per changed key. A slow subscriber costs memory per key, not per change.</summary>
public sealed class LiveFeed<TKey, T> where TKey : notnull where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, T> _current = [];
    private readonly List<Subscription> _subscribers = [];
    private long _version;

    public int SubscriberCount { get { lock (_gate) { return _subscribers.Count; } } }

    /// <summary>Grows with every change, and when what may be seen has changed: what was made from the rows is as new as this.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Publishes a row, or its removal (null). An equal row (by value) is not published again.</summary>
    public void Set(TKey key, T? value)
    {
        lock (_gate)
        {
            var had = _current.TryGetValue(key, out var old);
            if (value is null ? !_current.Remove(key) : had && value.Equals(old)) { return; }
            if (value is not null) { _current[key] = value; }
            Interlocked.Increment(ref _version);
            foreach (var subscriber in _subscribers) { subscriber.Post(key, value); }
        }
    }

    /// <summary>A row that is there, made anew from what it is now.</summary>
    public void Change(TKey key, Func<T, T> to)
    {
        lock (_gate) { if (_current.TryGetValue(key, out var now)) { Set(key, to(now)); } }
    }

    public IReadOnlyDictionary<TKey, T> Current() { lock (_gate) { return new Dictionary<TKey, T>(_current); } }

    /// <summary>The rows that may be seen.</summary>
    public IReadOnlyList<T> Current(Func<T, bool> sees) { lock (_gate) { return [.. _current.Values.Where(sees)]; } }

    public T? Find(TKey key) { lock (_gate) { return _current.GetValueOrDefault(key); } }

    /// <param name="sees">Rows for which it is false never reach the subscriber; asked at each change and at Recheck. Null: all do.</param>
    public Subscription Subscribe(Func<T, bool>? sees = null)
    {
        lock (_gate)
        {
            var snapshot = _current.Where(r => sees?.Invoke(r.Value) ?? true).ToDictionary();
            var subscription = new Subscription(this, snapshot, sees);
            _subscribers.Add(subscription);
            return subscription;
        }
    }

    /// <summary>What may be seen has changed: rows come and go accordingly.</summary>
    public void Recheck()
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _version);
            foreach (var subscriber in _subscribers.Where(s => s.Filtered))
            {
                foreach (var (key, value) in _current) { subscriber.Recheck(key, value); }
            }
        }
    }

    public sealed class Subscription(LiveFeed<TKey, T> owner, IReadOnlyDictionary<TKey, T> snapshot, Func<T, bool>? sees) : IDisposable
    {
        private readonly HashSet<TKey>? _shown = sees is null ? null : [.. snapshot.Keys];
        private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        private Dictionary<TKey, T?> _pending = [];

        public IReadOnlyDictionary<TKey, T> Snapshot { get; } = snapshot;

        internal bool Filtered => _shown is not null;

        internal void Recheck(TKey key, T value)
        {
            if (sees!(value) != _shown!.Contains(key)) { Post(key, value); }
        }

        internal void Post(TKey key, T? value)   // runs under the feed's lock
        {
            if (_shown is not null)
            {
                if (value is not null && !sees!(value)) { value = null; }
                // Of what was never shown not even the end is told.
                if (value is null && !_shown.Remove(key)) { return; }
                if (value is not null) { _shown.Add(key); }
            }
            _pending[key] = value;
            _signal.Writer.TryWrite(true);
        }

        /// <summary>Batches of newest rows (null: gone), at least minGap apart.</summary>
        public async IAsyncEnumerable<IReadOnlyDictionary<TKey, T?>> BatchesAsync(TimeSpan minGap, TimeProvider time, [EnumeratorCancellation] CancellationToken ct = default)
        {
            while (await _signal.Reader.WaitToReadAsync(ct))
            {
                _signal.Reader.TryRead(out _);
                Dictionary<TKey, T?> batch;
                lock (owner._gate) { (batch, _pending) = (_pending, []); }
                if (batch.Count > 0) { yield return batch; }
                await Task.Delay(minGap, time, ct);
            }
        }

        public void Dispose()
        {
            lock (owner._gate) { owner._subscribers.Remove(this); }
            _signal.Writer.TryComplete();
        }
    }
}
