// What is known of a guest, changed only by QEMU's events and by finished orders.
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>One immutable picture; readers never see half a change.</summary>
public sealed record GuestState(GuestPhase Phase, MirrorPhase Mirror)
{
    public string? MirrorText { get; init; }
    public double? CopyPercent { get; init; }
    public CopyReport? Copy { get; init; }

    /// <summary>The guest is being sent to another node.</summary>
    public MigrationReport? Migration { get; init; }
    public bool PoweredOff { get; init; }
    public bool Panicked { get; init; }
}

/// <summary>News for the engine and for people: an event kind (see AgentEvent) and a sentence.</summary>
public sealed record GuestNews(string Kind, string Text, bool Trouble = false);

public static class GuestEvents
{
    /// <summary>What an event of QEMU means: the new picture, and what to tell; null news: nothing worth telling.</summary>
    public static (GuestState State, GuestNews? News) Apply(GuestState state, QmpEvent report) => report.Name switch
    {
        "STOP" => (state with { Phase = GuestPhase.Paused }, new GuestNews("guest.paused", "The guest is paused.")),
        "RESUME" => (state with { Phase = GuestPhase.Running }, new GuestNews("guest.resumed", "The guest runs.")),
        "POWERDOWN" => (state with { Phase = GuestPhase.Stopping }, new GuestNews("guest.stopping", "The power button was pressed.")),
        "SHUTDOWN" when report.Text("reason") == "guest-panic" => (state with { Phase = GuestPhase.Stopping, Panicked = true }, null),
        "SHUTDOWN" => (state with { Phase = GuestPhase.Stopping, PoweredOff = report.Text("reason") == "guest-shutdown" },
            new GuestNews("guest.stopping", $"The guest ends: {report.Text("reason")}.")),
        "GUEST_PANICKED" => (state with { Panicked = true }, new GuestNews("guest.panicked", "The guest's kernel panicked.", Trouble: true)),
        "BLOCK_IO_ERROR" => IoError(state, report),
        "QUORUM_REPORT_BAD" => BadCopy(state, report),
        _ => (state, null),
    };

    public static bool OnBothCopies(this MirrorPhase mirror) => mirror is MirrorPhase.InSync or MirrorPhase.Promised;

    private static (GuestState, GuestNews?) IoError(GuestState state, QmpEvent report)
    {
        var text = $"Disk {report.Text("device") ?? report.Text("qom-path") ?? "?"}: {report.Text("operation")} failed: {report.Text("reason")}; the guest waits.";
        return state.Mirror.OnBothCopies()
            ? (state with { Mirror = MirrorPhase.Broken, MirrorText = text }, new GuestNews("mirror.broken", text, Trouble: true))
            : (state, new GuestNews("disk.error", text, Trouble: true));
    }

    // A read that failed on one side was answered by the other: that is news, but no reason to give up a copy.
    private static (GuestState, GuestNews?) BadCopy(GuestState state, QmpEvent report)
    {
        var remote = CopyNodes.Parse(report.Text("node-name"));
        var where = remote is null ? "this node" : "the secondary";
        var text = $"The copy on {where} failed a {report.Text("type")}: {report.Text("error") ?? "no reason given"}.";
        if (report.Text("type") == "read" || !state.Mirror.OnBothCopies())
            return (state with { MirrorText = text }, state.MirrorText == text ? null : new GuestNews("disk.error", text, Trouble: true));
        return (state with { Mirror = MirrorPhase.Broken, MirrorText = text }, new GuestNews("mirror.broken", text, Trouble: true));
    }
}
