using System.ComponentModel.DataAnnotations;

namespace WebManager.Agent.Hypervisor;

/// <summary>What of QEMU to run, and how long to wait for it.</summary>
public sealed class HypervisorOptions
{
    /// <summary>auto: KVM if a probe guest really boots with it, else TCG, without QEMU the Fake. Or kvm, tcg, fake.</summary>
    [RegularExpression("auto|kvm|tcg|fake")] public string Accelerator { get; set; } = "auto";

    public string Qemu { get; set; } = "qemu-system-x86_64";
    public string QemuImg { get; set; } = "qemu-img";
    public string StorageDaemon { get; set; } = "qemu-storage-daemon";

    /// <summary>Sockets go here when the instance's folder has too long a path for a unix socket.</summary>
    public string RunFolder { get; set; } = Path.Combine(Path.GetTempPath(), $"webmanager-{Environment.UserName}");

    /// <summary>From the spawn to the running CPU; a mirrored start includes connecting to the replica.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan StartLimit { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Age at which an unanswered write of a guest in sync counts as a failed copy (a hung disk gives no error, R1).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")] public TimeSpan OldestWrite { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest pause at the end of a copy; when it does not suffice, the guest goes on alone.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:05")] public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(0.8);

    /// <summary>How often a guest in sync has its other copy flushed, so that little must be copied after a loss.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")] public TimeSpan FlushMark { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most that one copy may send, in MiB per second; null: as fast as it goes. Not in the pause at its end.</summary>
    [Range(1, 100_000)] public int? CopyRateMiB { get; set; }

    /// <summary>The address at which other nodes send guests to this one.</summary>
    public string MigrationHost { get; set; } = "127.0.0.1";

    /// <summary>Most that one migration may send, in MiB per second.</summary>
    [Range(1, 100_000)] public int MigrationRateMiB { get; set; } = 10_000;

    /// <summary>How long, after its memory went over once, a guest may go on changing it faster than it can be sent.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")] public TimeSpan MigrationPatience { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Most time that an emulated guest, which stands still for that, waits for the connection to its target.</summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:01:00")] public TimeSpan MigrationConnect { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a paused source waits for the order to switch.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:01:00")] public TimeSpan SwitchWait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most time that the last of a guest may take to be sent.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")] public TimeSpan SwitchLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long after an error of its own disk a guest that waits is let try again; doubled each time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:05:00")] public TimeSpan DiskRetry { get; set; } = TimeSpan.FromSeconds(5);

    [Range(typeof(TimeSpan), "00:00:01", "00:30:00")] public TimeSpan DiskRetryLongest { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A copy that made no progress for this long is given up.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")] public TimeSpan CopyStall { get; set; } = TimeSpan.FromSeconds(15);
}
