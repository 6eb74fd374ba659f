using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using WebManager.Agent.Storage;

namespace WebManager.Agent.Keeper;

/// <summary>
/// D/keeper: the socket, what lives (live/) and how things ended (ends/, fsynced: an end is not forgotten while the agent is away).
/// One process at a time holds the lock file.
/// </summary>
internal sealed class KeeperFolder : IDisposable
{
    private readonly string _live, _ends;
    private FileStream? _lock;

    public KeeperFolder(string nodeFolder)
    {
        Root = Path.Combine(nodeFolder, "keeper");
        (_live, _ends) = (Path.Combine(Root, "live"), Path.Combine(Root, "ends"));
    }

    public string Root { get; }
    public string Socket => SocketOf(Root);
    public static string SocketOf(string root) => Path.Combine(root, "sock");

    /// <summary>False: another keeper has it.</summary>
    public bool TryOwn()
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(Root, mine);
        File.SetUnixFileMode(Root, mine);
        Directory.CreateDirectory(_live);
        Directory.CreateDirectory(_ends);
        try
        {
            _lock = new FileStream(Path.Combine(Root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return false;
        }

        File.WriteAllText(Path.Combine(Root, "pid"), $"{Environment.ProcessId}\n");
        return true;
    }

    public void NoteLive(LiveNote note) => File.WriteAllText(FileOf(_live, note.Id), JsonSerializer.Serialize(note, KeeperJson.Default.LiveNote));

    public void NoteEnd(ProcessEnd end)
    {
        // A full or broken disk must not end the keeper, and every guest with it. An end that is not on disk is known as long as we live, and
        // counts as a kill after that.
        Try(() => DurableFile.Write(FileOf(_ends, end.Id), JsonSerializer.SerializeToUtf8Bytes(end, KeeperJson.Default.ProcessEnd)));
        ForgetLive(end.Id);
    }

    public void ForgetLive(string id) => Try(() => File.Delete(FileOf(_live, id)));

    private static void Try(Action write)
    {
        try { write(); }
        catch (Exception ex) when (ex is IOException or UnauthorizedAccessException) { }
    }

    public void Forget(string id) => Try(() => File.Delete(FileOf(_ends, id)));

    public IReadOnlyList<LiveNote> Live() => Read(_live, KeeperJson.Default.LiveNote);
    public IReadOnlyList<ProcessEnd> Ends() => Read(_ends, KeeperJson.Default.ProcessEnd);

    public void Dispose() => _lock?.Dispose();

    private static string FileOf(string folder, string id) => Path.Combine(folder, id.Replace(':', '_') + ".json");

    private static List<T> Read<T>(string folder, JsonTypeInfo<T> type)
    {
        var all = new List<T>();
        foreach (var file in Directory.EnumerateFiles(folder, "*.json"))
        {
            // A live note torn by a kill of the keeper is of no use; an end is written whole or not at all.
            try { if (JsonSerializer.Deserialize(File.ReadAllBytes(file), type) is { } item) all.Add(item); }
            catch (JsonException) { File.Delete(file); }
        }

        return all;
    }
}
