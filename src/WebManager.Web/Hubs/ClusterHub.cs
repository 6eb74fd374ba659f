// The live feed for other browsers and scripts: a snapshot, then what changed, in batches.
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.SignalR;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Web.Api;
using WebManager.Web.Identity;

namespace WebManager.Web.Hubs;

/// <summary>Snapshot: everything there is; the client forgets what it had. Lists hold new and changed rows, *Gone the keys of rows that are no more.</summary>
public sealed record ClusterBatch(bool Snapshot)
{
    public IReadOnlyList<NodeView> Nodes { get; init; } = [];
    public IReadOnlyList<string> NodesGone { get; init; } = [];
    public IReadOnlyList<InstanceView> Instances { get; init; } = [];
    public IReadOnlyList<Guid> InstancesGone { get; init; } = [];
    public IReadOnlyList<TemplateView> Templates { get; init; } = [];
    public IReadOnlyList<Guid> TemplatesGone { get; init; } = [];
    public IReadOnlyList<JobView> Jobs { get; init; } = [];
    public IReadOnlyList<EventView> Events { get; init; } = [];
}

/// <summary>/hubs/cluster. Client: connection.stream("Follow").subscribe(...).</summary>
public sealed class ClusterHub(IClusterEngine engine, Sessions sessions, TimeProvider time) : Hub
{
    private static readonly TimeSpan s_minGap = TimeSpan.FromMilliseconds(100);

    public async IAsyncEnumerable<ClusterBatch> Follow([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var caller = Callers.From(Context.User!, Callers.Api);
        var sees = engine.SightOf(caller);
        using var nodes = engine.Feeds.Nodes.Subscribe(sees.Node);
        using var instances = engine.Feeds.Instances.Subscribe(sees.Instance);
        using var templates = engine.Feeds.Templates.Subscribe(sees.For<TemplateRow>());
        using var jobs = engine.Feeds.Jobs.Subscribe(sees.Job);
        using var events = engine.Feeds.Events.Subscribe(sees.Event);
        yield return new ClusterBatch(true)
        {
            Nodes = [.. nodes.Snapshot.Values.Select(n => n.View())],
            Instances = [.. instances.Snapshot.Values.Select(i => i.View(engine))],
            Templates = [.. templates.Snapshot.Values.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => t.View(engine, caller))],
            Jobs = [.. jobs.Snapshot.Values.OrderBy(j => j.Id).Select(j => j.View())],
            Events = [.. events.Snapshot.Values.OrderBy(e => e.Id).Select(e => e.View())],
        };
        using var signedIn = await sessions.WatchAsync(Context.User!, cancellationToken);   // whose sign-in ends, hears nothing more
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Context.ConnectionAborted, signedIn.Ended);
        var batches = Channel.CreateBounded<ClusterBatch>(1);
        var pumps = Task.WhenAll(
            PumpAsync(nodes, b => new ClusterBatch(false) { Nodes = Rows(b, n => n.View()), NodesGone = Gone(b) }, batches, ends),
            PumpAsync(instances, b => new ClusterBatch(false) { Instances = Rows(b, i => i.View(engine)), InstancesGone = Gone(b) }, batches, ends),
            PumpAsync(templates, b => new ClusterBatch(false) { Templates = Rows(b, t => t.View(engine, caller)), TemplatesGone = Gone(b) }, batches, ends),
            PumpAsync(jobs, b => new ClusterBatch(false) { Jobs = Rows(b, j => j.View()) }, batches, ends),
            PumpAsync(events, b => new ClusterBatch(false) { Events = Rows(b, e => e.View()) }, batches, ends));
        try
        {
            await foreach (var batch in batches.Reader.ReadAllAsync(ends.Token)) { yield return batch; }
        }
        finally
        {
            await ends.CancelAsync();
            await pumps;
        }
    }

    private async Task PumpAsync<TKey, T>(LiveFeed<TKey, T>.Subscription feed, Func<IReadOnlyDictionary<TKey, T?>, ClusterBatch> make,
        Channel<ClusterBatch> to, CancellationTokenSource ends) where TKey : notnull where T : class
    {
        try
        {
            await foreach (var batch in feed.BatchesAsync(s_minGap, time, ends.Token)) { await to.Writer.WriteAsync(make(batch), ends.Token); }
        }
        catch (OperationCanceledException) { }
        catch (Exception ex) { to.Writer.TryComplete(ex); }
    }

    private static List<TView> Rows<TKey, T, TView>(IReadOnlyDictionary<TKey, T?> batch, Func<T, TView> view) where T : class =>
        [.. batch.Values.OfType<T>().Select(view)];

    private static List<TKey> Gone<TKey, T>(IReadOnlyDictionary<TKey, T?> batch) where T : class => [.. batch.Where(b => b.Value is null).Select(b => b.Key)];
}

public static class HubServices
{
    public static IServiceCollection AddClusterHub(this IServiceCollection services)
    {
        services.AddSignalR().AddJsonProtocol(options => WireJson.Apply(options.PayloadSerializerOptions));
        return services;
    }

    public static void MapClusterHub(this WebApplication app) => app.MapHub<ClusterHub>("/hubs/cluster", options => options.CloseOnAuthenticationExpiration = true);
}
