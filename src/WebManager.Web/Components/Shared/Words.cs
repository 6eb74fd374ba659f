// What states are called, coloured and drawn as: one place, so that map, lists and pages say the same.
using WebManager.Contracts;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Components.Shared;

/// <summary>Ok, Busy (something is under way), Idle (as wanted, off), Warn, Bad.</summary>
public enum Tone { Ok, Busy, Idle, Warn, Bad }

public sealed record Word(string Text, Tone Tone, string Icon, string Meaning)
{
    public string Css => "tone-" + Tone.ToString().ToLowerInvariant();
}

public static class Words
{
    private static readonly Dictionary<InstanceStatus, Word> Instances = Enum.GetValues<InstanceStatus>().ToDictionary(s => s, s => s switch
    {
        InstanceStatus.Creating => new Word("Creating", Tone.Busy, "spark", "A job is building it."),
        InstanceStatus.Running => new Word("Running", Tone.Ok, "play", "It runs, as wanted."),
        InstanceStatus.Starting => new Word("Starting", Tone.Busy, "up", "Ordered to start; no sign of life yet."),
        InstanceStatus.Paused => new Word("Paused", Tone.Warn, "pause", "Its writes wait until a copy of its disks answers again."),
        InstanceStatus.AdminDown => new Word("Stopped", Tone.Idle, "stop", "It is off, as wanted."),
        InstanceStatus.ErrorDown => new Word("Down", Tone.Bad, "alert", "It should run, but is off."),
        InstanceStatus.ErrorUp => new Word("Up, not wanted", Tone.Warn, "alert", "It should be off, but runs."),
        InstanceStatus.NodeDown => new Word("Node lost", Tone.Bad, "broken", "Its node does not answer."),
        InstanceStatus.NodeOffline => new Word("Node offline", Tone.Bad, "broken", "Its node was set offline by a person."),
        InstanceStatus.Recovering => new Word("Recovering", Tone.Busy, "move", "Its node was lost; it is being started on its other copy."),
        InstanceStatus.Migrating => new Word("Migrating", Tone.Busy, "move", "It runs on while its memory goes to its other node; then that node is its primary."),
        InstanceStatus.Removing => new Word("Removing", Tone.Busy, "trash", "A job is removing it with its disks."),
        InstanceStatus.Failed => new Word("Failed", Tone.Bad, "alert", "It was given up on; see what its page says."),
    });

    public static Word Of(InstanceStatus status) => Instances[status];

    /// <summary>With how far a migration is.</summary>
    public static Word Of(InstanceRow row) =>
        row is { Status: InstanceStatus.Migrating, MigrationPercent: { } percent } ? Of(row.Status) with { Text = $"Migrating {Percent(percent)}" } : Of(row.Status);

    /// <summary>Silent because its agent is being restarted is another thing than silent.</summary>
    public static Word Of(NodeRow node) => node is { AgentRestart: { } restart, Health: NodeHealth.Suspect or NodeHealth.Lost }
        ? new Word("Agent restarts", Tone.Busy, "reboot", $"It does not answer; for {restart.Limit.TotalSeconds:0} s that is expected, and its guests run on.") : Of(node.Health);

    public static Word Of(NodeHealth health) => health switch
    {
        NodeHealth.Joining => new Word("Joining", Tone.Busy, "spark", "It has not answered since the portal started."),
        NodeHealth.Online => new Word("Online", Tone.Ok, "check", "It answers every beat."),
        NodeHealth.Suspect => new Word("Suspect", Tone.Warn, "alert", "It missed beats; recovery is being prepared."),
        NodeHealth.Lost => new Word("Lost", Tone.Bad, "broken", "It does not answer; its mirrored instances run elsewhere."),
        NodeHealth.Offline => new Word("Offline", Tone.Idle, "stop", "Set offline by a person."),
    };

    public static Word Of(JobStatus status) => status switch
    {
        JobStatus.Queued => new Word("Queued", Tone.Idle, "clock", "Accepted; not begun."),
        JobStatus.Waiting => new Word("Waiting", Tone.Busy, "clock", "Waits for another job on the same subject."),
        JobStatus.Running => new Word("Running", Tone.Busy, "spin", "Under way."),
        JobStatus.Canceling => new Word("Cancelling", Tone.Warn, "spin", "Being stopped and undone."),
        JobStatus.Canceled => new Word("Cancelled", Tone.Idle, "stop", "Stopped on request."),
        JobStatus.Success => new Word("Done", Tone.Ok, "check", "Ended as asked."),
        JobStatus.Error => new Word("Failed", Tone.Bad, "alert", "Ended with an error."),
    };

    public static Word Of(Severity severity) => severity switch
    {
        Severity.Info => new Word("Info", Tone.Idle, "info", "For the record."),
        Severity.Warning => new Word("Warning", Tone.Warn, "alert", "Worth a look."),
        Severity.Error => new Word("Error", Tone.Bad, "alert", "Needs a person."),
    };

    public static Word Of(MirrorState mirror, double? percent = null) => mirror switch
    {
        MirrorState.None => new Word("Not mirrored", Tone.Idle, "disk", "Its disks are on one node only; if that node is lost, it waits for the node."),
        MirrorState.InSync => new Word("In sync", Tone.Ok, "mirror", "Every write is on both nodes before the guest hears it was done. Either node can be lost."),
        MirrorState.Degraded => new Word("Degraded", Tone.Warn, "alert", "Only one copy is current. Losing its node now would stop the instance."),
        MirrorState.Resynchronising => new Word(percent is { } p ? $"Resynchronising {Percent(p)}" : "Resynchronising", Tone.Busy, "sync",
            "The other node's copy is being made equal. Protection returns when that is done."),
    };

    public static string Percent(double percent) => Math.Clamp((int)percent, 0, 100).ToString(System.Globalization.CultureInfo.InvariantCulture) + "%";

    public static string Of(DiskTemplate template) => template switch
    {
        DiskTemplate.Diskless => "diskless",
        DiskTemplate.File => "file",
        DiskTemplate.Mirror => "mirror",
    };

    /// <summary>Needs a look: not as wanted, or without the protection it is meant to have.</summary>
    public static bool IsProblem(InstanceRow row) => Of(row.Status).Tone is Tone.Bad or Tone.Warn || row.Mirror == MirrorState.Degraded;

    public static string HypervisorShort(NodeRow node) => node.Hypervisor?.ToString().ToUpperInvariant() ?? "–";

    public static string Hypervisor(NodeRow node) => node.Hypervisor switch
    {
        Contracts.Agent.HypervisorKind.Kvm => "QEMU with KVM",
        Contracts.Agent.HypervisorKind.Tcg => "QEMU, emulated (TCG)",
        Contracts.Agent.HypervisorKind.Fake => "Fake: no guest really runs",
        null => "not known yet",
    };
}
