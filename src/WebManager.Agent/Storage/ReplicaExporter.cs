using System.Collections.Concurrent;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Keeper;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Storage;

/// <summary>The secondary's side of mirrored disks: one storage daemon per instance, its exports open for one generation.</summary>
public sealed class ReplicaExporter(FileImages images, StorageOptions storage, HypervisorOptions programs, string? networkNamespace,
    IGuestProcesses processes, TimeProvider clock, ILogger<ReplicaExporter> log, NodeTls? tls = null, string node = "") : IAsyncDisposable
{
    private sealed record Open(ReplicaMarker Marker, ReplicaDaemon Daemon);

    private readonly ConcurrentDictionary<Guid, Open> _open = [];
    private readonly ConcurrentDictionary<Guid, SemaphoreSlim> _turns = [];
    private readonly ConcurrentDictionary<Guid, ReplicaDaemon> _ready = [];

    public static string ProcessId(Guid instance) => $"export:{instance}";

    /// <summary>The generation whose exports are open here and whose daemon lives; null when none is.</summary>
    public long? OpenGeneration(Guid instance) => Live(instance)?.Marker.Number;

    /// <summary>Opens the exports of every disk, once per generation; an older generation's are closed first. Repeated while open: the same address.</summary>
    /// <param name="candidate">The record is none yet: another one of its number may follow.</param>
    public async Task<Outcome<ReplicaAddress>> OpenAsync(GuestSpec guest, GenerationRecord record, CancellationToken ct, bool candidate = false)
    {
        using var turn = await TurnAsync(record.Instance, ct);
        var paths = images.PathsOf(record.Instance);
        var open = Live(record.Instance);
        var marker = ReplicaMarker.Read(paths.ReplicaMarker);
        var isOpen = open?.Marker.Number == record.Number && open.Marker.Tag == record.Tag;
        if (ReplicaRules.Refuses(marker, record, isOpen) is { } refusal) return refusal;
        if (isOpen) return open!.Marker.Address;
        var daemon = await TakeAsync(record.Instance, paths, ct);
        if (!daemon.Ok) return daemon.Refusal;
        try
        {
            return await ExportAsync(daemon.Value, guest, record, candidate, paths, ct);
        }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException)
        {
            await daemon.Value.DisposeAsync();
            await processes.KillAsync(ProcessId(record.Instance), ct);
            return new Refusal("replica.open-failed", $"The copy could not be opened: {e.Message}", "Look at the secondary's disk and its replica.log.");
        }
    }

    /// <summary>
    /// A daemon without disks, for an export that will be opened in a moment in which a guest stands still. Close ends it, if it is not used.
    /// </summary>
    public async Task PrepareAsync(Guid instance, CancellationToken ct)
    {
        using var turn = await TurnAsync(instance, ct);
        if (Live(instance) is not null || _ready.ContainsKey(instance)) return;
        await CloseNowAsync(instance, ct);
        var daemon = await StartAsync(instance, images.PathsOf(instance), ct);
        if (daemon.Ok) _ready[instance] = daemon.Value;
    }

    private async Task<Outcome<ReplicaDaemon>> TakeAsync(Guid instance, GuestPaths paths, CancellationToken ct)
    {
        if (_ready.TryRemove(instance, out var ready) && !ready.Closed.IsCompleted) return ready;
        await CloseNowAsync(instance, ct);
        return await StartAsync(instance, paths, ct);
    }

    private async Task<Outcome<ReplicaAddress>> ExportAsync(ReplicaDaemon daemon, GuestSpec guest, GenerationRecord record, bool candidate, GuestPaths paths, CancellationToken ct)
    {
        var disks = guest.Disks.OrderBy(d => d.Index).ToList();
        await daemon.AddDisksAsync(guest, paths, ct);
        // Starting the search at a place of its own keeps the instances of a node from trying the same ports one after another.
        if (await daemon.ListenAsync(storage, tls is not null, record.Instance.GetHashCode() & 0x7fffffff, ct) is not { } port)
            throw new IOException("No free port for the export.");
        var address = new ReplicaAddress(storage.ReplicaHost, port, [.. disks.Select(d => ReplicaRules.ExportName(record, d.Index))]);
        var marker = new ReplicaMarker(record.Number, record.Tag, address) { Candidate = candidate };
        // Durable before the first byte can arrive: from here on the generation is spent if this process dies.
        marker.Write(paths.ReplicaMarker);
        for (var i = 0; i < disks.Count; i++) await daemon.ExportAsync(disks[i].Index, address.Exports[i], ct);
        _open[record.Instance] = new Open(marker, daemon);
        log.ReplicaOpened(record.Instance, record.Number, port);
        return address;
    }

    // One daemon in thousands once did not answer; a second one is cheaper than a person (facts, "Open").
    private async Task<Outcome<ReplicaDaemon>> StartAsync(Guid instance, GuestPaths paths, CancellationToken ct)
    {
        paths.Make();
        for (var attempt = 1; ; attempt++)
        {
            File.Delete(paths.ReplicaQmp);
            var spawned = await processes.SpawnAsync(Request(instance, paths), ct);
            if (!spawned.Ok) return spawned.Refusal;
            try
            {
                var qmp = await QmpSockets.ConnectAsync(paths.ReplicaQmp, storage.ExporterStart, () => !ProcessFiles.Alive(spawned.Value), null, clock, ct);
                if (qmp is not null) return new ReplicaDaemon(qmp);
            }
            catch (TimeoutException) { log.ReplicaSilent(instance, attempt); }
            await processes.KillAsync(ProcessId(instance), ct);
            if (attempt == 2) return new Refusal("replica.no-daemon", $"The storage daemon does not start: {Programs.Tail(paths.ReplicaLog)}", "Look at replica.log on the secondary.");
        }
    }

    private SpawnRequest Request(Guid instance, GuestPaths paths) => new(ProcessId(instance),
    [
        programs.StorageDaemon, .. tls is null ? (string[])[] : ["--object", tls.Credentials(server: true).ToJsonString()], "--chardev", $"socket,id=qmp,path={QemuCommandLine.Escaped(paths.ReplicaQmp)},server=on,wait=off", "--monitor", "chardev=qmp",
    ], paths.ReplicaLog, DieWithKeeper: true, Record: null) { NetworkNamespace = networkNamespace };

    /// <summary>Hashes of a part of an open copy (ChunkHashes), read through the process that writes it: no other reader sees what it holds back.</summary>
    public async Task<Outcome<byte[]>> HashAsync(GenerationRecord record, int position, long offset, long length, CancellationToken ct)
    {
        if (Live(record.Instance) is not { } open || open.Marker.Number != record.Number || open.Marker.Tag != record.Tag)
            return new Refusal("replica.not-open", $"The copy is not open here under {record}.") { Field = "record" };
        if (position < 0 || position >= open.Marker.Address.Exports.Count)
            return new Refusal("replica.wrong-disks", $"The copy has {open.Marker.Address.Exports.Count} disks.") { Field = "disk" };
        var address = open.Marker.Address;
        var target = new NbdTarget(address.Exports[position]) { Host = address.Host, Port = address.Port, Tls = tls, Peer = node, Context = ChunkHashes.Allocation };
        await using var disk = await NbdHandshake.ConnectAsync(target, ct);
        if (offset < 0 || offset % ChunkHashes.Chunk != 0 || length is <= 0 or > ChunkHashes.Segment || offset > disk.Size - length)
            return new Refusal("replica.no-such-part", $"The disk has {disk.Size} bytes; a part begins at a multiple of {ChunkHashes.Chunk}.") { Field = "offset" };
        return await ChunkHashes.OfAsync(disk, offset, length, ct);
    }

    /// <summary>When it answers, no write of a primary can arrive any more and the images are free. Nothing open: done.</summary>
    public async Task<Outcome<Done>> CloseAsync(Guid instance, CancellationToken ct)
    {
        using var turn = await TurnAsync(instance, ct);
        return await CloseNowAsync(instance, ct);
    }

    private async Task<Outcome<Done>> CloseNowAsync(Guid instance, CancellationToken ct)
    {
        if (_ready.TryRemove(instance, out var ready)) await ready.DisposeAsync();
        if (_open.TryRemove(instance, out var open))
        {
            await using var daemon = open.Daemon;
            try { await daemon.CloseAsync(ct); }
            catch (Exception e) when (e is QmpException or TimeoutException or IOException) { log.ReplicaKilled(instance, e.Message); }
        }
        // Also after a clean quit: the answer means reaped. It also ends a daemon of an earlier agent run that nobody adopted.
        return await processes.KillAsync(ProcessId(instance), ct);
    }

    /// <summary>After a restart of the agent: finds the instance's daemon again; one that exports nothing is ended.</summary>
    public async Task AdoptAsync(Guid instance, CancellationToken ct)
    {
        using var turn = await TurnAsync(instance, ct);
        var paths = images.PathsOf(instance);
        if (Live(instance) is not null || !File.Exists(paths.ReplicaQmp) || ReplicaMarker.Read(paths.ReplicaMarker) is not { } marker) return;
        try
        {
            var daemon = new ReplicaDaemon(await QmpClient.ConnectAsync(paths.ReplicaQmp, clock, null, ct));
            if (await daemon.ExportsAnythingAsync(ct)) _open[instance] = new Open(marker, daemon);
            else await CloseStrayAsync(instance, daemon, ct);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            // Nobody answers: the generation is spent, which the marker says.
        }
    }

    private async Task CloseStrayAsync(Guid instance, ReplicaDaemon daemon, CancellationToken ct)
    {
        await daemon.DisposeAsync();
        await processes.KillAsync(ProcessId(instance), ct);
    }

    private Open? Live(Guid instance) => _open.TryGetValue(instance, out var open) && !open.Daemon.Closed.IsCompleted ? open : null;

    private async Task<IDisposable> TurnAsync(Guid instance, CancellationToken ct)
    {
        var turn = _turns.GetOrAdd(instance, _ => new SemaphoreSlim(1, 1));
        await turn.WaitAsync(ct);
        return new Turn(turn);
    }

    private sealed record Turn(SemaphoreSlim Semaphore) : IDisposable
    {
        public void Dispose() => Semaphore.Release();
    }

    /// <summary>Lets go of the daemons, which go on exporting: guests outlive the agent.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open.Values) await open.Daemon.DisposeAsync();
        foreach (var ready in _ready.Values) await ready.DisposeAsync();
        _open.Clear();
        _ready.Clear();
    }
}
