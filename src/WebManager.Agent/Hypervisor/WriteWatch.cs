// A silently cut link gives no error for minutes and a hung disk none at all (R1): the age of the oldest write is watched instead.
using System.Text.Json;
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

public sealed class WriteWatch(QemuGuest guest, GuestMirror mirror, QmpClient qmp, MirrorGraph graph, GuestParts parts)
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(0.6);
    private const int Looks = 8;
    private readonly Dictionary<string, (long Written, long Since)> _busy = [];

    public async Task RunAsync(CancellationToken ct)
    {
        try
        {
            using var timer = new PeriodicTimer(parts.Options.OldestWrite / Looks, parts.Clock);
            while (await timer.WaitForNextTickAsync(ct))
            {
                if (guest.Phase != GuestPhase.Running || guest.IsPausedToMove || !guest.Mirror.OnBothCopies()) _busy.Clear();
                else if (await StuckAsync(ct)) await ProbeAsync(ct);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The guest ended or the agent lets go of it.
        }
    }

    // Something was in flight at every look for that long, and no write or flush came back meanwhile.
    private async Task<bool> StuckAsync(CancellationToken ct)
    {
        try
        {
            var written = await WrittenAsync(ct);
            foreach (var disk in graph.Disks)
            {
                if (await InFlightAsync(disk, ct) == 0 || written[disk.Device] != _busy.GetValueOrDefault(disk.Device, (-1, 0)).Written)
                    _busy[disk.Device] = (written[disk.Device], parts.Clock.GetTimestamp());
            }
            return _busy.Values.Any(b => parts.Clock.GetElapsedTime(b.Since) >= parts.Options.OldestWrite);
        }
        // QEMU's main loop hangs: a drain waits for the dead copy.
        catch (TimeoutException) { return true; }
        catch (QmpException) { return false; }
    }

    private async Task<Dictionary<string, long>> WrittenAsync(CancellationToken ct)
    {
        var answer = await qmp.ExecuteAsync("query-blockstats", null, ct, parts.Options.OldestWrite);
        var written = new Dictionary<string, long>();
        foreach (var entry in answer.EnumerateArray())
        {
            var device = graph.Disks.FirstOrDefault(d => entry.TryGetProperty("qdev", out var path) && path.GetString()!.Contains($"/{d.Device}/", StringComparison.Ordinal));
            if (device is not null) written[device.Device] = Sum(entry.GetProperty("stats"), "wr_operations", "flush_operations", "failed_wr_operations", "failed_flush_operations");
        }
        return written;
    }

    private static long Sum(JsonElement stats, params string[] names) => names.Sum(n => stats.GetProperty(n).GetInt64());

    private async Task<long> InFlightAsync(DiskNodes disk, CancellationToken ct)
    {
        var arguments = new JsonObject { ["path"] = disk.DrivePath, ["queue"] = 0 };
        return (await qmp.ExecuteAsync("x-query-virtio-queue-status", arguments, ct, parts.Options.OldestWrite)).GetProperty("inuse").GetInt64();
    }

    // Many reads look the same from outside. Pausing waits for all I/O: reads end in no time, a write on a dead copy does not.
    private async Task ProbeAsync(CancellationToken ct)
    {
        using var turn = await mirror.TurnAsync(ct);
        if (!guest.Mirror.OnBothCopies()) return;
        _busy.Clear();
        mirror.Probing = true;
        try
        {
            // A pause in the middle of a migration would go along with the guest; draining alone tells as well.
            if (guest.IsMoving)
            {
                await new DiskBitmaps(qmp, graph.Disks).DrainAsync(ProbeLimit, ct);
                return;
            }

            await qmp.ExecuteAsync("stop", null, ct, ProbeLimit);
            var status = (await qmp.ExecuteAsync("query-status", null, ct)).GetProperty("status").GetString();
            if (status == "paused") await qmp.ExecuteAsync("cont", null, ct);
            else guest.Change(s => s with { Phase = GuestPhase.Paused }, null);
        }
        catch (TimeoutException) { await CutAsync(ct); }
        finally { mirror.Probing = false; }
    }

    private async Task CutAsync(CancellationToken ct)
    {
        mirror.Probing = false;
        // On three copies the newest is cut off first: the others may be as good as ever.
        var third = mirror.Third.IsJoined && await OnlyThirdHangsAsync(ct);
        var text = third ? "The oldest write was not confirmed by the new secondary; its copy was cut off and the guest waits." : "The oldest write was not confirmed in time; the copies were cut off and the guest waits.";
        guest.Change(s => (third ? s.LoseThird(text) : s with { Mirror = MirrorPhase.Broken, MirrorText = text }) with { Phase = GuestPhase.Paused }, new GuestNews("mirror.broken", text, Trouble: true));
        if (!third) await graph.YankAsync(ct);
    }

    private async Task<bool> OnlyThirdHangsAsync(CancellationToken ct)
    {
        await graph.YankThirdAsync(ct);
        try
        {
            await qmp.ExecuteAsync("query-status", null, ct, ProbeLimit);
            return true;
        }
        catch (TimeoutException) { return false; }
    }
}
