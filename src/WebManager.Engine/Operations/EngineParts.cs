// What every operation may use; nothing else reaches the world.
using Microsoft.Extensions.Logging;
using WebManager.Engine.Live;
using WebManager.Engine.Loop;
using WebManager.Engine.Model;
using WebManager.Engine.Ports;

namespace WebManager.Engine.Operations;

public sealed record EngineParts(ClusterState State, NodeBook Nodes, IImageCatalog Images, IRandomness Random, TimeProvider Clock,
    HeartbeatOptions Heartbeat, RecoveryOptions Recovery, PowerDesk Power, NodeFaults Faults, EventBook Events, ClusterFeeds Feeds, IStepObserver? Steps, ILogger Log, IPeople People)
{
    public Picture Now => State.Now;
}
