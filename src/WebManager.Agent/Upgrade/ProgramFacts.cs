using System.Text.Json;
using System.Text.Json.Serialization;
using WebManager.Agent.Keeper;
using WebManager.Agent.Node;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Upgrade;

/// <summary>What a program says of itself (`WebManager.Agent version`), before anybody relies on it.</summary>
/// <param name="Build">Tells two builds of one version apart.</param>
/// <param name="HandOver">How it speaks with the agent that it follows (Succession).</param>
/// <param name="Keeper">How it speaks with keepers (KeeperSpeech).</param>
public sealed record ProgramFacts(string Version, string Build, SpeaksRange HandOver, SpeaksRange Keeper)
{
    public static readonly ProgramFacts Own = new(NodeIdentity.Version, NodeIdentity.Build, Succession.Speaks, KeeperSpeech.Own);

    public string ToJson() => JsonSerializer.Serialize(this, UpgradeJson.Default.ProgramFacts);

    /// <summary>Null: that is no agent's answer.</summary>
    public static ProgramFacts? Read(string json)
    {
        try { return JsonSerializer.Deserialize(json, UpgradeJson.Default.ProgramFacts) is { Version: not null, Build: not null, HandOver: not null, Keeper: not null } facts ? facts : null; }
        catch (JsonException) { return null; }
    }
}

/// <summary>How this run of the agent came about. Program: its own command without the arguments.</summary>
public sealed class AgentStart(IReadOnlyList<string> program)
{
    public IReadOnlyList<string> Program => program;

    /// <summary>Null: it was started in the ordinary way. A successor knows once it is its turn.</summary>
    public HandOverReport? HandedOver { get; set; }

    /// <summary>
    /// As this process was called, not where its file lies: the name may lead to another program by now. In front of the arguments there is
    /// one word, or two (dotnet and the assembly).
    /// </summary>
    public static IReadOnlyList<string> ProgramOf(string commandLine, int arguments)
    {
        var words = commandLine.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return words[..Math.Max(1, words.Length - arguments)];
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgramFacts))]
[JsonSerializable(typeof(SuccessionLine))]
internal sealed partial class UpgradeJson : JsonSerializerContext;
