using WebManager.Agent.Hypervisor;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>One instance on this node. Orders hold its lane one at a time; the beat only reads.</summary>
public sealed class InstanceUnit(Guid id)
{
    private TaskCompletionSource _ended = Completed();

    public Guid Id => id;

    public string ProcessId { get; } = $"guest:{id}";

    public SemaphoreSlim Lane { get; } = new(1, 1);

    public StoredGenerations Stored { get; set; } = StoredGenerations.None;

    /// <summary>What it was last started with.</summary>
    public StartNote? Start { get; set; }

    public EndNote? LastEnd { get; set; }

    /// <summary>For an engine that has no record of it.</summary>
    public KeptNote? Kept { get; set; }

    /// <summary>The guest's process, as the keeper says; null: none.</summary>
    public int? Pid { get; private set; }

    /// <summary>The record the running guest runs under; null without a mirror or without a guest.</summary>
    public GenerationRecord? Running { get; set; }

    /// <summary>The record a start waits with for its lease, so that the secondary is challenged for it.</summary>
    public GenerationRecord? Awaited { get; set; }

    /// <summary>Known once its monitor answered.</summary>
    public IGuest? Guest { get; set; }

    /// <summary>What waits here for a migrating guest.</summary>
    public IIncomingGuest? Incoming { get; set; }

    /// <summary>An earlier run of the agent left a process that waits; it is only ended.</summary>
    public bool IncomingLeft { get; set; }

    public string IncomingId { get; } = QemuHypervisor.IncomingId(id);

    /// <summary>How often a migration was cancelled: a sending that is just being made ready must not begin after that.</summary>
    public int MigrationCancels { get; set; }

    public bool Stopping { get; set; }

    /// <summary>The keeper made it stand still: nobody has answered for its generation (R3).</summary>
    public bool Halted { get; private set; }
    public int Disks { get; set; }
    public long? OpenExport { get; set; }

    /// <summary>Completes when the process that runs now was reaped and judged.</summary>
    public Task Ended => _ended.Task;

    public void ProcessStarted(int pid, GenerationRecord? record)
    {
        if (_ended.Task.IsCompleted) _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        (Pid, Running, Halted) = (pid, record, false);
    }

    public void ProcessEnded(EndNote end)
    {
        (Pid, Running, Guest, Stopping, Halted, LastEnd) = (null, null, null, false, false, end);
        _ended.TrySetResult();
    }

    public void Halt(bool stopped)
    {
        Halted = stopped;
        Guest?.Halt(stopped);
    }

    public string HaltedText => Running?.Secondary is { } other ? $"Paused: neither the portal nor {other} answers." : "Paused: the portal does not answer.";

    public bool IsMirrored => Stored.Record is not null;

    public NodeFacts Facts(bool lease = false) => new(Running, OpenExport, lease)
    {
        Incoming = Incoming?.Generation ?? (IncomingLeft ? 0 : null),
        IncomingWhole = Incoming is { Whole.IsCompletedSuccessfully: true },
        Third = Guest?.Third,
    };

    public InstanceReport Report()
    {
        var (guest, pid) = (Guest, Pid);
        var promised = Stored.Record is { Sync: SyncState.Alone } record && Stored.Promised == record.Number;
        return new InstanceReport(id)
        {
            Stored = Stored.Record,
            Guest = pid is null ? GuestPhase.Absent : Stopping ? GuestPhase.Stopping : Halted ? GuestPhase.Paused : guest?.Phase ?? GuestPhase.Starting,
            GuestGeneration = pid is null ? LastEnd?.Generation ?? 0 : Running?.Number ?? 0,
            Pid = pid,
            StartedAt = guest?.StartedAt,
            FirstLineAt = guest?.FirstLineAt,
            End = pid is null ? LastEnd?.End ?? GuestEnd.None : GuestEnd.None,
            LastLines = pid is null && LastEnd is { End: not GuestEnd.Clean } ? LastEnd.LastLines : null,
            Mirror = MirrorOf(guest, promised, pid),
            CopyPercent = guest?.CopyPercent,
            Copy = guest?.Copy,
            MirrorText = Halted ? HaltedText : guest?.MirrorText,
            LocalFault = guest?.LocalFault,
            CopyFault = guest?.CopyFault,
            StoodDownBy = Stored.Silenced(),
            Third = guest?.Third,
            Migration = guest?.Migration ?? Incoming?.Report,
            ExportGeneration = OpenExport,
            Disks = Disks,
            Note = Kept?.Digest,
        };
    }

    /// <summary>A promise is reported once it is durable, not when the guest's graph is ready for it (H4).</summary>
    private MirrorPhase MirrorOf(IGuest? guest, bool promised, int? pid) => guest switch
    {
        null => promised && pid is null ? MirrorPhase.Promised : MirrorPhase.None,
        { Mirror: MirrorPhase.Promised } when Stored.Promised != Running?.Number => MirrorPhase.Copying,
        _ => guest.Mirror,
    };

    private static TaskCompletionSource Completed()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
