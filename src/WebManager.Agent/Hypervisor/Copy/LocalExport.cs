using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage;
using WebManager.Agent.Storage.Nbd;

namespace WebManager.Agent.Hypervisor.Copy;

/// <summary>
/// The running guest's disks for reading, on a unix socket in the instance's own folder: what is copied never passes through the guest's
/// device, so a copy that hangs does not hang the guest.
/// </summary>
public sealed class LocalExport(QmpClient qmp, IReadOnlyList<DiskNodes> disks, string socket)
{
    /// <summary>Opens every disk, with the bitmap of its name where one is given, and connects to each.</summary>
    public async Task<IReadOnlyList<NbdClient>> OpenAsync(IReadOnlyList<string?> bitmaps, CancellationToken ct)
    {
        await CloseAsync(ct);
        await qmp.ExecuteAsync("nbd-server-start", new JsonObject
        {
            ["addr"] = new JsonObject { ["type"] = "unix", ["data"] = new JsonObject { ["path"] = socket } },
        }, ct);
        var clients = new List<NbdClient>();
        foreach (var (disk, bitmap) in disks.Zip(bitmaps))
        {
            var export = new JsonObject { ["type"] = "nbd", ["id"] = $"read{disk.Index}", ["node-name"] = disk.Local, ["name"] = disk.Local, ["writable"] = false };
            if (bitmap is not null) export["bitmaps"] = new JsonArray(bitmap);
            await qmp.ExecuteAsync("block-export-add", export, ct);
            var context = bitmap is null ? ChunkHashes.Allocation : $"qemu:dirty-bitmap:{bitmap}";
            clients.Add(await NbdHandshake.ConnectAsync(new NbdTarget(disk.Local) { Socket = socket, Context = context }, ct));
        }
        return clients;
    }

    /// <summary>Ends all of it; nothing there: done.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        try { await qmp.ExecuteAsync("nbd-server-stop", null, ct); }
        catch (QmpException)
        {
            // It did not run.
        }
    }
}
