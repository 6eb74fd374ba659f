// Keeps the notes on the nodes equal to what is stored here: a changed owner or tag reaches each of them, also one that was away.
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Loop;

internal sealed class NoteDesk(EngineParts parts)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5), Again = TimeSpan.FromSeconds(5);
    private const int AtOnce = 16;
    private readonly Dictionary<Guid, Made> _made = [];
    private readonly ConcurrentDictionary<(Guid Instance, string Node), bool> _underWay = new();
    private readonly ConcurrentDictionary<(Guid Instance, string Node), long> _refused = new();

    /// <summary>The note of an instance as it was then; made anew when anything of it changes.</summary>
    private sealed record Made(Instance Of, string? Owner, KeptNote Kept);

    /// <summary>Not while it is in doubt: the nodes may know better than this database.</summary>
    public void Look(Picture now, CancellationToken ct)
    {
        foreach (var gone in _made.Keys.Where(id => !now.Instances.ContainsKey(id)).ToList()) { _made.Remove(gone); }
        foreach (var i in now.Instances.Values.Where(i => i is { Stage: LifeStage.Ready, Doubt: null }))
        {
            foreach (var node in new[] { i.Primary, i.Secondary }.OfType<string>())
            {
                if (parts.Nodes.Find(node) is not { Health: NodeHealth.Online } watch || watch.ReportOf(i.Id) is not { } report || watch.Hello?.Can.Contains("notes") != true) { continue; }
                var kept = NoteOf(i, now);
                if (report.Note == kept.Digest || _underWay.Count >= AtOnce || WasRefused(i.Id, node)) { continue; }
                if (_underWay.TryAdd((i.Id, node), true)) { _ = SendAsync(i, watch, kept, ct); }
            }
        }
    }

    private bool WasRefused(Guid id, string node) => _refused.TryGetValue((id, node), out var at) && parts.Clock.GetElapsedTime(at) < Again;

    private KeptNote NoteOf(Instance i, Picture now)
    {
        var owner = OwnerTags.Of(i.Owner, now, parts.People);
        if (!_made.TryGetValue(i.Id, out var made) || !ReferenceEquals(made.Of, i) || made.Owner != owner)
        {
            _made[i.Id] = made = new Made(i, owner, Notes.Of(i, OwnerTags.All(i, now, parts.People)));
        }
        return made.Kept;
    }

    private async Task SendAsync(Instance i, NodeWatch watch, KeptNote kept, CancellationToken ct)
    {
        try
        {
            var epoch = parts.Now.Cluster.Epoch;
            // Another id each time: a repeated one would get the answer that the first one got.
            var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"note/{i.Id}/{watch.Name}/{kept.Digest}/{epoch}/{parts.Clock.GetTimestamp()}")).AsSpan(0, 16));
            var done = await watch.CallAsync(new NoteInstanceOrder(id, epoch, kept), Limit, ct);
            if (done.Ok) { _refused.TryRemove((i.Id, watch.Name), out _); } else { _refused[(i.Id, watch.Name)] = parts.Clock.GetTimestamp(); }
            if (!done.Ok && done.Refusal.Code is not ("node.unreachable" or "instance.absent")) { parts.Log.NoteRefused(watch.Name, i.Name, done.Refusal.Message); }
            watch.Nudge();
            // The beat that is under way may have been answered before: its word would have the note sent once more.
            await parts.Nodes.CaughtUpAsync([watch.Name], ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        finally { _underWay.TryRemove((i.Id, watch.Name), out _); }
    }
}
