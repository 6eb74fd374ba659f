// How silence becomes a state (DESIGN 7).
using WebManager.Engine.Model;

namespace WebManager.Engine.Plan;

public static class Health
{
    /// <param name="silence">Time since the last answer, or since the engine began to ask.</param>
    /// <param name="sinceChallenge">Time since the engine last received a challenge of the node's keeper, or since it began to ask.</param>
    /// <param name="answered">Whether the node has answered this engine at all.</param>
    public static NodeHealth Of(bool offline, bool answered, TimeSpan silence, TimeSpan sinceChallenge, HeartbeatOptions limits) =>
        offline ? NodeHealth.Offline
        : silence < limits.Suspect ? (answered ? NodeHealth.Online : NodeHealth.Joining)
        : sinceChallenge < limits.Isolation + limits.Margin ? NodeHealth.Suspect
        : NodeHealth.Lost;
}
