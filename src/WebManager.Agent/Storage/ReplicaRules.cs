// When a secondary may open its exports: once per generation, never again after the exporting process was lost (R1). Pure.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Storage;

/// <summary>What a node durably remembers of the last export it opened for an instance.</summary>
public sealed record ReplicaMarker(long Number, string Tag, ReplicaAddress Address)
{
    /// <summary>It was opened for what a change of secondary would make, which perhaps never was.</summary>
    public bool Candidate { get; init; }

    public static ReplicaMarker? Read(string file)
    {
        try { return JsonSerializer.Deserialize<ReplicaMarker>(File.ReadAllBytes(file), WireJson.Options); }
        catch (FileNotFoundException) { return null; }
        catch (DirectoryNotFoundException) { return null; }
    }

    public void Write(string file) => DurableFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(this, WireJson.Options));
}

public static class ReplicaRules
{
    /// <summary>Null: it may be opened, or is open under this very generation (<paramref name="open"/>).</summary>
    public static Refusal? Refuses(ReplicaMarker? marker, GenerationRecord record, bool open) => marker switch
    {
        null => null,
        _ when marker.Number > record.Number => new Refusal("generation.stale", $"The copy was already opened under generation {marker.Number}.", "Ask for the newest generation."),
        _ when marker.Number < record.Number => null,
        _ when marker.Tag != record.Tag => marker.Candidate ? null : new Refusal("generation.conflict", $"Generation {record.Number} exists with two tags.", "Two engines were at work: stop and compare both."),
        _ when open => null,
        _ => new Refusal("replica.spent", $"The copy was open under generation {record.Number} and was lost.", "Make a new generation and copy again."),
    };

    /// <summary>The name carries the generation, so that an old primary's connection finds nothing.</summary>
    public static string ExportName(GenerationRecord record, int disk) => $"{record.Instance:N}-d{disk}-g{record.Number}-{record.Tag}";
}
