// What follows from a disk that answers with errors: the guest's own is tried again now and then, the other copy's is told from a lost connection.
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>
/// A try is a plain "cont": the failed requests are sent again. In sync they still have to succeed on both copies, and QEMU never takes a flush
/// for good that follows a failed one (it remembers), so a try can do no harm (R1). In sync the engine has recovered the instance on the other
/// copy before the first one, unless it may not.
/// </summary>
public sealed class DiskFaults(QemuGuest guest, GuestMirror mirror, QmpClient qmp, GuestParts parts)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(0.5);

    /// <summary>QEMU tells of one node's errors once a second at most.</summary>
    public static readonly TimeSpan Settles = TimeSpan.FromSeconds(1.2);

    private static readonly TimeSpan Answers = TimeSpan.FromSeconds(1);
    private TimeSpan _wait;
    private long? _waitsSince;

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            using var timer = new PeriodicTimer(Look, parts.Clock);
            while (await timer.WaitForNextTickAsync(ct))
            {
                if (guest.Suspected is { } fault) await CheckCopyAsync(fault, ct);
                if (Due()) await TryAgainAsync(ct);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The guest ended or the agent lets go of it.
        }
    }

    private bool Due()
    {
        if (guest is not { LocalFault: not null, Phase: GuestPhase.Paused, IsMoving: false, Halted: false })
        {
            (_waitsSince, _wait) = (null, parts.Options.DiskRetry);
            return false;
        }
        _waitsSince ??= parts.Clock.GetTimestamp();
        return parts.Clock.GetElapsedTime(_waitsSince.Value) >= _wait;
    }

    private async Task TryAgainAsync(CancellationToken ct)
    {
        (_waitsSince, _wait) = (null, _wait * 2 < parts.Options.DiskRetryLongest ? _wait * 2 : parts.Options.DiskRetryLongest);
        using var turn = await mirror.TurnAsync(ct);
        if (guest is not { LocalFault: not null, Phase: GuestPhase.Paused }) return;
        var before = guest.LocalErrors;
        try { await qmp.ExecuteAsync("cont", null, ct); }
        catch (Exception e) when (e is QmpException or TimeoutException) { return; }
        await Task.Delay(Settles, parts.Clock, ct);
        if (guest.LocalErrors == before) guest.WorksAgain();
    }

    /// <summary>A failed request says the same of a dead connection and a dead disk; an export that still serves others has the latter.</summary>
    private async Task CheckCopyAsync(DiskFault fault, CancellationToken ct)
    {
        var found = guest.Place is { } place && await ServesAsync(place, fault.Disk, ct);
        guest.Change(s => s with { Suspected = null, CopyFault = found ? fault : s.CopyFault }, found ? new GuestNews("disk.error", $"The other copy's disk fails. {fault.Text}.", Trouble: true) : null);
    }

    private async Task<bool> ServesAsync(CopyPlace place, int disk, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Answers, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            var target = new NbdTarget(place.Replica.Exports[disk]) { Host = place.Replica.Host, Port = place.Replica.Port, Tls = parts.Tls, Peer = place.Node };
            await using var there = await NbdHandshake.ConnectAsync(target, both.Token);
            return true;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or System.Security.Authentication.AuthenticationException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return false;
        }
    }
}
