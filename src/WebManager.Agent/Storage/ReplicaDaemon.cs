using System.Globalization;
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;

namespace WebManager.Agent.Storage;

/// <summary>The QMP talk with one storage daemon: its disks, its NBD server, its exports.</summary>
public sealed class ReplicaDaemon(QmpClient qmp) : IAsyncDisposable
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(2);

    public Task Closed => qmp.Closed;

    public async Task AddDisksAsync(GuestSpec guest, GuestPaths paths, CancellationToken ct)
    {
        foreach (var disk in guest.Disks)
        {
            var names = DiskNodes.Of(disk.Index);
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.File(names.LocalFile, paths.Disk(disk.Index)), ct);
            await qmp.ExecuteAsync("blockdev-add", BlockNodes.Qcow2(names.Local, names.LocalFile), ct);
        }
    }

    /// <summary>Listens on the first free port from <paramref name="wished"/> on; null when the whole range is taken.</summary>
    public async Task<int?> ListenAsync(StorageOptions storage, bool encrypted, int wished, CancellationToken ct)
    {
        for (var i = 0; i < storage.ReplicaPorts; i++)
        {
            var port = storage.FirstReplicaPort + ((wished + i) % storage.ReplicaPorts);
            try
            {
                var server = new JsonObject { ["addr"] = Inet(storage.ReplicaHost, port) };
                if (encrypted) server["tls-creds"] = NodeTls.CredentialsId;
                await qmp.ExecuteAsync("nbd-server-start", server, ct);
                return port;
            }
            catch (QmpException e) when (e.Description.Contains("already in use", StringComparison.Ordinal))
            {
                // Another export of this node has it: the next one.
            }
        }
        return null;
    }

    // writethrough false: a write is confirmed when B has it, a flush when B's disk has it; no more is promised to the guest either.
    public Task ExportAsync(int disk, string name, CancellationToken ct) => qmp.ExecuteAsync("block-export-add", new JsonObject
    {
        ["type"] = "nbd", ["id"] = ExportId(disk), ["node-name"] = DiskNodes.Of(disk).Local, ["name"] = name, ["writable"] = true, ["writethrough"] = false,
    }, ct);

    public async Task<bool> ExportsAnythingAsync(CancellationToken ct) => (await qmp.ExecuteAsync("query-block-exports", null, ct)).GetArrayLength() > 0;

    /// <summary>Cuts every client off, gives the images back clean and quits.</summary>
    public async Task CloseAsync(CancellationToken ct)
    {
        var exports = (await qmp.ExecuteAsync("query-block-exports", null, ct, CloseLimit)).EnumerateArray().Select(e => e.GetProperty("id").GetString()!).ToList();
        foreach (var export in exports) await UnexportAsync(export, ct);
        var nodes = (await qmp.ExecuteAsync("query-named-block-nodes", new JsonObject { ["flat"] = true }, ct, CloseLimit)).EnumerateArray()
            .Select(n => n.GetProperty("node-name").GetString()!).ToList();
        // The format first, then the file below it.
        foreach (var node in nodes.Where(n => n.StartsWith("local", StringComparison.Ordinal)).Concat(nodes.Where(n => n.StartsWith("file", StringComparison.Ordinal))))
            await qmp.ExecuteAsync("blockdev-del", new JsonObject { ["node-name"] = node }, ct, CloseLimit);
        await qmp.ExecuteAsync("quit", null, ct, CloseLimit);
    }

    private async Task UnexportAsync(string export, CancellationToken ct)
    {
        var deleted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Watch(QmpEvent report)
        {
            if (report.Name == "BLOCK_EXPORT_DELETED" && report.Text("id") == export) deleted.TrySetResult();
        }
        qmp.Event += Watch;
        try
        {
            await qmp.ExecuteAsync("block-export-del", new JsonObject { ["id"] = export, ["mode"] = "hard" }, ct, CloseLimit);
            await deleted.Task.WaitAsync(CloseLimit, ct);
        }
        finally { qmp.Event -= Watch; }
    }

    private static string ExportId(int disk) => $"export{disk}";

    private static JsonObject Inet(string host, int port) => new()
    {
        ["type"] = "inet",
        ["data"] = new JsonObject { ["host"] = host, ["port"] = port.ToString(CultureInfo.InvariantCulture) },
    };

    public ValueTask DisposeAsync() => qmp.DisposeAsync();
}
