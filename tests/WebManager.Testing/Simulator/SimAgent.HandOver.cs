// The agent leaves its place to a successor, which takes its time, fails, or does not come.
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

/// <param name="After">How long nobody answers; null: for ever.</param>
/// <param name="Failed">The former agent comes back, with this to say.</param>
/// <param name="Refused">The agent does not leave.</param>
public sealed record SimSuccessor(TimeSpan? After, string? Failed = null, Refusal? Refused = null);

public sealed partial class SimAgent
{
    private async Task<Outcome<RestartAgentReply>> HandOverAsync(RestartAgentOrder order)
    {
        await node.WorkAsync(200, 900, Life);
        var successor = node.Successor;
        if (successor.Refused is { } refused) return refused;
        _world.Spawn(async () =>
        {
            await node.WorkAsync(5, 20, Life);
            node.CrashAgent();
            if (successor.After is not { } after) return;
            await _world.DelayAsync(after);
            node.StartAgent(new HandOverReport(order.Operation, "sim", successor.Failed));
        });
        return new RestartAgentReply("sim", "sim", Run, false);
    }
}
