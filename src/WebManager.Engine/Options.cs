// The engine's settings, one class a concern; the host binds and validates them.
using System.ComponentModel.DataAnnotations;

namespace WebManager.Engine;

/// <summary>Section Engine:Heartbeat.</summary>
public sealed class HeartbeatOptions
{
    /// <summary>Time between two beats to a node.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long one beat may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan Limit { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence after which a node is suspect and promotions are prepared.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:10:00")] public TimeSpan Suspect { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a guest may run after its keeper issued the last answered challenge (R3). The keepers' setting must not be longer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan Isolation { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the engine answers after its database last confirmed that it is the one (R5).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Added to Isolation before a start elsewhere (clock rates, kill time).</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")] public TimeSpan Margin { get; set; } = TimeSpan.FromSeconds(0.5);
}

/// <summary>Section Engine:Recovery.</summary>
public sealed class RecoveryOptions
{
    /// <summary>First wait before a crashed guest is started in place again; doubles with each try.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")] public TimeSpan RestartBackoff { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Tries within RestartWindow before a person is asked.</summary>
    [Range(1, 100)] public int RestartLimit { get; set; } = 5;
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")] public TimeSpan RestartWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Wait before a returned secondary gets its copy again.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")] public TimeSpan ResyncDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Half or more of the nodes (of at least three that were online) lost within this time: recovery freezes. Zero: never.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")] public TimeSpan FreezeWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Guests that the watcher starts at the same time on one node, and in the cluster; the rest waits its turn by priority.</summary>
    [Range(1, 1000)] public int StartsPerNode { get; set; } = 8;
    [Range(1, 10000)] public int StartsAtOnce { get; set; } = 32;

    /// <summary>A recovered guest counts as starting until its first sign of life, but not longer than this.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")] public TimeSpan StartSettles { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Lost secondaries that the watcher replaces at the same time; each takes a copy of the disks.</summary>
    [Range(1, 1000)] public int ReplacesAtOnce { get; set; } = 4;

    /// <summary>Times that a node may fall silent within FlapWindow before it is drained.</summary>
    [Range(2, 1000)] public int FlapLimit { get; set; } = 10;
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")] public TimeSpan FlapWindow { get; set; } = TimeSpan.FromMinutes(5);
}
