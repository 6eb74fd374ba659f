// What the guest's beat left on a disk image, read without the guest (docs/tiny-linux.md has the format).
using System.Globalization;
using System.Text;

namespace WebManager.Testing.E2E;

/// <param name="Boot">The kernel's boot id of the guest that wrote it.</param>
public sealed record BeatRecord(long Number, string Boot);

public sealed class BeatRecords
{
    private const int Size = 4096;
    private const int Line = 64;

    private BeatRecords(IReadOnlyList<BeatRecord> records) => Records = records;

    /// <summary>The whole records, by number.</summary>
    public IReadOnlyList<BeatRecord> Records { get; }

    /// <summary>The highest number; 0 for none.</summary>
    public long Last => Records.Count == 0 ? 0 : Records[^1].Number;

    /// <summary>The numbers between first and last that are not there.</summary>
    public IReadOnlyList<long> Missing
    {
        get
        {
            var there = Records.Select(r => r.Number).ToHashSet();
            return Records.Count == 0 ? [] : [.. Enumerable.Range(0, (int)(Last - Records[0].Number)).Select(i => Records[0].Number + i).Where(n => !there.Contains(n))];
        }
    }

    /// <summary>Boot ids in the order of the numbers, each once; more entries than different ids would mean that two guests wrote in turn.</summary>
    public IReadOnlyList<string> Boots => [.. Records.Select(r => r.Boot).Where((boot, i) => i == 0 || Records[i - 1].Boot != boot)];

    /// <summary>Reads a qcow2 image that nobody writes at this moment, or that one does not mind reading while it changes.</summary>
    public static async Task<BeatRecords> OfAsync(string image)
    {
        var raw = Path.Combine(Path.GetTempPath(), $"wm-beat-{Guid.NewGuid():N}.raw");
        try
        {
            (await Shell.RunAsync("qemu-img", ["convert", "-U", "-O", "raw", image, raw])).Must();
            var found = new List<BeatRecord>();
            await using var file = File.OpenRead(raw);
            var block = new byte[Size];
            while (await file.ReadAtLeastAsync(block, Size, throwOnEndOfStream: false) == Size)
                if (Parse(block) is { } record) found.Add(record);
            return new BeatRecords([.. found.OrderBy(r => r.Number)]);
        }
        finally
        {
            File.Delete(raw);
        }
    }

    /// <summary>A record counts only if all 64 lines are the same whole line.</summary>
    private static BeatRecord? Parse(ReadOnlySpan<byte> block)
    {
        if (block[0] != (byte)'b') return null;
        for (var at = Line; at < Size; at += Line)
            if (!block.Slice(at, Line).SequenceEqual(block[..Line])) return null;
        var words = Encoding.ASCII.GetString(block[..Line]).TrimEnd().Split(' ');
        if (words is not ["beat", var number, var boot, var check] || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n)) return null;
        if (!uint.TryParse(boot.AsSpan(0, Math.Min(8, boot.Length)), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var id)) return null;
        return check == ((uint)(n * 7919 + id)).ToString("x8", CultureInfo.InvariantCulture) ? new BeatRecord(n, boot) : null;
    }
}
