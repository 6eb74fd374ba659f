using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Migration;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>A QEMU process as the agent sees it: its monitor, its console, its picture. Orders on its disks are in <see cref="GuestMirror"/>.</summary>
public sealed class QemuGuest : IGuest
{
    private static readonly TimeSpan PressAgain = TimeSpan.FromSeconds(2);
    private const int Presses = 5;
    private readonly Lock _gate = new();
    private readonly GuestParts _parts;
    private readonly GuestMirror _mirror;
    private readonly GuestMigration _migration;
    private readonly CancellationTokenSource _leaving = new();
    private GuestRun _run;
    private GuestState _state;
    private QmpClient? _qmp;
    private SerialPort? _serial;
    private volatile bool _halted;

    public QemuGuest(GuestStart start, int pid, GuestParts parts, DateTimeOffset startedAt)
    {
        (Start, Pid, _parts) = (start, pid, parts);
        _run = new GuestRun(pid, startedAt);
        _state = new GuestState(GuestPhase.Starting, start.Record is null ? MirrorPhase.None : start.Replica is null ? MirrorPhase.Alone : MirrorPhase.InSync);
        _mirror = new GuestMirror(this, parts);
        _migration = new GuestMigration(this, _mirror, parts);
    }

    public GuestStart Start { get; }
    public Guid Instance => Start.Guest.Instance;
    public int Pid { get; }
    public GuestPhase Phase => _state.Phase;
    public MirrorPhase Mirror => _state.Mirror;
    public string? MirrorText => _state.MirrorText;
    public double? CopyPercent => _state.CopyPercent;
    public CopyReport? Copy => _state.Copy;
    public DiskFault? LocalFault => _state.LocalFault;
    public DiskFault? CopyFault => _state.CopyFault;
    public DiskFault? Suspected => _state.Suspected;
    public int LocalErrors => _state.LocalErrors;
    public bool Halted => _halted;
    public ThirdCopy? Third => _state.Third;
    public MigrationReport? Migration => _state.Migration;
    public bool Left { get; private set; }

    /// <summary>It is being sent to another node.</summary>
    public bool IsMoving => _migration.UnderWay;

    /// <summary>It is being sent and stands still for the last of it.</summary>
    public bool IsPausedToMove => _migration.Paused;

    public DateTimeOffset StartedAt => _run.StartedAt;
    public DateTimeOffset? FirstLineAt => _run.FirstLineAt;

    /// <summary>In sync: bytes that would be copied if the other copy were lost and came back, as of the last look.</summary>
    public long? Marked { get; set; }

    public CopyPlace? Place => _run.Place;
    public ThirdPlace? ThirdPlace => _run.Third;
    public bool PoweredOff => _state.PoweredOff;
    public bool Panicked => _state.Panicked;

    public event Action<IGuest, string, string>? Changed;

    /// <summary>For a guest whose process was just spawned, or one found again.</summary>
    public async Task AttachAsync(QmpClient qmp, CancellationToken ct) =>
        Attach(qmp, await SerialPort.ConnectAsync(_parts.Paths.Serial, _parts.Paths.SerialLog, new SerialFan(_parts.Clock), ct));

