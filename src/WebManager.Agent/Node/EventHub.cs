using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Events for whoever listens. A slow listener loses the oldest: state comes by the beat anyway.</summary>
public sealed class EventHub(TimeProvider clock)
{
    private readonly ConcurrentDictionary<Channel<AgentEvent>, bool> _listeners = new();
    private long _serial;
    private volatile bool _ended;

    public int Listeners => _listeners.Count;

    public void Tell(string kind, Guid? instance, string text)
    {
        var news = new AgentEvent(Interlocked.Increment(ref _serial), clock.GetUtcNow(), kind, instance, text);
        foreach (var listener in _listeners.Keys) listener.Writer.TryWrite(news);
    }

    /// <summary>The agent ends: streams would hold its end up until they are cut.</summary>
    public void End()
    {
        _ended = true;
        foreach (var listener in _listeners.Keys) listener.Writer.TryComplete();
    }

    public async IAsyncEnumerable<AgentEvent> ListenAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var mine = Channel.CreateBounded<AgentEvent>(new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest });
        _listeners[mine] = true;
        if (_ended) mine.Writer.TryComplete();
        try
        {
            // At once, because the response's headers leave only with the first event.
            yield return new AgentEvent(Interlocked.Read(ref _serial), clock.GetUtcNow(), "events.open", null, "Listening.");
            await foreach (var news in mine.Reader.ReadAllAsync(ct)) yield return news;
        }
        finally
        {
            _listeners.TryRemove(mine, out _);
        }
    }
}
