using System.Net.Sockets;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Migration;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Keeper;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>Starts and finds real guests. Everything that can be done at the same time is: failover waits for it.</summary>
public sealed class QemuHypervisor(Accelerator accelerator, HypervisorOptions options, ImageCatalog catalog, INodeNetwork network,
    string? networkNamespace, IGuestProcesses processes, TimeProvider clock, ILogger log, NodeTls? tls = null, ICopyPeer? peer = null) : IHypervisor
{
    private const int SerialLogLimit = 1024 * 1024;

    public HypervisorKind Kind => accelerator.Kind;
    public string Version => accelerator.Version;
    public string? Note => accelerator.Note;

    public static string ProcessId(Guid instance) => $"guest:{instance}";

    /// <summary>Of a process that waits for a migrating guest; to keeper and reports it is no guest.</summary>
    public static string IncomingId(Guid instance) => $"incoming:{instance}";

    public async Task<Outcome<IGuest>> StartAsync(GuestStart start, CancellationToken ct)
    {
        var begun = clock.GetTimestamp();
        var paths = GuestPaths.Of(start.Folder, options.RunFolder);
        var command = await CommandAsync(start, paths, incoming: false, ct);
        if (!command.Ok) return command.Refusal;
        var prepared = clock.GetElapsedTime(begun);
        var pid = await processes.SpawnAsync(new SpawnRequest(ProcessId(start.Guest.Instance), command.Value, paths.QemuLog, DieWithKeeper: true, start.Record)
        {
            NetworkNamespace = networkNamespace,
        }, ct);
        if (!pid.Ok) return pid.Refusal;
        return await AttachAsync(start, pid.Value, paths, begun, prepared, ct);
    }

    /// <summary>All that a process needs outside, and its command line.</summary>
    private async Task<Outcome<IReadOnlyList<string>>> CommandAsync(GuestStart start, GuestPaths paths, bool incoming, CancellationToken ct)
    {
        var image = catalog.Find(start.Guest.Image);
        if (!image.Ok) return image.Refusal;
        if (QemuCommandLine.Check(start, image.Value) is { } refusal) return refusal;
        var plugging = network.PlugAsync(start.Guest, ct);
        Prepare(start, paths);
        var plugs = await plugging;
        if (!plugs.Ok) return plugs.Refusal;
        return QemuCommandLine.Build(start, new QemuMachine(options.Qemu, accelerator.Kind, paths, image.Value, plugs.Value) { Tls = tls, Incoming = incoming }).ToList();
    }

    public async Task<Outcome<IIncomingGuest>> ReceiveAsync(GuestStart start, CancellationToken ct)
    {
        var paths = GuestPaths.Of(start.Folder, options.RunFolder).Waiting();
        var command = await CommandAsync(start, paths, incoming: true, ct);
        if (!command.Ok) return command.Refusal;
        var pid = await processes.SpawnAsync(new SpawnRequest(IncomingId(start.Guest.Instance), command.Value, paths.QemuLog, DieWithKeeper: true, Record: null)
        {
            NetworkNamespace = networkNamespace,
        }, ct);
        if (!pid.Ok) return pid.Refusal;
        return await QemuIncoming.BeginAsync(start, pid.Value, Parts(paths), processes, ct);
    }

    private GuestParts Parts(GuestPaths paths) => new(paths, options, clock, log) { Tls = tls, Peer = peer, Emulated = accelerator.Kind == HypervisorKind.Tcg };

    private async Task<Outcome<IGuest>> AttachAsync(GuestStart start, int pid, GuestPaths paths, long begun, TimeSpan prepared, CancellationToken ct)
    {
        var guest = new QemuGuest(start, pid, Parts(paths), clock.GetUtcNow());
        try
        {
            var qmp = await QmpSockets.ConnectAsync(paths.Qmp, options.StartLimit, () => !ProcessFiles.Alive(pid), guest.Take, clock, ct);
            if (qmp is null) return await FailedAsync(guest, paths, "QEMU ended at once.", ct);
            await guest.AttachAsync(qmp, ct);
            var connected = clock.GetElapsedTime(begun);
            await guest.RunAsync(ct);
            log.GuestRuns(guest.Instance, pid, (long)prepared.TotalMilliseconds, (long)connected.TotalMilliseconds, (long)clock.GetElapsedTime(begun).TotalMilliseconds);
            return guest;
        }
        catch (Exception e) when (e is TimeoutException or IOException or SocketException or QmpException)
        {
            return await FailedAsync(guest, paths, e.Message, ct);
        }
        catch (OperationCanceledException)
        {
            await FailedAsync(guest, paths, "Cancelled.", CancellationToken.None);
            throw;
        }
    }

    private async Task<Outcome<IGuest>> FailedAsync(QemuGuest guest, GuestPaths paths, string why, CancellationToken ct)
    {
        await guest.DisposeAsync();
        // A half started guest must not come to life later, when another node runs the instance.
        await processes.KillAsync(ProcessId(guest.Instance), ct);
        return new Refusal("guest.start-failed", $"{why} {Programs.Tail(paths.QemuLog, 2)}".Trim(), "Look at the guest's qemu.log on the node.");
    }

    private void Prepare(GuestStart start, GuestPaths paths)
    {
        paths.Make();
        // Sockets of a killed predecessor would be taken for the new one's.
        foreach (var socket in new[] { paths.Qmp, paths.Serial, paths.Vnc }) File.Delete(socket);
        // The output of this process only: an old error would be shown as the reason of a new one.
        File.Delete(paths.QemuLog);
        if (new FileInfo(paths.SerialLog) is { Exists: true, Length: > SerialLogLimit }) File.Move(paths.SerialLog, paths.SerialLog + ".1", overwrite: true);
        SeedIso.Write(paths.Seed, start.Guest, clock.GetUtcNow());
    }

    public async Task<IGuest?> AdoptAsync(GuestStart start, int pid, CancellationToken ct)
    {
        var paths = GuestPaths.Of(start.Folder, options.RunFolder);
        var earlier = GuestRun.Read(paths.Run);
        var guest = new QemuGuest(start, pid, Parts(paths), earlier?.StartedAt ?? clock.GetUtcNow());
        try
        {
            var qmp = await QmpSockets.ConnectAsync(paths.Qmp, TimeSpan.FromSeconds(3), () => !ProcessFiles.Alive(pid), guest.Take, clock, ct);
            if (qmp is null) return null;
            guest.Recall(earlier);
            await guest.AttachAsync(qmp, ct);
            await guest.AdoptAsync(ct);
            return guest;
        }
        catch (Exception e) when (e is TimeoutException or IOException or SocketException or QmpException)
        {
            log.GuestTrouble(start.Guest.Instance, "guest.not-adopted", e.Message);
            await guest.DisposeAsync();
            return null;
        }
    }
}
