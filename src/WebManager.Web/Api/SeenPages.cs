namespace WebManager.Web.Api;

/// <summary>A page of the newest rows that may be seen: reads on until it is full, so that what may not be seen leaves no gaps that tell of it.</summary>
internal static class SeenPages
{
    private const int Chunk = 500, MostChunks = 40;

    public static async Task<IReadOnlyList<T>> OfAsync<T>(Func<long?, int, CancellationToken, Task<IReadOnlyList<T>>> read, Func<T, long> id, Func<T, bool> sees, long? before, int limit, CancellationToken ct)
    {
        var page = new List<T>();
        for (var turn = 0; turn < MostChunks && page.Count < limit; turn++)
        {
            var rows = await read(before, Chunk, ct);
            page.AddRange(rows.Where(sees));
            if (rows.Count < Chunk) { break; }
            before = id(rows[^1]);
        }
        return page.Count > limit ? page[..limit] : page;
    }
}
