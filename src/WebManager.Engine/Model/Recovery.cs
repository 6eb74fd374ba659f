// What is kept about a recovery, and how important an instance is when there is not room or time for all at once.
namespace WebManager.Engine.Model;

/// <summary>Who is started first. Three steps and not Ganeti's 41: people know which instances others wait for, nobody knows a 7 from an 8.</summary>
public enum RecoveryPriority { Low = -1, Normal = 0, High = 1 }

/// <summary>
/// What a recovery did and when, for people. Times are since LastSignAt, the last answer of the former primary's node; null: not (yet) reached.
/// </summary>
/// <param name="Generation">The generation that the instance was started under.</param>
public sealed record RecoveryTimeline(long Job, string From, string To, long Generation, DateTimeOffset LastSignAt)
{
    /// <summary>The node was found silent (suspect), or was set offline.</summary>
    public TimeSpan? Detected { get; init; }

    /// <summary>The new primary was recorded.</summary>
    public TimeSpan? Promoted { get; init; }

    /// <summary>From here the former guest is dead for certain (R4); FencedBy says how that is known.</summary>
    public TimeSpan? Fenced { get; init; }
    public string? FencedBy { get; init; }

    /// <summary>The start order was answered.</summary>
    public TimeSpan? Started { get; init; }

    /// <summary>The first line of the guest's init.</summary>
    public TimeSpan? FirstSign { get; init; }

    /// <summary>The wait that R4 requires after the last challenge that engine or new primary received: isolation + margin.</summary>
    public TimeSpan? Required { get; init; }

    /// <summary>What was waited in fact; null when nothing had to be waited for (guest reaped, power-off confirmed).</summary>
    public TimeSpan? Waited { get; init; }

    /// <summary>How much longer than required was waited (H20).</summary>
    public TimeSpan? Slack => Waited - Required;
}
