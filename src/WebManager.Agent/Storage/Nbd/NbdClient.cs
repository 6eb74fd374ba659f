using System.Buffers.Binary;
using System.Text;

namespace WebManager.Agent.Storage.Nbd;

/// <summary>
/// One connection to an NBD export, one request at a time. After an exception or a cancelled request the connection is of no use any more.
/// </summary>
public sealed class NbdClient(Stream stream, long size, uint context, int disk = 0) : IAsyncDisposable
{
    private const uint RequestMagic = 0x25609513, SimpleMagic = 0x67446698, ChunkMagic = 0x668e33ef;
    private const ushort Read = 0, Write = 1, Flush = 3, WriteZeroes = 6, BlockStatus = 7;
    private const ushort OffsetData = 1, OffsetHole = 2, Extents = 5, ErrorBit = 0x8000;
    private const int HeadLength = 28;
    private const long LongestStatus = 1L << 30;
    private readonly byte[] _head = new byte[HeadLength];
    private readonly byte[] _reply = new byte[20];
    private ulong _handle;
    private ushort _asked;

    public long Size => size;

    public async Task ReadAsync(long offset, Memory<byte> into, CancellationToken ct)
    {
        await SendAsync(Read, offset, (uint)into.Length, default, ct);
        await AnswerAsync(async (type, length) =>
        {
            var at = (int)(await LongAsync(ct) - offset);
            if (type == OffsetData && at >= 0 && at + length - 8 <= into.Length) await stream.ReadExactlyAsync(into.Slice(at, length - 8), ct);
            else if (type == OffsetHole && length == 12 && await IntAsync(ct) is var hole && at >= 0 && at + hole <= into.Length) into.Slice(at, hole).Span.Clear();
            else throw new NbdException("Data for another place was sent.");
        }, into, ct);
    }

    public async Task WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        await SendAsync(Write, offset, (uint)data.Length, data, ct);
        await AnswerAsync(null, default, ct);
    }

    /// <summary>Writes zeros without sending them; the server may make a hole of them.</summary>
    public async Task ZeroAsync(long offset, int length, CancellationToken ct)
    {
        await SendAsync(WriteZeroes, offset, (uint)length, default, ct);
        await AnswerAsync(null, default, ct);
    }

    /// <summary>When it answers, everything this export has confirmed before, on any connection, is on its disk.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await SendAsync(Flush, 0, 0, default, ct);
        await AnswerAsync(null, default, ct);
    }

    /// <summary>What the metadata context says of a range: without gaps, in order, clipped to it.</summary>
    public async Task<IReadOnlyList<NbdExtent>> ExtentsAsync(long offset, long length, CancellationToken ct)
    {
        var (found, at, end) = (new List<NbdExtent>(), offset, offset + length);
        while (at < end)
        {
            var before = at;
            await SendAsync(BlockStatus, at, (uint)Math.Min(end - at, LongestStatus), default, ct);
            await AnswerAsync(async (type, bytes) =>
            {
                if (type != Extents || await IntAsync(ct) != (int)(context - 1)) throw new NbdException("Metadata of another kind was sent.");
                var raw = new byte[bytes - 4];
                await stream.ReadExactlyAsync(raw, ct);
                for (var i = 0; i + 8 <= raw.Length && at < end; i += 8)
                {
                    var run = Math.Min(BinaryPrimitives.ReadUInt32BigEndian(raw.AsSpan(i)), end - at);
                    found.Add(new NbdExtent(at, run, BinaryPrimitives.ReadUInt32BigEndian(raw.AsSpan(i + 4))));
                    at += run;
                }
            }, default, ct);
            if (at == before) throw new NbdException("The server told nothing about a part of the disk.");
        }
        return found;
    }

    private async Task SendAsync(ushort type, long offset, uint length, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_head, RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(_head.AsSpan(4), 0);
        BinaryPrimitives.WriteUInt16BigEndian(_head.AsSpan(6), type);
        BinaryPrimitives.WriteUInt64BigEndian(_head.AsSpan(8), ++_handle);
        _asked = type;
        BinaryPrimitives.WriteInt64BigEndian(_head.AsSpan(16), offset);
        BinaryPrimitives.WriteUInt32BigEndian(_head.AsSpan(24), length);
        await stream.WriteAsync(_head, ct);
        if (!data.IsEmpty) await stream.WriteAsync(data, ct);
    }

    /// <summary>Reads replies until the request is done; <paramref name="take"/> must consume a content chunk of the given type and length.</summary>
    private async Task AnswerAsync(Func<ushort, int, Task>? take, Memory<byte> plain, CancellationToken ct)
    {
        while (true)
        {
            await stream.ReadExactlyAsync(_reply.AsMemory(0, 16), ct);
            var magic = BinaryPrimitives.ReadUInt32BigEndian(_reply);
            if (magic == SimpleMagic)
            {
                Check(BinaryPrimitives.ReadUInt64BigEndian(_reply.AsSpan(8)));
                if (BinaryPrimitives.ReadUInt32BigEndian(_reply.AsSpan(4)) is > 0 and var error) throw Failed(error, "");
                if (!plain.IsEmpty) await stream.ReadExactlyAsync(plain, ct);
                return;
            }
            if (magic != ChunkMagic) throw new NbdException("Not an NBD reply.");
            await stream.ReadExactlyAsync(_reply.AsMemory(16, 4), ct);
            Check(BinaryPrimitives.ReadUInt64BigEndian(_reply.AsSpan(8)));
            var (flags, type) = (BinaryPrimitives.ReadUInt16BigEndian(_reply.AsSpan(4)), BinaryPrimitives.ReadUInt16BigEndian(_reply.AsSpan(6)));
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(_reply.AsSpan(16));
            if ((type & ErrorBit) != 0) throw await ErrorAsync(length, ct);
            if (length > 0)
            {
                if (take is null) throw new NbdException("Data was sent that nobody asked for.");
                await take(type, length);
            }
            if ((flags & 1) != 0) return;
        }
    }

    private void Check(ulong handle)
    {
        if (handle != _handle) throw new NbdException("The answer belongs to another request.");
    }

    private async Task<NbdException> ErrorAsync(int length, CancellationToken ct)
    {
        var raw = new byte[Math.Clamp(length, 6, 4096)];
        await stream.ReadExactlyAsync(raw, ct);
        return Failed(BinaryPrimitives.ReadUInt32BigEndian(raw), Encoding.UTF8.GetString(raw, 6, Math.Min(BinaryPrimitives.ReadUInt16BigEndian(raw.AsSpan(4)), raw.Length - 6)));
    }

    private NbdException Failed(uint error, string text)
    {
        var said = text.Length > 0 ? text : error switch { NbdDiskException.IoError => "input/output error", NbdDiskException.NoSpace => "no space left on device", _ => $"error {error}" };
        return error is NbdDiskException.IoError or NbdDiskException.NoSpace ? new NbdDiskException($"The other end reports: {said}.", disk, error, _asked is Write or Flush or WriteZeroes) : new NbdException($"The other end reports: {said}.");
    }

    private async Task<long> LongAsync(CancellationToken ct)
    {
        var raw = new byte[8];
        await stream.ReadExactlyAsync(raw, ct);
        return BinaryPrimitives.ReadInt64BigEndian(raw);
    }

    private async Task<int> IntAsync(CancellationToken ct)
    {
        var raw = new byte[4];
        await stream.ReadExactlyAsync(raw, ct);
        return BinaryPrimitives.ReadInt32BigEndian(raw);
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
