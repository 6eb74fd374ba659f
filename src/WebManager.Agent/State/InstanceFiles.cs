using System.Text.Json;
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Agent.Storage;

namespace WebManager.Agent.State;

/// <summary>What the guest was last started with; all that is needed to find it again.</summary>
public sealed record StartNote(GuestSpec Guest, GenerationRecord? Record, ReplicaAddress? Replica);

/// <summary>How a guest's process ended, judged while its QMP was still known; by pid, so that the keeper's plain note of the same end adds nothing.</summary>
public sealed record EndNote(int Pid, long Generation, GuestEnd End, DateTimeOffset At, IReadOnlyList<string>? LastLines);

/// <summary>D/instances/{id}: generation.json, start.json, end.json, note.json, each replaced as a whole and synced.</summary>
public sealed class InstanceFiles(NodeFolder folder)
{
    public const string GenerationFile = "generation.json";

    public IEnumerable<Guid> All()
    {
        Directory.CreateDirectory(folder.Instances);
        foreach (var path in Directory.EnumerateDirectories(folder.Instances))
            if (Guid.TryParse(Path.GetFileName(path), out var id)) yield return id;
    }

    public StoredGenerations? Generations(Guid id) => Read<StoredGenerations>(id, GenerationFile);
    public StartNote? Start(Guid id) => Read<StartNote>(id, "start.json");
    public EndNote? End(Guid id) => Read<EndNote>(id, "end.json");
    public KeptNote? Kept(Guid id) => Read<KeptNote>(id, "note.json");

    public void Write(Guid id, StoredGenerations stored) => WriteFile(id, GenerationFile, stored);
    public void Write(Guid id, StartNote start) => WriteFile(id, "start.json", start);
    public void Write(Guid id, EndNote end) => WriteFile(id, "end.json", end);
    public void Write(Guid id, KeptNote kept) => WriteFile(id, "note.json", kept);

    private void WriteFile<T>(Guid id, string name, T value)
    {
        var home = folder.Instance(id);
        if (!Directory.Exists(home))
        {
            Directory.CreateDirectory(home, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            DurableFile.SyncFolder(folder.Instances);
        }

        DurableFile.Write(Path.Combine(home, name), JsonSerializer.SerializeToUtf8Bytes(value, WireJson.Options));
    }

    private T? Read<T>(Guid id, string name) where T : class
    {
        var path = Path.Combine(folder.Instance(id), name);
        // Unreadable must not pass for "nothing stored": that would forget a generation. The exception stops the agent with its file's name.
        try { return File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), WireJson.Options) : null; }
        catch (JsonException ex) { throw new InvalidDataException($"{path} is damaged: {ex.Message}", ex); }
    }
}
