namespace WebManager.Agent.Storage;

/// <summary>A stretch of a disk.</summary>
public readonly record struct ByteRange(long Offset, long Length)
{
    public long End => Offset + Length;

    /// <summary>Joins what touches, keeps the order, cuts into pieces of at most <paramref name="piece"/> bytes.</summary>
    public static IEnumerable<ByteRange> Pieces(IEnumerable<ByteRange> ranges, int piece)
    {
        foreach (var whole in Joined(ranges))
            for (var at = whole.Offset; at < whole.End; at += piece) yield return new ByteRange(at, Math.Min(piece, whole.End - at));
    }

    private static IEnumerable<ByteRange> Joined(IEnumerable<ByteRange> ranges)
    {
        ByteRange? open = null;
        foreach (var range in ranges)
        {
            if (open is { } last && last.End == range.Offset) open = last with { Length = last.Length + range.Length };
            else
            {
                if (open is { } done) yield return done;
                open = range;
            }
        }
        if (open is { } rest) yield return rest;
    }
}
