using WebManager.Engine.Live;
using WebManager.Testing;
using Xunit;

namespace WebManager.Engine.Tests;

public sealed class LiveFeedTests
{
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(100);
    private readonly ManualClock _clock = new();
    private readonly LiveFeed<string, string> _feed = new();

    [Fact]
    public void Subscriber_gets_the_picture_then_what_changed()
    {
        _feed.Set("a", "1");
        Run(async sub =>
        {
            Assert.Equal("1", sub.Snapshot["a"]);
            _feed.Set("a", "2");
            _feed.Set("b", "1");
            var batch = await NextAsync(sub);
            Assert.Equal("2", batch["a"]);
            Assert.Equal("1", batch["b"]);
        });
    }

    [Fact]
    public void Many_changes_come_as_one_batch_with_the_newest_row() => Run(async sub =>
    {
        await using var batches = sub.BatchesAsync(Gap, _clock).GetAsyncEnumerator();
        for (var i = 0; i < 1000; i++) _feed.Set("a", $"{i}");
        Assert.True(await batches.MoveNextAsync());
        Assert.Equal("999", Assert.Single(batches.Current).Value);
        _feed.Set("a", "x");
        var before = _clock.GetUtcNow();
        Assert.True(await batches.MoveNextAsync());
        Assert.True(_clock.GetUtcNow() - before >= Gap);
    });

    [Fact]
    public void Removal_comes_as_null() => Run(async sub =>
    {
        _feed.Set("a", "1");
        _feed.Set("a", null);
        Assert.Null((await NextAsync(sub))["a"]);
    });

    [Fact]
    public void Equal_row_is_not_published_again()
    {
        _feed.Set("a", "1");
        Run(async sub =>
        {
            _feed.Set("a", new string('1', 1));
            _feed.Set("b", "2");
            Assert.Equal("b", Assert.Single(await NextAsync(sub)).Key);
        });
    }

    [Fact]
    public void Disposed_subscription_is_forgotten_and_its_loop_ends() => new DeterministicScheduler(_clock).Run(async () =>
    {
        var sub = _feed.Subscribe();
        Assert.Equal(1, _feed.SubscriberCount);
        var loop = CountAsync(sub);
        sub.Dispose();
        Assert.Equal(0, _feed.SubscriberCount);
        Assert.Equal(0, await loop);
    }, TimeSpan.FromMinutes(1));

    private async Task<int> CountAsync(LiveFeed<string, string>.Subscription sub)
    {
        var n = 0;
        await foreach (var _ in sub.BatchesAsync(Gap, _clock)) n++;
        return n;
    }

    private async Task<IReadOnlyDictionary<string, string?>> NextAsync(LiveFeed<string, string>.Subscription sub)
    {
        await foreach (var batch in sub.BatchesAsync(Gap, _clock)) return batch;
        throw new InvalidOperationException("The subscription ended.");
    }

    private void Run(Func<LiveFeed<string, string>.Subscription, Task> test) => new DeterministicScheduler(_clock).Run(async () =>
    {
        using var sub = _feed.Subscribe();
        await test(sub);
    }, TimeSpan.FromMinutes(1));
}
