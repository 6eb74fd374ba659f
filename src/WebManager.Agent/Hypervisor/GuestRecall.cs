using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Finds out, after a restart of the agent, in what state QEMU and its block graph are.</summary>
public sealed class GuestRecall(QemuGuest guest, QmpClient qmp, MirrorGraph graph, GuestThird third, GuestParts parts)
{
    public async Task RunAsync(CancellationToken ct)
    {
        var mirrored = guest.Start.Record is not null;
        await graph.RecallAsync(guest.ThirdPlace?.Candidate.Number, ct);
        if (mirrored) await EndCopyAsync(ct);
        var swapping = mirrored && await third.RecallAsync(ct);
        var status = (await qmp.ExecuteAsync("query-status", null, ct)).GetProperty("status").GetString();
        var mirror = mirrored ? await MirrorAsync(status, ct) : MirrorPhase.None;
        guest.Change(s => s with { Phase = PhaseOf(status), Mirror = mirror }, null);
        // prelaunch: the earlier run died between spawn and start. paused: it died in the short pause at the end of a copy,
        // and a guest on its own image may go on; one on both copies may not before the host has stored the promise.
        // In a pause before or after three copies each write goes to all that the record names.
        if (status == "prelaunch" || (status == "paused" && (mirror is MirrorPhase.Alone or MirrorPhase.None || swapping))) await qmp.ExecuteAsync("cont", null, ct);
        if (status == "io-error") await AskAgainAsync(mirror, ct);
        parts.Log.GuestAdopted(guest.Instance, guest.Pid, status ?? "", mirror.ToString());
    }

    // Which disk failed was told to the earlier run only. The failed requests, sent again, tell it anew; in sync both copies must still take them.
    private async Task AskAgainAsync(MirrorPhase mirror, CancellationToken ct)
    {
        var whole = guest.Start.Record?.Sync == SyncState.InSync ? MirrorPhase.InSync : MirrorPhase.Promised;
        var errors = guest.LocalErrors;
        if (mirror == MirrorPhase.Broken && (await graph.DrivesAsync(ct)).All(d => CopyNodes.Parse(d) is not null)) guest.Change(s => s with { Mirror = whole }, null);
        await qmp.ExecuteAsync("cont", null, ct);
        await Task.Delay(DiskFaults.Settles, parts.Clock, ct);
        if (guest.LocalErrors == errors && guest.Phase == GuestPhase.Paused && mirror == MirrorPhase.Broken) guest.Change(s => s with { Mirror = MirrorPhase.Broken }, null);
    }

    // The run that would have finished the copy is gone. Copies that no disk is on are dropped with it; the marks of changed blocks stay.
    private async Task EndCopyAsync(CancellationToken ct)
    {
        await new LocalExport(qmp, graph.Disks, parts.Paths.CopySocket).CloseAsync(ct);
        await new DiskBitmaps(qmp, graph.Disks).RemovePassesAsync(ct);
        var drives = await graph.DrivesAsync(ct);
        if (graph.Disks.Zip(drives).All(d => d.Second == d.First.Local)) await graph.DropCopiesAsync(ct);
    }

    private async Task<MirrorPhase> MirrorAsync(string? status, CancellationToken ct)
    {
        var drives = await graph.DrivesAsync(ct);
        if (graph.Disks.Zip(drives).All(d => d.Second == d.First.Local))
        {
            // A guest in sync is on its own image only when taking it over from another node was cut short: it stands still.
            return guest.Start.Record?.Sync == SyncState.InSync ? MirrorPhase.Broken : MirrorPhase.Alone;
        }

        // On hold, or some disks on one and some on two: an order was cut short. The engine's next degrade repairs it.
        if (!drives.All(d => CopyNodes.Parse(d) is not null) || status == "io-error") return MirrorPhase.Broken;
        return guest.Start.Record?.Sync == SyncState.InSync ? MirrorPhase.InSync : MirrorPhase.Promised;
    }

    private static GuestPhase PhaseOf(string? status) => status switch
    {
        "running" => GuestPhase.Running,
        "prelaunch" or "inmigrate" => GuestPhase.Starting,
        "shutdown" or "guest-panicked" => GuestPhase.Stopping,
        _ => GuestPhase.Paused,
    };
}
