// Three copies for the time in which one secondary takes the place of another: each write goes to all of them (docs/replication.md).
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

public sealed partial class MirrorGraph
{
    private volatile IReadOnlyList<CopyNodes> _third = [];

    /// <summary>The nodes of the third copy, as far as they may exist.</summary>
    public IReadOnlyList<CopyNodes> Third => _third;

    /// <summary>Connects to the third copy; nothing uses it yet.</summary>
    public Task AddThirdAsync(GenerationRecord candidate, ReplicaAddress replica, CancellationToken ct) => ConnectAsync(_third = NewCopies(candidate), candidate, replica, ct);

    /// <summary>Cuts the third copy only; see YankAsync.</summary>
    public Task YankThirdAsync(CancellationToken ct) => YankAsync(_third, ct);

    /// <summary>Whether every disk is on three copies, or none is; null: half of it, an order was cut short.</summary>
    public async Task<bool?> OnTriosAsync(CancellationToken ct)
    {
        var drives = await DrivesAsync(ct);
        bool IsTrio(string drive) => drive.StartsWith("trio", StringComparison.Ordinal);
        if (drives.Count > 0 && drives.All(IsTrio)) return true;
        return drives.Any(d => IsTrio(d) || d.StartsWith("hold", StringComparison.Ordinal)) ? null : false;
    }

    /// <summary>All disks from their pairs to quorums of three. The guest must be paused and the third copy equal.</summary>
    public Task SwapToTriosAsync(CancellationToken ct) => RebuildAsync(_third, c => c.Trio, (former, third) => [former.Copy, third.Copy], ct);

    /// <summary>Back to the pairs, from wherever a swap to three ended; the third copy is cut off. The guest must be paused.</summary>
    public async Task BackToPairsAsync(CancellationToken ct)
    {
        await YankThirdAsync(ct);
        await RebuildAsync(_copies, c => c.Pair, (former, _) => [former.Copy], ct);
        await DropThirdAsync(ct);
    }

    /// <summary>From three to the pair of the local image and the third copy, which is the other copy from here on. The guest must be paused.</summary>
    public async Task LeaveFormerAsync(CancellationToken ct)
    {
        await YankAsync(_copies, ct);
        await RebuildAsync(_third, c => c.Pair, (_, third) => [third.Copy], ct);
        await DeleteAsync(_copies, ct);
        (_copies, _third) = (_third, []);
    }

    /// <summary>Deletes the nodes of a third copy that no disk is on.</summary>
    public async Task DropThirdAsync(CancellationToken ct)
    {
        await YankThirdAsync(ct);
        await DeleteAsync(_third, ct);
        _third = [];
    }

    // Two quorums cannot have one image at a time, so a disk waits on hold between them. May be repeated from wherever an earlier try ended.
    private async Task RebuildAsync(IReadOnlyList<CopyNodes> named, Func<CopyNodes, string> name, Func<CopyNodes, CopyNodes, IReadOnlyList<string>> children, CancellationToken ct)
    {
        foreach (var disk in _disks)
        {
            var (former, third) = (_copies.FirstOrDefault(c => c.Index == disk.Nodes.Index), _third.FirstOrDefault(c => c.Index == disk.Nodes.Index));
            var wanted = name(named.First(c => c.Index == disk.Nodes.Index));
            if (await DriveAsync(disk.Nodes, ct) == wanted) continue;
            await HoldAsync(disk, ct);
            foreach (var quorum in new[] { former?.Pair, third?.Pair, third?.Trio }.OfType<string>()) await TryDeleteAsync(quorum, ct);
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.Quorum(wanted, disk.Nodes.Local, children(former!, third!)), ct);
            await DriveToAsync(disk.Nodes, wanted, ct);
            await DeleteAsync(disk.Nodes.Hold, ct);
        }
    }
}
