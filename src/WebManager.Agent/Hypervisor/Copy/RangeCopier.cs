using WebManager.Agent.Storage;
using WebManager.Agent.Storage.Nbd;

namespace WebManager.Agent.Hypervisor.Copy;

/// <summary>Carries ranges of one disk from an export to another; the next piece is read while the last is being written.</summary>
public sealed class RangeCopier(NbdClient from, NbdClient to, CopyTally tally)
{
    private const int Piece = 1024 * 1024;
    private readonly byte[][] _buffers = [new byte[Piece], new byte[Piece]];

    /// <param name="paced">Under the rate limit; not while the guest stands still.</param>
    public async Task CopyAsync(IEnumerable<ByteRange> ranges, bool firstPass, bool paced, CancellationToken ct)
    {
        var (turn, writing) = (0, Task.CompletedTask);
        foreach (var piece in ByteRange.Pieces(ranges, Piece))
        {
            var buffer = _buffers[turn ^= 1].AsMemory(0, (int)piece.Length);
            await from.ReadAsync(piece.Offset, buffer, ct);
            await writing;
            if (paced) await tally.KeepPaceAsync(ct);
            writing = PutAsync(piece, buffer, firstPass, ct);
        }
        await writing;
    }

    private async Task PutAsync(ByteRange piece, ReadOnlyMemory<byte> data, bool firstPass, CancellationToken ct)
    {
        if (ChunkHashes.IsZero(data.Span)) await to.ZeroAsync(piece.Offset, (int)piece.Length, ct);
        else await to.WriteAsync(piece.Offset, data, ct);
        tally.HasMoved(piece.Length, firstPass);
    }
}
