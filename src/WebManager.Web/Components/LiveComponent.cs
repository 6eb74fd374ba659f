// Pages that follow a feed: the first change is drawn at once, the following ones at most every 100 ms, and leaving ends every subscription.
using Microsoft.AspNetCore.Components;
using WebManager.Engine;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Components;

public abstract class LiveComponent : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _leaving = new();
    private readonly List<Task> _loops = [];
    private bool _left;

    private Sight? _sight;

    [Inject] public TimeProvider Clock { get; set; } = TimeProvider.System;
    [Inject] public IClusterEngine Source { get; set; } = default!;
    [CascadingParameter] public Caller? Viewer { get; set; }

    /// <summary>What whoever looks at this page may see; nobody sees nothing.</summary>
    protected Sight Sight => _sight ??= Viewer is null ? Sight.Nothing : Source.SightOf(Viewer);

    protected CancellationToken Leaving => _leaving.Token;

    /// <summary>Only what may be seen. Applies the picture now and every batch of changes later (null: gone), on the renderer, one render a batch.</summary>
    /// <param name="apply">Answers whether the page looks different now.</param>
    protected void Follow<TKey, T>(LiveFeed<TKey, T> feed, Func<IReadOnlyDictionary<TKey, T?>, bool> apply) where TKey : notnull where T : class
    {
        var subscription = feed.Subscribe(Sight.For<T>());
        apply(subscription.Snapshot!);
        _loops.Add(LoopAsync(subscription, apply));
    }

    protected void Follow<TKey, T>(LiveFeed<TKey, T> feed, Action<IReadOnlyDictionary<TKey, T?>> apply) where TKey : notnull where T : class =>
        Follow(feed, batch => { apply(batch); return true; });

    private async Task LoopAsync<TKey, T>(LiveFeed<TKey, T>.Subscription subscription, Func<IReadOnlyDictionary<TKey, T?>, bool> apply)
        where TKey : notnull where T : class
    {
        using var ends = subscription;
        try
        {
            await foreach (var batch in subscription.BatchesAsync(Gap, Clock, _leaving.Token).ConfigureAwait(false))
            {
                await InvokeAsync(() => { if (!_left && apply(batch)) { StateHasChanged(); } }).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested) { }
        catch (ObjectDisposedException) when (_leaving.IsCancellationRequested) { }
        catch (Exception problem) { await DispatchExceptionAsync(problem); }
    }

    public async ValueTask DisposeAsync()
    {
        if (_left) { return; }
        _left = true;
        await _leaving.CancelAsync();
        await LeaveAsync();
        await Task.WhenAll(_loops);
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What else a page has to let go of.</summary>
    protected virtual ValueTask LeaveAsync() => ValueTask.CompletedTask;
}
