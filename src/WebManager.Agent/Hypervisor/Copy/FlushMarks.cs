// While in sync: keeps the marks of changed blocks short, but always reaching back behind the last flush that both copies confirmed (H2).
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

public sealed class FlushMarks(QemuGuest guest, QmpClient qmp, MirrorGraph graph, GuestParts parts)
{
    private readonly DiskBitmaps _bitmaps = new(qmp, graph.Disks);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(5);
    private bool _second;

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            while (true)
            {
                await Task.Delay(parts.Options.FlushMark, parts.Clock, ct);
                if (guest is { Phase: GuestPhase.Running, IsMoving: false, Place: { } place } && guest.Mirror.OnBothCopies()) await TryAsync(place, ct);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The guest ended or the agent lets go of it.
        }
    }

    private async Task TryAsync(CopyPlace place, CancellationToken ct)
    {
        try { await MarkAsync(place, ct); }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // The copy is lost, or on its way there: the marks stay as long as they are, which is right.
        }
    }

    /// <summary>
    /// The order is what makes it right. 1. Drain: what was begun before the other half was cleared is on both copies. 2. Flush the other
    /// copy: all of that is stable there. 3. Forget one half; the other one holds everything since before the flush.
    /// </summary>
    private async Task MarkAsync(CopyPlace place, CancellationToken ct)
    {
        guest.Marked = await _bitmaps.MarkedAsync(place.EqualUnder, ct);
        if (guest.Marked == 0) return;
        await _bitmaps.DrainAsync(parts.Options.OldestWrite / 2, ct);
        using var limit = new CancellationTokenSource(FlushLimit, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        foreach (var export in place.Replica.Exports)
        {
            var target = new NbdTarget(export) { Host = place.Replica.Host, Port = place.Replica.Port, Tls = parts.Tls, Peer = place.Node };
            await using var disk = await NbdHandshake.ConnectAsync(target, both.Token);
            await disk.FlushAsync(both.Token);
        }
        await _bitmaps.ClearAsync(DiskBitmaps.Half(place.EqualUnder, _second), ct);
        _second = !_second;
    }
}
