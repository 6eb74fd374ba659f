using System.Reflection;
using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>
/// The engine's leave to restart the agent as the program that is installed by now. The agent looks at that program first and refuses
/// (agent.candidate-bad, agent.busy) while it is still itself. Its answer means: the successor is ready, and what answers next is it.
/// </summary>
public sealed record RestartAgentOrder(Guid Operation, long Epoch) : IAgentCall<RestartAgentReply>, IOrder
{
    [JsonIgnore] public string Path => "/v1/agent/restart";
}

/// <param name="From">The version that answers this.</param>
/// <param name="To">The version that answers next.</param>
/// <param name="Run">The run of the agent that leaves: one that answers later is another.</param>
/// <param name="KeeperToo">The keeper runs nothing, and another program than is installed: it is replaced, too.</param>
public sealed record RestartAgentReply(string From, string To, Guid Run, bool KeeperToo);

/// <summary>How this run of the agent came about: it was handed over to, or it is the former one that came back.</summary>
/// <param name="Operation">The order that asked for it.</param>
/// <param name="From">The version that handed over.</param>
/// <param name="Failed">Why the successor did not take over; null: it did.</param>
public sealed record HandOverReport(Guid Operation, string From, string? Failed);

/// <summary>The keeper that this node has.</summary>
/// <param name="Older">It runs another program than its agent; it is replaced once it holds nothing.</param>
public sealed record KeeperFacts(string Version, bool Older);

/// <summary>What two programs can speak with each other: the versions of one protocol, oldest to newest.</summary>
public sealed record SpeaksRange(int Oldest, int Newest)
{
    /// <summary>The newest that both speak; null: none.</summary>
    public int? Common(SpeaksRange other) => Math.Min(Newest, other.Newest) is var common && common >= Math.Max(Oldest, other.Oldest) ? common : null;

    public override string ToString() => Oldest == Newest ? $"{Newest}" : $"{Oldest} to {Newest}";
}

public static class ProgramVersion
{
    private const int CommitDigits = 8;

    /// <summary>Version and commit, as people read it: 1.0.0+0367aa7d. Programs that were built together have the same.</summary>
    public static string Of(Assembly program)
    {
        var parts = (program.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+', 2);
        return parts.Length == 1 ? parts[0] : $"{parts[0]}+{parts[1][..Math.Min(CommitDigits, parts[1].Length)]}";
    }
}
