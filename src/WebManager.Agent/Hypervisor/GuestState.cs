// What is known of a guest, changed only by QEMU's events and by finished orders.
using System.Globalization;
using System.Text.RegularExpressions;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>One immutable picture; readers never see half a change.</summary>
public sealed record GuestState(GuestPhase Phase, MirrorPhase Mirror)
{
    public string? MirrorText { get; init; }
    public double? CopyPercent { get; init; }
    public CopyReport? Copy { get; init; }

    /// <summary>See InstanceReport.</summary>
    public DiskFault? LocalFault { get; init; }
    public DiskFault? CopyFault { get; init; }

    /// <summary>The other copy failed, not known yet whether by its disk.</summary>
    public DiskFault? Suspected { get; init; }

    /// <summary>Errors of this node's images so far: a try without a new one went well.</summary>
    public int LocalErrors { get; init; }

    /// <summary>Reads of this node's image failed, and the other copy answered them.</summary>
    public bool BadReads { get; init; }

    /// <summary>See InstanceReport.</summary>
    public ThirdCopy? Third { get; init; }

    /// <summary>Turns of the copies that were left on purpose: QEMU tells of one copy's errors once a second, so some come when it is gone.</summary>
    public IReadOnlyList<int> Gone { get; init; } = [];

    /// <summary>What Mirror was before it broke; what it is again when the failed writes went through.</summary>
    public MirrorPhase Whole { get; init; }

    /// <summary>The guest is being sent to another node.</summary>
    public MigrationReport? Migration { get; init; }
    public bool PoweredOff { get; init; }
    public bool Panicked { get; init; }
}

/// <summary>News for the engine and for people: an event kind (see AgentEvent) and a sentence.</summary>
public sealed record GuestNews(string Kind, string Text, bool Trouble = false);

public static partial class GuestEvents
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

    public static GuestState Break(this GuestState state, string text) =>
        state with { Whole = state.Mirror.OnBothCopies() ? state.Mirror : state.Whole, Mirror = MirrorPhase.Broken, MirrorText = text };

    /// <summary>The guest waits as with any lost copy; which one it was tells with which it can go on.</summary>
    public static GuestState LoseThird(this GuestState state, string text)
    {
        var lost = state.Third is { } third ? state with { Third = third with { Lost = true, Text = text } } : state;
        return state.Mirror.OnBothCopies() ? lost.Break(text) : lost with { MirrorText = text };
    }

    private static (GuestState, GuestNews?) IoError(GuestState state, QmpEvent report)
    {
        var fault = Fault(report.Text("qom-path") ?? report.Text("device"), report.Text("operation"), report.Text("reason"));
        var text = $"{fault.Text}; the guest waits.";
        // QEMU tells of one image's errors once a second at most: after a failed read this may come before the word that a write failed there, too.
        if (state.Mirror.OnBothCopies()) return (state.BadReads ? LocalError(state.Break(text), fault).State : state.Break(text), new GuestNews("mirror.broken", text, Trouble: true));
        // Of a pair the quorum has told which side it was.
        return state.Mirror == MirrorPhase.Broken ? (state, null) : LocalError(state, fault);
    }

    private static (GuestState State, GuestNews? News) LocalError(GuestState state, DiskFault fault) =>
        (state with { LocalFault = fault, LocalErrors = state.LocalErrors + 1, MirrorText = fault.Text },
            state.LocalFault == fault ? null : new GuestNews("disk.error", $"{fault.Text}; the guest waits.", Trouble: true));

    // A read that failed on one side was answered by the other: that is news, but no reason to give up a copy.
    private static (GuestState, GuestNews?) BadCopy(GuestState state, QmpEvent report)
    {
        var remote = CopyNodes.Parse(report.Text("node-name"));
        if (remote is not null && state.Gone.Contains(remote.Turn)) return (state, null);
        var third = remote is not null && state.Third is { Phase: ThirdPhase.Joined } joined && joined.Number == remote.Generation;
        var where = remote is null ? "this node" : third ? "the new secondary" : "the secondary";
        var text = $"The copy on {where} failed a {report.Text("type")}: {report.Text("error") ?? "no reason given"}.";
        if (report.Text("type") == "read") return (state with { MirrorText = text, BadReads = state.BadReads || remote is null }, state.MirrorText == text ? null : new GuestNews("disk.error", text, Trouble: true));
        var fault = Fault(report.Text("node-name"), report.Text("type"), report.Text("error"));
        var broke = state.Mirror.OnBothCopies();
        if (third) return (state.LoseThird(text), broke ? new GuestNews("mirror.broken", text, Trouble: true) : null);
        if (remote is not null && fault.Full) state = state with { CopyFault = fault };
        else if (remote is not null && broke) state = state with { Suspected = fault };
        var broken = broke ? state.Break(text) : state with { MirrorText = text };
        if (remote is not null) return (broken, broke ? new GuestNews("mirror.broken", text, Trouble: true) : null);
        // The reason before the word that the mirror is broken: an engine that hears only the latter would go on with the copy that fails.
        var (told, news) = LocalError(broken, fault);
        return (told, broke ? new GuestNews("mirror.broken", text, Trouble: true) : news);
    }

    private static DiskFault Fault(string? where, string? operation, string? reason)
    {
        var disk = Digits().Match(where ?? "") is { Success: true } found ? int.Parse(found.Value, CultureInfo.InvariantCulture) : 0;
        return new DiskFault(disk, reason?.Contains("No space", StringComparison.OrdinalIgnoreCase) == true, $"Disk {disk}: {operation ?? "a request"} failed: {reason ?? "no reason given"}");
    }

    [GeneratedRegex(@"(?<=(vd|local|file|copy))\d+")]
    private static partial Regex Digits();
}
