// QEMU's own log of a guest's serial port: what the guest said, whoever was listening. It grows over starts on the same node.
using System.Globalization;
using System.Text;

namespace WebManager.Testing.E2E;

public sealed class SerialFile(string path)
{
    public const string FirstLine = "init: tiny-linux up";

    public string Path => path;

    /// <summary>Where it ends now; 0 when there is none.</summary>
    public long End => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>The whole lines from there on.</summary>
    public IReadOnlyList<string> Lines(long from = 0)
    {
        if (!File.Exists(path)) return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length < from) from = 0;
        file.Position = from;
        using var reader = new StreamReader(file, Encoding.Latin1);
        var text = reader.ReadToEnd();
        var whole = text.LastIndexOf('\n');
        return whole < 0 ? [] : text[..whole].Split('\n').Select(l => l.TrimEnd('\r')).ToList();
    }

    /// <summary>The beats in whole lines from there on, and where the last whole line ends.</summary>
    public (IReadOnlyList<long> Numbers, long End) NewBeats(long from)
    {
        var (lines, end) = NewLines(from);
        return ([.. lines.Select(l => NumberOf(l, "beat ")).Where(n => n > 0)], end);
    }

    /// <summary>The whole lines from there on, and where the last of them ends.</summary>
    public (IReadOnlyList<string> Lines, long End) NewLines(long from)
    {
        if (End <= from) return ([], from);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length - from];
        file.Position = from;
        file.ReadExactly(bytes);
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        return whole == 0 ? ([], from) : ([.. Encoding.Latin1.GetString(bytes, 0, whole - 1).Split('\n').Select(l => l.TrimEnd('\r'))], from + whole);
    }

    /// <summary>The last "beat N" from there on; 0 for none.</summary>
    public long LastBeat(long from = 0) => Lines(from).Select(l => NumberOf(l, "beat ")).LastOrDefault(n => n > 0);

    /// <summary>The first "resume N" from there on.</summary>
    public long? Resume(long from = 0) => Lines(from).Select(l => NumberOf(l, "resume ")).Where(n => n >= 0).Select(n => (long?)n).FirstOrDefault();

    /// <summary>The highest number ever said there: what the guest promised.</summary>
    public long HighestBeat(long from = 0) => Lines(from).Select(l => NumberOf(l, "beat ")).DefaultIfEmpty(0).Max();

    /// <summary>When the line was seen; looked for every few milliseconds.</summary>
    public async Task<TimeSpan> SeenAsync(Func<string, bool> line, long from, TimeSpan limit, string what)
    {
        await Until.TrueAsync(() => Lines(from).Any(line), limit, $"{what} in {path}; it ends with: {string.Join(" | ", Lines(from).TakeLast(5))}", TimeSpan.FromMilliseconds(5));
        return NodeProcesses.SinceBoot();
    }

    public Task<TimeSpan> BootedAsync(long from, TimeSpan limit) => SeenAsync(l => l.Contains(FirstLine, StringComparison.Ordinal), from, limit, $"\"{FirstLine}\"");

    /// <summary>At the end of a line: the shell's prompt may stand before it. -1: not in this line.</summary>
    public static long NumberOf(string line, string word)
    {
        var at = line.LastIndexOf(word, StringComparison.Ordinal);
        return at >= 0 && (at == 0 || !char.IsAsciiLetterLower(line[at - 1]) || line[..at].EndsWith("[6n", StringComparison.Ordinal))
            && long.TryParse(line.AsSpan(at + word.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
    }
}