    /// <summary>For one whose console is read already.</summary>
    public void Attach(QmpClient qmp, SerialPort serial)
    {
        (_qmp, _serial, qmp.Halted) = (qmp, serial, _halted);
        serial.Fan.FirstLine += at => Remember(r => r with { FirstLineAt = at }, new GuestNews("guest.first-line", "The guest printed its first line."));
        if (_run.FirstLineAt is { } seen) serial.Fan.RecallFirstLine(seen);
        _mirror.Attach(qmp);
        _migration.Attach(qmp);
        _ = qmp.Closed.ContinueWith(_ => Gone(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>The CPU runs from here on.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        _run.Write(_parts.Paths.Run);
        if (Start.Replica is not null) await _mirror.StartedInSyncAsync(ct);
        await _qmp!.ExecuteAsync("cont", null, ct);
        Tell(new GuestNews("guest.started", $"The guest runs as process {Pid}."));
        await AnnounceAsync(ct);
    }

    /// <summary>The guest came whole from another node and goes on here, on both copies.</summary>
    public async Task TakeOverAsync(CancellationToken ct)
    {
        _run.Write(_parts.Paths.Run);
        await _mirror.TakenOverAsync(ct);
        await _qmp!.ExecuteAsync("cont", null, ct);
        Tell(new GuestNews("guest.started", $"The guest goes on here as process {Pid}."));
        await AnnounceAsync(ct);
    }

    /// <summary>The network must learn at once that the guest's address lives behind this node.</summary>
    public async Task AnnounceAsync(CancellationToken ct)
    {
        if (Start.Guest.Nics.Count == 0) return;
        try { await _qmp!.ExecuteAsync("announce-self", new() { ["initial"] = 20, ["max"] = 500, ["rounds"] = 6, ["step"] = 50 }, ct); }
        catch (QmpException e) { _parts.Log.GuestTrouble(Instance, "network", e.Message); }
    }

    /// <summary>What an earlier agent run wrote down about this very process.</summary>
    public void Recall(GuestRun? earlier)
    {
        if (earlier?.Pid == Pid) _run = earlier;
        Change(s => s with { PoweredOff = _run.PoweredOff, Panicked = _run.Panicked }, null);
    }

    /// <summary>Takes up where an earlier agent run left: what QEMU says counts.</summary>
    public async Task AdoptAsync(CancellationToken ct)
    {
        Left = !await new MigrationRecall(_qmp!, _parts.Clock).EndAsync(ct);
        if (!Left) await _mirror.RecallAsync(ct);
    }

    public async Task PressPowerAsync(CancellationToken ct)
    {
        await _qmp!.ExecuteAsync("system_powerdown", null, ct);
        _ = PressAgainAsync();
    }

    // A guest that is still booting misses the button; a few more presses cost nothing.
    private async Task PressAgainAsync()
    {
        try
        {
            for (var i = 1; i < Presses; i++)
            {
                await Task.Delay(PressAgain, _parts.Clock, _leaving.Token);
                if (_state is { PoweredOff: true } or { Panicked: true } || _qmp!.Closed.IsCompleted) return;
                await _qmp.ExecuteAsync("system_powerdown", null, _leaving.Token);
            }
        }
        catch (Exception e) when (e is QmpException or IOException or OperationCanceledException or TimeoutException)
        {
            // The guest is gone or the agent goes: either way nobody waits for the button.
        }
    }

    public void Halt(bool stopped)
    {
        _halted = stopped;
        if (_qmp is { } qmp) qmp.Halted = stopped;
    }

    public Task<Outcome<Done>> DegradeAsync(GenerationRecord record, CancellationToken ct) => _mirror.DegradeAsync(record, ct);

    public Task<Outcome<Done>> ResyncAsync(GenerationRecord record, ReplicaAddress replica, Func<CancellationToken, Task> promise, CancellationToken ct) =>
        _mirror.ResyncAsync(record, replica, promise, ct);

    public Task<Outcome<Done>> AddCopyAsync(GenerationRecord candidate, ReplicaAddress replica, CancellationToken ct) => _mirror.Third.AddAsync(candidate, replica, ct);

    public Task<Outcome<Done>> DropCopyAsync(GenerationRecord candidate, CancellationToken ct) => _mirror.Third.DropAsync(candidate, ct);

    public Task<Outcome<Done>> CancelResyncAsync(CancellationToken ct) => _mirror.CancelAsync(ct);

    public Task<Outcome<Done>> ContinueAsync(CancellationToken ct) => _mirror.ContinueAsync(ct);

    public Task<Outcome<Done>> SendAsync(GenerationRecord record, MigrationAddress to, CancellationToken ct) => _migration.SendAsync(record, to, ct);

    public Task<Outcome<SourceEnd>> SwitchAsync(CancellationToken ct) => _migration.SwitchAsync(ct);

    public Task CancelMigrationAsync(CancellationToken ct) => _migration.CancelAsync(ct);

    public void Recorded(GenerationRecord record) => _mirror.Recorded(record);

    public IAsyncEnumerable<ReadOnlyMemory<byte>> SerialAsync(int lastBytes, CancellationToken ct) => _serial!.Fan.ListenAsync(lastBytes, ct);

    public Task WriteSerialAsync(ReadOnlyMemory<byte> input, CancellationToken ct) => _serial!.WriteAsync(input, ct);

    /// <summary>QEMU's events, on the monitor's reading loop.</summary>
    public void Take(QmpEvent report)
    {
        if (report.Name is "STOP" or "RESUME" && (_mirror.PausesBriefly || IsMoving)) return;
        GuestNews? news = null;
        Change(s =>
        {
            (s, news) = GuestEvents.Apply(s, report);
            return s;
        }, null);
        if (report.Name is "SHUTDOWN" or "GUEST_PANICKED") Remember(r => r with { PoweredOff = _state.PoweredOff, Panicked = _state.Panicked }, null);
        if (news is not null) Tell(news);
    }

    /// <summary>The one place where the picture changes.</summary>
    public void Change(Func<GuestState, GuestState> how, GuestNews? news)
    {
        lock (_gate) _state = how(_state);
        if (news is not null) Tell(news);
    }

    /// <summary>What had failed on this node's image went through: the guest runs as before, unless the other copy fails too.</summary>
    public void WorksAgain() => Change(s => s with
    {
        LocalFault = null, MirrorText = null, BadReads = false,
        Mirror = s is { Phase: GuestPhase.Running, Mirror: MirrorPhase.Broken, CopyFault: null, Suspected: null } && s.Whole.OnBothCopies() ? s.Whole : s.Mirror,
    }, new GuestNews("disk.works", "What had failed on this node's disk went through."));

    /// <summary>The guest is on both copies from here, the other one being there.</summary>
    public void IsOn(CopyPlace place) => Remember(r => r with { Place = place, Third = null }, null);

    /// <summary>From here it may be on a third copy, which the next run of the agent must know (IOException: it would not); null: it is certainly not.</summary>
    public void MayBeOn(ThirdPlace? third)
    {
        if (third is not null) lock (_gate) (_run with { Third = third }).Write(_parts.Paths.Run);
        Remember(r => r with { Third = third }, null);
    }

    private void Remember(Func<GuestRun, GuestRun> how, GuestNews? news)
    {
        lock (_gate)
        {
            _run = how(_run);
            // On a full disk the next run of the agent knows less; the guest is none the worse.
            try { _run.Write(_parts.Paths.Run); }
            catch (IOException e) { _parts.Log.GuestTrouble(Instance, "disk.error", e.Message); }
        }
        if (news is not null) Tell(news);
    }

    private void Tell(GuestNews news)
    {
        if (news.Trouble) _parts.Log.GuestTrouble(Instance, news.Kind, news.Text);
        else _parts.Log.GuestNews(Instance, news.Kind, news.Text);
        Changed?.Invoke(this, news.Kind, news.Text);
    }

    private void Gone()
    {
        if (!_leaving.IsCancellationRequested) Change(s => s with { Phase = GuestPhase.Absent, CopyPercent = null }, null);
    }

    /// <summary>Lets go of the guest, which runs on.</summary>
    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _migration.DisposeAsync();
        await _mirror.DisposeAsync();
        if (_serial is not null) await _serial.DisposeAsync();
        if (_qmp is not null) await _qmp.DisposeAsync();
    }
}

/// <summary>What every part of a guest needs.</summary>
public sealed record GuestParts(GuestPaths Paths, HypervisorOptions Options, TimeProvider Clock, ILogger Log)
{
    /// <summary>Null: connections to other nodes are not encrypted.</summary>
    public NodeTls? Tls { get; init; }

    /// <summary>No KVM: QEMU before 9.0 does not see every write of an emulated CPU as a change of memory.</summary>
    public bool Emulated { get; init; }

    /// <summary>Null: copies are compared by reading both.</summary>
    public ICopyPeer? Peer { get; init; }
}
