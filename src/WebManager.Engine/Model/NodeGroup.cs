// Nodes that belong together (Ganeti's node groups): both copies of an instance stay within one.
namespace WebManager.Engine.Model;

/// <summary>A group as stored. Every node is in exactly one, named by Node.Group.</summary>
public sealed record NodeGroup(Guid Id, string Name, DateTimeOffset CreatedAt, long Revision)
{
    /// <summary>The group that every cluster begins with. It may be renamed, and removed once there is another.</summary>
    public static readonly Guid FirstId = new("00000000-0000-4000-8000-000000000001");
    public const string FirstName = "default";

    /// <summary>Instances whose primary is in it are not started on their secondaries by themselves.</summary>
    public bool RecoveryOff { get; init; }
}
