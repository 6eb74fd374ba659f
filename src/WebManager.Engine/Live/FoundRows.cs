// What was found on nodes, as lists show it.
using WebManager.Engine.Access;
using WebManager.Engine.Model;
using WebManager.Engine.Operations;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Live;

internal static class FoundRows
{
    public static void Show(LiveFeed<Guid, FoundRow> feed, Picture now, IPeople people)
    {
        var shown = feed.Current();
        foreach (var f in now.Found.Values.Where(f => shown.GetValueOrDefault(f.Id)?.Key != f.Key)) { feed.Set(f.Id, Of(f, now, people)); }
        foreach (var gone in shown.Keys.Where(id => !now.Found.ContainsKey(id))) { feed.Set(gone, null); }
    }

    private static FoundRow Of(FoundInstance f, Picture now, IPeople people)
    {
        var guest = f.Note?.Guest;
        return new FoundRow(f.Id, f.Name, guest?.Image ?? "", guest?.Vcpus ?? 0, guest?.MemoryMiB ?? 0, guest?.Disks.Sum(d => d.SizeMiB) ?? 0, guest?.Template, f.Primary, f.Secondary, f.Runs)
        {
            OwnerName = f.Owner is { } key ? Subjects.Name(key, now, people) : f.OwnerTag is { } tag ? OwnerTags.NameIn(tag) ?? tag : null, OwnerKey = f.Owner,
            Tags = [.. (f.Note?.Tags ?? []).Where(t => !t.StartsWith(OwnerTags.Reserved, StringComparison.Ordinal))],
            Nodes = [.. f.On.Select(o => o.Node)], Why = f.Hindrance is { } h ? $"{h.Message} {h.Remedy}".TrimEnd() : null, Key = f.Key,
        };
    }
}
