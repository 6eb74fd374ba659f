// What maintenance of a node does, instance by instance, for people to see before they ask for it.
using WebManager.Contracts;

namespace WebManager.Engine.Model;

/// <summary>Later: it moves when its other copy is whole, or when it is past what it is doing now.</summary>
public enum MoveKind { Migrate, Failover, Later, Stays }

/// <param name="Why">Why it moves only later, or not at all, with what helps.</param>
public sealed record PlannedMove(Guid Id, string Instance, string From, string? To, MoveKind Kind, bool Wanted, Refusal? Why);

/// <param name="Leave">What becomes of the instances whose primary the node is.</param>
/// <param name="Return">What comes back to it when it leaves maintenance.</param>
/// <param name="Copies">Instances that have one copy only while the node is away.</param>
public sealed record MaintenancePlan(string Node, IReadOnlyList<PlannedMove> Leave, IReadOnlyList<PlannedMove> Return, IReadOnlyList<string> Copies);
