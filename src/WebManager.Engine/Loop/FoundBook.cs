// Looks through what nodes report for instances that no record names, asks what they are, and shows them.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using WebManager.Contracts.Agent;
using WebManager.Engine.Access;
using WebManager.Engine.Live;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Plan;

namespace WebManager.Engine.Loop;

/// <summary>
/// Nothing of it is stored: it is what the nodes say, also those that are silent by now, for as long as this engine remembers. What this cluster
/// has removed is not found again.
/// </summary>
internal sealed class FoundBook(EngineParts parts, RowMaker rows)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private const int AtOnce = 200;

    /// <summary>By node and instance: the answer, and the report that it belongs to.</summary>
    private readonly ConcurrentDictionary<(string Node, Guid Instance), Answer> _asked = new();
    private readonly ConcurrentDictionary<string, bool> _underWay = new(StringComparer.Ordinal);

    private sealed record Answer(Guid Run, string? Digest, KeptNote? Kept);

    public async Task LookAsync(Picture now, CancellationToken ct)
    {
        var seen = Unknown(now);
        if (seen.Count == 0 && now.Found.IsEmpty) { return; }
        foreach (var gone in _asked.Keys.Where(k => !seen.ContainsKey(k.Instance)).ToList()) { _asked.TryRemove(gone, out _); }
        foreach (var watch in parts.Nodes.All.Where(w => w.Health == NodeHealth.Online)) { Ask(watch, seen, ct); }
        var found = seen.Select(s => Owned(Finding.Of(s.Key, [.. s.Value.Select(v => SightingOf(v.Watch, v.Report))], node => now.Nodes.ContainsKey(node) ? parts.Nodes.HealthOf(node) : null), now))
            .ToImmutableSortedDictionary(f => f.Id, f => f);
        if (found.Count == now.Found.Count && found.All(f => now.Found.TryGetValue(f.Key, out var old) && old.Key == f.Value.Key)) { return; }
        // By then one of them may have been taken up.
        await parts.State.ShowAsync(newest => newest with { Found = found.RemoveRange(found.Keys.Where(newest.Instances.ContainsKey)) }, ct);
        foreach (var f in found.Values.Where(f => !now.Found.ContainsKey(f.Id))) { parts.Log.FoundOnNodes(f.Id, string.Join(", ", f.On.Select(o => o.Node))); }
        rows.ShowFound();
    }

    private FoundInstance Owned(FoundInstance f, Picture now) => OwnerTags.In(f.Note?.Tags ?? []) is { } tag && OwnerTags.KeyOf(tag, now, parts.People) is var owner
        ? f with { OwnerTag = tag, Owner = owner, Key = $"{f.Key}|{tag}/{owner}" } : f;

    private SortedDictionary<Guid, List<(NodeWatch Watch, InstanceReport Report)>> Unknown(Picture now)
    {
        var seen = new SortedDictionary<Guid, List<(NodeWatch, InstanceReport)>>();
        foreach (var watch in parts.Nodes.All)
        {
            foreach (var (id, report) in watch.Reports)
            {
                if (now.Instances.ContainsKey(id) || now.Removed.Contains(id) || !Finding.IsThere(report)) { continue; }
                if (!seen.TryGetValue(id, out var nodes)) { seen[id] = nodes = []; }
                nodes.Add((watch, report));
            }
        }
        return seen;
    }

    private Sighting SightingOf(NodeWatch watch, InstanceReport report)
    {
        var answer = _asked.GetValueOrDefault((watch.Name, report.Instance));
        return new Sighting(watch.Name, watch.Health == NodeHealth.Online, report, answer?.Kept, answer is not null);
    }

    private void Ask(NodeWatch watch, SortedDictionary<Guid, List<(NodeWatch Watch, InstanceReport Report)>> seen, CancellationToken ct)
    {
        if (watch.LastReply is not { } reply) { return; }
        var wanted = seen.SelectMany(s => s.Value).Where(s => s.Watch == watch && IsNew(watch, s.Report, reply.Run)).Select(s => s.Report).Take(AtOnce).ToList();
        if (wanted.Count > 0 && _underWay.TryAdd(watch.Name, true)) { _ = AskAsync(watch, wanted, reply.Run, ct); }
    }

    private bool IsNew(NodeWatch watch, InstanceReport report, Guid run) =>
        !_asked.TryGetValue((watch.Name, report.Instance), out var answer) || answer.Run != run || answer.Digest != report.Note;

    private async Task AskAsync(NodeWatch watch, IReadOnlyList<InstanceReport> wanted, Guid run, CancellationToken ct)
    {
        try
        {
            if (watch.Hello?.Can.Contains("notes") != true)
            {
                foreach (var r in wanted) { _asked[(watch.Name, r.Instance)] = new Answer(run, r.Note, null); }
                return;
            }
            var notes = await watch.CallAsync(new NotesRequest([.. wanted.Select(r => r.Instance)]), Limit, ct);
            if (!notes.Ok) { return; }   // asked again with the next look
            foreach (var r in wanted) { _asked[(watch.Name, r.Instance)] = new Answer(run, r.Note, notes.Value.Notes.FirstOrDefault(n => n.Note.Guest.Instance == r.Instance)); }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        finally
        {
            _underWay.TryRemove(watch.Name, out _);
            watch.Nudge();
        }
    }
}
