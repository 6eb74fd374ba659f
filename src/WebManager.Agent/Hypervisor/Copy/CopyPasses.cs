// The reading and writing of one resynchronisation, by our own hands: QEMU and its guest know nothing of the other node meanwhile.
using System.Net.Sockets;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

public sealed class CopyPasses(QmpClient qmp, MirrorGraph graph, GenerationRecord record, ReplicaAddress replica, GuestParts parts) : IAsyncDisposable
{
    private const uint Dirty = 1;
    private readonly DiskBitmaps _bitmaps = new(qmp, graph.Disks);
    private readonly LocalExport _local = new(qmp, graph.Disks, parts.Paths.CopySocket);
    private readonly List<NbdClient> _to = [];
    private int _pass = 1;

    public CopyTally Tally { get; } = new(parts.Clock, parts.Options);

    /// <summary>Whether only known changes are copied, on every disk.</summary>
    public bool ByBitmap { get; private set; }

    /// <summary>Connects to every disk of the other copy.</summary>
    public async Task ConnectAsync(CancellationToken ct)
    {
        for (var i = 0; i < graph.Disks.Count; i++) _to.Add(await NbdHandshake.ConnectAsync(Target(i, null), ct));
    }

    private NbdTarget Target(int position, string? context) => new(replica.Exports[position])
    {
        Host = replica.Host, Port = replica.Port, Tls = parts.Tls, Peer = record.Secondary!, Context = context, Disk = graph.Disks[position].Index,
    };

    /// <summary>Known changes are copied, everything else is compared; what the guest writes from here on is caught for the next pass.</summary>
    public async Task FirstAsync(CancellationToken ct)
    {
        await _local.CloseAsync(ct);
        await _bitmaps.RemovePassesAsync(ct);
        var known = await _bitmaps.KnownAsync(replica.Holds, ct);
        ByBitmap = known.All(k => k);
        await _bitmaps.FirstPassAsync(known, replica.Holds, ct);
        // What an earlier try has written may still be in the other process's memory; it hashes what it has on disk.
        await FlushAsync(ct);
        var marked = (await _bitmaps.ListAsync(ct)).Select(l => l.FirstOrDefault(b => b.Name == DiskBitmaps.Pass(0))?.Bytes).ToList();
        Tally.Total = marked.Zip(_to).Sum(d => d.First ?? d.Second.Size);
        var from = await _local.OpenAsync([.. known.Select(k => k ? DiskBitmaps.Pass(0) : null)], ct);
        for (var i = 0; i < from.Count; i++)
        {
            if (known[i]) await CopyMarkedAsync(from[i], i, firstPass: true, paced: true, ct);
            else await CompareAsync(from[i], i, ct);
        }
        await CloseAsync(from, ct);
    }

    /// <summary>Copies what was caught since the last pass; <paramref name="paused"/>: the guest stands still.</summary>
    public async Task NextAsync(bool paused, CancellationToken ct)
    {
        await _bitmaps.NextPassAsync(_pass, ct);
        var from = await _local.OpenAsync([.. graph.Disks.Select(_ => DiskBitmaps.Pass(_pass))], ct);
        for (var i = 0; i < from.Count; i++) await CopyMarkedAsync(from[i], i, firstPass: false, paced: !paused, ct);
        await CloseAsync(from, ct);
        _pass++;
    }

    public Task<long> LeftAsync(CancellationToken ct) => _bitmaps.CaughtAsync(_pass, ct);

    /// <summary>The other copy has everything that was written to it on its disk.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        foreach (var to in _to) await to.FlushAsync(ct);
    }

    /// <summary>Both are equal from here: changes are marked anew under this record.</summary>
    public Task MarkEqualAsync(CancellationToken ct) => _bitmaps.BeginAsync(record, ct);

    /// <summary>Leaves nothing behind in QEMU but the marks that a new try needs.</summary>
    public async Task CleanUpAsync(CancellationToken ct)
    {
        await _local.CloseAsync(ct);
        await _bitmaps.RemovePassesAsync(ct);
    }

    private async Task CloseAsync(IReadOnlyList<NbdClient> from, CancellationToken ct)
    {
        foreach (var client in from) await client.DisposeAsync();
        await _local.CloseAsync(ct);
    }

    private async Task CopyMarkedAsync(NbdClient from, int position, bool firstPass, bool paced, CancellationToken ct)
    {
        var marked = (await from.ExtentsAsync(0, from.Size, ct)).Where(e => (e.Flags & Dirty) != 0).Select(e => new ByteRange(e.Offset, e.Length));
        await new RangeCopier(from, _to[position], Tally).CopyAsync(marked, firstPass, paced, ct);
    }

    private async Task CompareAsync(NbdClient from, int position, CancellationToken ct)
    {
        if (from.Size != _to[position].Size) throw new NbdException($"Disk {position} has another size on {record.Secondary}.");
        var copier = new RangeCopier(from, _to[position], Tally);
        await using var there = new Theirs(this, position);
        var next = there.AskAsync(0, ct);
        for (var at = 0L; at < from.Size; at += ChunkHashes.Segment)
        {
            var length = Math.Min(ChunkHashes.Segment, from.Size - at);
            var mine = await ChunkHashes.OfAsync(from, at, length, ct);
            var theirs = await next;
            if (at + length < from.Size) next = there.AskAsync(at + length, ct);
            var differing = ChunkHashes.Differing(mine, theirs, at, length).ToList();
            await copier.CopyAsync(differing, firstPass: false, paced: true, ct);
            Tally.HasCompared(length);
        }
    }

    /// <summary>The other node's hashes: by its own word, or where it cannot be asked by reading its copy over the network.</summary>
    private sealed class Theirs(CopyPasses copy, int position) : IAsyncDisposable
    {
        private NbdClient? _reader;

        public async Task<byte[]> AskAsync(long offset, CancellationToken ct)
        {
            var length = Math.Min(ChunkHashes.Segment, copy._to[position].Size - offset);
            if (copy.Peer is { } peer)
            {
                try { return await peer.HashAsync(copy.Record, position, offset, length, ct); }
                catch (Exception e) when (e is HttpRequestException or IOException or SocketException) { copy.PeerFailed(e.Message); }
            }
            _reader ??= await NbdHandshake.ConnectAsync(copy.Target(position, ChunkHashes.Allocation), ct);
            return await ChunkHashes.OfAsync(_reader, offset, length, ct);
        }

        public ValueTask DisposeAsync() => _reader?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private GenerationRecord Record => record;
    private ICopyPeer? Peer { get; set; } = parts.Peer;

    private void PeerFailed(string why)
    {
        Peer = null;
        parts.Log.PeerHashesNot(record.Instance, record.Secondary!, why);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var to in _to) await to.DisposeAsync();
    }
}
