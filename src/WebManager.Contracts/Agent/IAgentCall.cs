using System.Text.Json.Serialization;

namespace WebManager.Contracts.Agent;

/// <summary>
/// One request to an agent and the reply it has: POST <see cref="Path"/> with this record as JSON. 200: the reply. 409: a <see cref="Refusal"/>.
/// The HTTPS link, the agent's routes and the simulator are all made from these records.
/// </summary>
public interface IAgentCall<TReply>
{
    [JsonIgnore] string Path { get; }
}

/// <summary>A call that changes something: the agent journals it under its operation id before acting, and answers a repeated id with the first result.</summary>
public interface IOrder
{
    /// <summary>The same id for every try of one step.</summary>
    Guid Operation { get; }

    /// <summary>The engine's epoch; an agent that has seen a higher one refuses with code order.stale-epoch.</summary>
    long Epoch { get; }
}
