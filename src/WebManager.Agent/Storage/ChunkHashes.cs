// What two nodes compare instead of the data itself: one SHA-256 for each 64 KiB of a disk, read through an NBD export.
using System.Security.Cryptography;
using WebManager.Agent.Storage.Nbd;

namespace WebManager.Agent.Storage;

public static class ChunkHashes
{
    /// <summary>The metadata context that says what of a disk is a hole.</summary>
    public const string Allocation = "base:allocation";

    public const int Chunk = 64 * 1024;
    public const int HashBytes = SHA256.HashSizeInBytes;

    /// <summary>How much one question to the other node covers.</summary>
    public const long Segment = 64L * 1024 * 1024;

    private const int Piece = 16 * Chunk;
    private const uint ReadsAsZero = 2;

    /// <summary>
    /// One hash after the other; all zeros stand for a chunk of zeros, so that holes cost neither reading nor hashing. The connection must
    /// have the context <see cref="Allocation"/>; the offset is a multiple of <see cref="Chunk"/>.
    /// </summary>
    public static async Task<byte[]> OfAsync(NbdClient disk, long offset, long length, CancellationToken ct)
    {
        var hashes = new byte[(length + Chunk - 1) / Chunk * HashBytes];
        var extents = await disk.ExtentsAsync(offset, length, ct);
        byte[][] buffers = [new byte[Piece], new byte[Piece]];
        var (turn, hashing) = (0, Task.CompletedTask);
        foreach (var piece in ByteRange.Pieces(Written(extents, offset, offset + length), Piece))
        {
            var buffer = buffers[turn ^= 1].AsMemory(0, (int)piece.Length);
            await disk.ReadAsync(piece.Offset, buffer, ct);
            await hashing;
            hashing = Task.Run(() => Hash(buffer.Span, hashes.AsSpan((int)((piece.Offset - offset) / Chunk) * HashBytes)), ct);
        }
        await hashing;
        return hashes;
    }

    // Whole chunks: one that is partly a hole is read as a whole.
    private static IEnumerable<ByteRange> Written(IReadOnlyList<NbdExtent> extents, long from, long end)
    {
        var next = from;
        foreach (var extent in extents.Where(e => (e.Flags & ReadsAsZero) == 0))
        {
            var first = Math.Max(next, from + ((extent.Offset - from) / Chunk * Chunk));
            next = Math.Max(next, Math.Min(end, from + ((extent.Offset + extent.Length - from + Chunk - 1) / Chunk * Chunk)));
            if (next > first) yield return new ByteRange(first, next - first);
        }
    }

    private static void Hash(ReadOnlySpan<byte> data, Span<byte> hashes)
    {
        for (var at = 0; at < data.Length; at += Chunk, hashes = hashes[HashBytes..])
        {
            var chunk = data[at..Math.Min(at + Chunk, data.Length)];
            if (!IsZero(chunk)) SHA256.HashData(chunk, hashes);
        }
    }

    public static bool IsZero(ReadOnlySpan<byte> data) => !data.ContainsAnyExcept((byte)0);

    /// <summary>The chunks in which two lists of hashes differ.</summary>
    public static IEnumerable<ByteRange> Differing(byte[] mine, byte[] theirs, long offset, long length)
    {
        if (mine.Length != theirs.Length) throw new NbdException("The other copy has another size.");
        for (var i = 0; i < mine.Length / HashBytes; i++)
        {
            var at = (long)i * Chunk;
            if (!mine.AsSpan(i * HashBytes, HashBytes).SequenceEqual(theirs.AsSpan(i * HashBytes, HashBytes)))
                yield return new ByteRange(offset + at, Math.Min(Chunk, length - at));
        }
    }
}
