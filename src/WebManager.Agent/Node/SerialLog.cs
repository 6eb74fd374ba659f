using System.Text;

namespace WebManager.Agent.Node;

/// <summary>The end of a guest's serial log.</summary>
internal static class SerialLog
{
    private const int Window = 64 * 1024;

    public static IReadOnlyList<string> Tail(string instanceFolder, int lines)
    {
        try
        {
            using var file = new FileStream(Path.Combine(instanceFolder, "serial.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, Window), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            return [.. reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(lines).Select(l => l.TrimEnd('\r'))];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
