// Events for people: shown at once, stored in batches behind.
using Microsoft.Extensions.Logging;
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

public sealed class EventBook(ClusterState state, ClusterFeeds feeds, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    private const int Shown = 500;
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);
    private readonly CancellationTokenSource _leaving = new();
    private readonly Lock _gate = new();
    private List<ClusterEvent> _pending = [];
    private Task _writing = Task.CompletedTask;
    private long _last;

    public void Begin(long lastId, IEnumerable<ClusterEvent> stored)
    {
        _last = lastId;
        foreach (var happened in stored) { feeds.Events.Set(happened.Id, happened); }
        _writing = WriteAsync();
    }

    public void Add(string kind, Severity severity, string subject, string text, string? from = null, string? to = null, long? job = null)
    {
        lock (_gate)
        {
            var happened = new ClusterEvent(++_last, clock.GetUtcNow(), kind, severity, subject, from, to, text) { Job = job };
            _pending.Add(happened);
            feeds.Events.Set(happened.Id, happened);
            feeds.Events.Set(happened.Id - Shown, null);
        }
    }

    private async Task WriteAsync()
    {
        while (!_leaving.IsCancellationRequested)
        {
            try { await Task.Delay(Every, clock, _leaving.Token); }
            catch (OperationCanceledException) { break; }
            await FlushAsync();
        }
        await FlushAsync();
    }

    private async Task FlushAsync()
    {
        List<ClusterEvent> batch;
        lock (_gate) { (batch, _pending) = (_pending, []); }
        if (batch.Count == 0) { return; }
        try
        {
            await state.ChangeAsync<Done>((_, changes) => { changes.Events.AddRange(batch); return Done.Value; }, CancellationToken.None);
        }
        catch (Ports.LeaseLostException) { }   // the engine in charge tells its own
        catch (Exception ex)
        {
            log.EventsNotStored(ex);
            lock (_gate) { _pending = [.. batch, .. _pending]; }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _leaving.Cancel();
        await _writing;
        _leaving.Dispose();
    }
}
