// The block graph of a mirrored guest, and the only sequences that change it; each was tried (facts/qemu-replication.md, 3).
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

public sealed partial class MirrorGraph(QmpClient qmp, IReadOnlyList<DiskSpec> disks, NodeTls? tls = null)
{
    private const long MiB = 1024 * 1024;
    private readonly List<(DiskNodes Nodes, long Bytes)> _disks = [.. disks.OrderBy(d => d.Index).Select(d => (DiskNodes.Of(d.Index), d.SizeMiB * MiB))];
    private volatile IReadOnlyList<CopyNodes> _copies = [];
    private int _lastTurn;

    public IReadOnlyList<DiskNodes> Disks => [.. _disks.Select(d => d.Nodes)];

    /// <summary>The copies whose nodes may exist in QEMU: what a yank has to cut.</summary>
    public IReadOnlyList<CopyNodes> Copies => _copies;

    /// <summary>The copies that the command line of a guest in sync names.</summary>
    public void StartedInSync(long generation) => (_copies, _lastTurn) = ([.. _disks.Select(d => new CopyNodes(d.Nodes.Index, generation, 1))], 1);

    /// <summary>Learns from QEMU which copies exist, after a restart of the agent.</summary>
    /// <param name="third">The generation of a third copy that may be among them.</param>
    public async Task RecallAsync(long? third, CancellationToken ct)
    {
        var all = (await NodesAsync(ct)).Select(CopyNodes.Parse).OfType<CopyNodes>().Distinct().OrderBy(c => c.Index).ToList();
        (_copies, _third) = ([.. all.Where(c => c.Generation != third)], [.. all.Where(c => c.Generation == third)]);
        _lastTurn = all.Select(c => c.Turn).DefaultIfEmpty(0).Max();
    }

    /// <summary>
    /// Cuts the connections to all copies, out of band: works while QEMU's main loop hangs in a drain. Their I/O fails at once, and the
    /// guest is paused by its error policy as soon as it writes. A yanked node is dead for good.
    /// </summary>
    public Task YankAsync(CancellationToken ct) => YankAsync([.. _copies, .. _third], ct);

    private async Task YankAsync(IReadOnlyList<CopyNodes> copies, CancellationToken ct)
    {
        foreach (var copy in copies)
        {
            var instances = new JsonArray(new JsonObject { ["type"] = "block-node", ["node-name"] = copy.Copy });
            try { await qmp.ExecuteOobAsync("yank", new JsonObject { ["instances"] = instances }, ct); }
            catch (QmpException)
            {
                // That node is gone already.
            }
        }
    }

    /// <summary>Node names the guest's disks are on, in disk order.</summary>
    public async Task<IReadOnlyList<string>> DrivesAsync(CancellationToken ct)
    {
        var drives = new List<string>();
        foreach (var (nodes, _) in _disks) drives.Add(await DriveAsync(nodes, ct));
        return drives;
    }

    private async Task<string> DriveAsync(DiskNodes disk, CancellationToken ct) =>
        (await qmp.ExecuteAsync("qom-get", new JsonObject { ["path"] = disk.DrivePath, ["property"] = "drive" }, ct)).GetString() ?? "";

    /// <summary>All disks to the local image only. The guest must be paused; may be repeated from wherever an earlier try ended.</summary>
    public async Task SwapToLocalAsync(CancellationToken ct)
    {
        foreach (var disk in _disks)
            if (await DriveAsync(disk.Nodes, ct) != disk.Nodes.Local) await HoldAsync(disk, ct);
        await DropCopiesAsync(ct);
        foreach (var (disk, _) in _disks)
        {
            await DriveToAsync(disk, disk.Local, ct);
            await TryDeleteAsync(disk.Hold, ct);
        }
    }

    /// <summary>All disks to quorums of local image and copy. The guest must be paused and the copies equal.</summary>
    public async Task SwapToPairsAsync(IReadOnlyList<CopyNodes> copies, CancellationToken ct)
    {
        foreach (var disk in _disks) await HoldAsync(disk, ct);
        foreach (var (copy, (disk, _)) in copies.Zip(_disks))
        {
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.Quorum(copy.Pair, disk.Local, copy.Copy), ct);
            await DriveToAsync(disk, copy.Pair, ct);
            await DeleteAsync(disk.Hold, ct);
        }
    }

    /// <summary>Connects to a replica: one new node per disk, named by generation and turn.</summary>
    public Task AddCopiesAsync(GenerationRecord record, ReplicaAddress replica, CancellationToken ct) => ConnectAsync(_copies = NewCopies(record), record, replica, ct);

    private CopyNodes[] NewCopies(GenerationRecord record)
    {
        _lastTurn++;
        return [.. _disks.Select(d => new CopyNodes(d.Nodes.Index, record.Number, _lastTurn))];
    }

    private async Task ConnectAsync(IReadOnlyList<CopyNodes> copies, GenerationRecord record, ReplicaAddress replica, CancellationToken ct)
    {
        for (var i = 0; i < copies.Count; i++)
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.Nbd(copies[i].Copy, replica, i, BlockNodes.ConnectWhileRunning, tls is null ? null : record.Secondary), ct);
    }

    /// <summary>Deletes pairs and copies that nothing uses any more; they are yanked first, so that no close waits for a dead peer.</summary>
    public async Task DropCopiesAsync(CancellationToken ct)
    {
        await YankAsync(ct);
        await DeleteAsync([.. _copies, .. _third], ct);
        (_copies, _third) = ([], []);
    }

    private async Task DeleteAsync(IReadOnlyList<CopyNodes> copies, CancellationToken ct)
    {
        // What uses copies goes before any of them: a trio uses two.
        foreach (var name in copies.Select(c => c.Trio).Concat(copies.Select(c => c.Pair)).Concat(copies.Select(c => c.Copy))) await TryDeleteAsync(name, ct);
        var left = await NodesAsync(ct);
        if (left.Select(CopyNodes.Parse).FirstOrDefault(c => c is not null && copies.Contains(c)) is { } stuck) throw new IOException($"QEMU still uses {stuck.Copy}.");
    }

    // QEMU refuses to move a disk straight from a quorum to its child, so it waits here while the graph is rebuilt.
    private async Task HoldAsync((DiskNodes Nodes, long Bytes) disk, CancellationToken ct)
    {
        if (!(await NodesAsync(ct)).Contains(disk.Nodes.Hold))
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.Hold(disk.Nodes.Hold, disk.Bytes), ct);
        await DriveToAsync(disk.Nodes, disk.Nodes.Hold, ct);
    }

    // Setting the node that is already set aborts QEMU 7.2: always ask first.
    private async Task DriveToAsync(DiskNodes disk, string node, CancellationToken ct)
    {
        if (await DriveAsync(disk, ct) == node) return;
        await qmp.ExecuteAsync("qom-set", new JsonObject { ["path"] = disk.DrivePath, ["property"] = "drive", ["value"] = node }, ct);
    }

    private async Task DeleteAsync(string node, CancellationToken ct) => await qmp.ExecuteAsync("blockdev-del", new JsonObject { ["node-name"] = node }, ct);

    private async Task TryDeleteAsync(string node, CancellationToken ct)
    {
        try { await DeleteAsync(node, ct); }
        catch (QmpException)
        {
            // Not there; who needs it gone checks afterwards.
        }
    }

    private async Task<HashSet<string>> NodesAsync(CancellationToken ct)
    {
        var nodes = await qmp.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, ct);
        return [.. nodes.EnumerateArray().Select(n => n.GetProperty("node-name").GetString()!)];
    }
}
