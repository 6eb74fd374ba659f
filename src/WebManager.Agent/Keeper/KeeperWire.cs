using System.Text.Json;
using System.Text.Json.Serialization;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Keeper;

/// <summary>What the agent and its keeper say to each other: one JSON object a line, replies by id in any order, ended notices with id 0.</summary>
public sealed record KeeperRequest(long Id, KeeperVerb Verb)
{
    public SpawnRequest? Spawn { get; init; }

    /// <summary>kill, forget, become: the process id as in SpawnRequest.Id.</summary>
    public string? Process { get; init; }

    /// <summary>become: the id from now on.</summary>
    public string? As { get; init; }

    /// <summary>answer: the challenge answered.</summary>
    public string? Nonce { get; init; }

    /// <summary>answer: what M or S stands behind. adopt, promise, lease, become: one record.</summary>
    public IReadOnlyList<GenerationRecord>? Records { get; init; }

    /// <summary>status: what the agent speaks.</summary>
    public SpeaksRange? Speaks { get; init; }
}

/// <summary>
/// Versions of what is said here. A keeper lives as long as its guests, so an agent may meet one that is older, or after a step back newer.
/// 1: says nothing of versions. 2: tells version, build and what it speaks with its status.
/// </summary>
public static class KeeperSpeech
{
    public static readonly SpeaksRange Own = new(1, 2);

    public static readonly SpeaksRange BeforeVersions = new(1, 1);

    /// <summary>Null: they understand each other.</summary>
    public static Refusal? Check(SpeaksRange agent, SpeaksRange? keeper, string? keeperVersion) => agent.Common(keeper ?? BeforeVersions) is not null ? null
        : new Refusal("keeper.version", $"The keeper{(keeperVersion is null ? "" : $" (version {keeperVersion})")} speaks version {keeper ?? BeforeVersions}, this agent {agent}.",
            "Move its guests away (maintenance); a keeper that holds nothing is replaced. Or install an agent that speaks its version.");
}

public enum KeeperVerb { Spawn, Kill, Status, Challenge, Answer, Adopt, Promise, Lease, Forget, Become }

public sealed record KeeperReply(long Id)
{
    public Refusal? Refusal { get; init; }
    public int? Pid { get; init; }
    public string? Nonce { get; init; }
    public KeeperStatus? Status { get; init; }
    public ProcessEnd? Ended { get; init; }

    /// <summary>Told with id 0, like ends.</summary>
    public ProcessPause? Pause { get; init; }
}

/// <param name="Run">Differs for each keeper process.</param>
/// <param name="Ended">The newest end of each id that has not been started again or forgotten since.</param>
public sealed record KeeperStatus(Guid Run, int Pid, IReadOnlyList<LiveProcess> Live, IReadOnlyList<ProcessEnd> Ended)
{
    /// <summary>Null in speech 1.</summary>
    public string? Version { get; init; }
    public string? Build { get; init; }
    public SpeaksRange? Speaks { get; init; }
}

/// <param name="LeaseLeftMs">Null: it needs none.</param>
public sealed record LiveProcess(string Id, int Pid, GenerationRecord? Record, DateTimeOffset StartedAt, double? LeaseLeftMs)
{
    /// <summary>It stands still until its lease is renewed.</summary>
    public bool Paused { get; init; }
}

/// <summary>The keeper has made a guest stand still for want of a lease, or lets it go on.</summary>
public sealed record ProcessPause(string Id, bool Paused);

/// <summary>Written after a spawn so that the next keeper can tell what a killed one left behind.</summary>
public sealed record LiveNote(string Id, int Pid, long StartTime, Guid Boot, GenerationRecord? Record, DateTimeOffset StartedAt);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeeperRequest))]
[JsonSerializable(typeof(KeeperReply))]
[JsonSerializable(typeof(LiveNote))]
[JsonSerializable(typeof(ProcessEnd))]
internal sealed partial class KeeperJson : JsonSerializerContext;
