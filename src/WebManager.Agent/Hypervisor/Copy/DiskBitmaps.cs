// QEMU's dirty bitmaps on the local images: which blocks the other copy may lack (docs/replication.md, "Changed blocks").
using System.Text.Json;
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;

namespace WebManager.Agent.Hypervisor.Copy;

/// <param name="Bytes">How much of the disk it marks.</param>
/// <param name="Whole">False when QEMU was killed while it was in use: it says nothing then.</param>
public sealed record BitmapFacts(string Name, long Bytes, bool Whole);

public sealed class DiskBitmaps(QmpClient qmp, IReadOnlyList<DiskNodes> disks)
{
    private const string BasePrefix = "base-", PassPrefix = "pass-";

    /// <summary>What the copies were equal under, in one word: part of the bitmaps' names, and what the secondary says of its copy.</summary>
    public static string EqualUnder(GenerationRecord record) => $"{record.Number}-{record.Tag}";

    /// <summary>Two halves, cleared in turn, each only behind a flush that both copies have confirmed since the other was cleared.</summary>
    public static string Half(string equalUnder, bool second) => $"{BasePrefix}{equalUnder}-{(second ? "b" : "a")}";

    public static string Pass(int number) => $"{PassPrefix}{number}";

    public async Task<IReadOnlyList<IReadOnlyList<BitmapFacts>>> ListAsync(CancellationToken ct)
    {
        var nodes = (await qmp.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, ct)).EnumerateArray()
            .ToDictionary(n => n.GetProperty("node-name").GetString()!, n => n);
        return [.. disks.Select(d => (IReadOnlyList<BitmapFacts>)[.. Bitmaps(nodes[d.Local])])];
    }

    private static IEnumerable<BitmapFacts> Bitmaps(JsonElement node)
    {
        if (!node.TryGetProperty("dirty-bitmaps", out var bitmaps)) yield break;
        foreach (var bitmap in bitmaps.EnumerateArray())
        {
            var broken = bitmap.TryGetProperty("inconsistent", out var flag) && flag.GetBoolean();
            yield return new BitmapFacts(bitmap.TryGetProperty("name", out var name) ? name.GetString()! : "", bitmap.GetProperty("count").GetInt64(), !broken);
        }
    }

    /// <summary>The copies are equal from here: what was marked before is of no use any more. They live in the images and survive a clean stop.</summary>
    public async Task BeginAsync(GenerationRecord record, CancellationToken ct)
    {
        await RemoveAsync(name => name.StartsWith(BasePrefix, StringComparison.Ordinal), ct);
        foreach (var disk in disks)
            foreach (var second in new[] { false, true })
                await qmp.ExecuteAsync("block-dirty-bitmap-add", new JsonObject { ["node"] = disk.Local, ["name"] = Half(EqualUnder(record), second), ["persistent"] = true }, ct);
    }

    /// <summary>How much the other copy may lack, were it lost now.</summary>
    public async Task<long> MarkedAsync(string equalUnder, CancellationToken ct) =>
        (await ListAsync(ct)).Sum(l => l.Where(b => b.Name == Half(equalUnder, false) || b.Name == Half(equalUnder, true)).Select(b => b.Bytes).DefaultIfEmpty(0).Max());

    /// <summary>Forgets one half, on every disk.</summary>
    public async Task ClearAsync(string name, CancellationToken ct)
    {
        foreach (var disk in disks) await qmp.ExecuteAsync("block-dirty-bitmap-clear", new JsonObject { ["node"] = disk.Local, ["name"] = name }, ct);
    }

    /// <summary>
    /// Which disks have both halves, whole, of the state that the other copy says it was equal in: only their changes must be copied.
    /// </summary>
    public async Task<IReadOnlyList<bool>> KnownAsync(string? equalUnder, CancellationToken ct)
    {
        var listed = await ListAsync(ct);
        bool Has(IReadOnlyList<BitmapFacts> all, bool second) => all.Any(b => b.Whole && b.Name == Half(equalUnder!, second));
        return [.. listed.Select(l => equalUnder is not null && Has(l, false) && Has(l, true))];
    }

    /// <summary>
    /// Begins to catch the guest's writes, on all disks at one moment; where the changes are known, pass 0 holds them from the same moment on.
    /// </summary>
    public Task FirstPassAsync(IReadOnlyList<bool> known, string? equalUnder, CancellationToken ct)
    {
        var actions = new JsonArray();
        foreach (var (disk, isKnown) in disks.Zip(known))
        {
            actions.Add(Add(disk.Local, Pass(1), disabled: false));
            if (!isKnown) continue;
            actions.Add(Add(disk.Local, Pass(0), disabled: true));
            var halves = new JsonArray(Half(equalUnder!, false), Half(equalUnder!, true));
            actions.Add(Action("merge", new JsonObject { ["node"] = disk.Local, ["target"] = Pass(0), ["bitmaps"] = halves }));
        }
        return TransactAsync(actions, ct);
    }

    /// <summary>Stops catching in pass <paramref name="number"/> and goes on in the next one, at one moment.</summary>
    public Task NextPassAsync(int number, CancellationToken ct)
    {
        var actions = new JsonArray();
        foreach (var disk in disks)
        {
            actions.Add(Add(disk.Local, Pass(number + 1), disabled: false));
            actions.Add(Action("disable", new JsonObject { ["node"] = disk.Local, ["name"] = Pass(number) }));
        }
        return TransactAsync(actions, ct);
    }

    public async Task<long> CaughtAsync(int number, CancellationToken ct) =>
        (await ListAsync(ct)).Sum(l => l.Single(b => b.Name == Pass(number)).Bytes);

    public Task RemovePassesAsync(CancellationToken ct) => RemoveAsync(name => name.StartsWith(PassPrefix, StringComparison.Ordinal), ct);

    private async Task RemoveAsync(Func<string, bool> which, CancellationToken ct)
    {
        foreach (var (disk, bitmaps) in disks.Zip(await ListAsync(ct)))
            foreach (var bitmap in bitmaps.Where(b => which(b.Name)))
                await qmp.ExecuteAsync("block-dirty-bitmap-remove", new JsonObject { ["node"] = disk.Local, ["name"] = bitmap.Name }, ct);
    }

    /// <summary>Every write that was under way has ended on both copies when it answers: QEMU drains before any transaction, even an empty one.</summary>
    public Task DrainAsync(TimeSpan limit, CancellationToken ct) => qmp.ExecuteAsync("transaction", new JsonObject { ["actions"] = new JsonArray() }, ct, limit);

    private Task TransactAsync(JsonArray actions, CancellationToken ct) => qmp.ExecuteAsync("transaction", new JsonObject { ["actions"] = actions }, ct);

    private static JsonObject Add(string node, string name, bool disabled) => Action("add", new JsonObject { ["node"] = node, ["name"] = name, ["disabled"] = disabled });

    private static JsonObject Action(string what, JsonObject data) => new() { ["type"] = $"block-dirty-bitmap-{what}", ["data"] = data };
}
