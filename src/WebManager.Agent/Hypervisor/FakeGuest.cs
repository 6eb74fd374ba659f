using System.Text;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>A pretended guest: what it is said to do is recorded in its folder and survives the agent.</summary>
public sealed class FakeGuest : IGuest
{
    private readonly GuestStart _start;
    private readonly TimeProvider _clock;
    private readonly SerialFan _serial;
    private static readonly TimeSpan SwitchWait = TimeSpan.FromSeconds(10);
    private GuestRun _run;
    private FakeSending? _sending;

    public FakeGuest(GuestStart start, int pid, GuestRun run, TimeProvider clock)
    {
        (_start, Pid, _run, _clock, _serial) = (start, pid, run, clock, new SerialFan(clock));
        Mirror = start.Record is null ? MirrorPhase.None : start.Record.Sync == SyncState.InSync ? MirrorPhase.InSync : MirrorPhase.Alone;
        if (run.Third is { Candidate: var on }) Third = new ThirdCopy(on.Number, on.Tag, ThirdPhase.Joined);
        _serial.Recall(SerialPort.Tail(Log, 64 * 1024));
    }

    public static string PipeOf(string folder) => Path.Combine(folder, "fake.pipe");
    public static string RunFileOf(string folder) => Path.Combine(folder, "run.json");
    private string Log => Path.Combine(_start.Folder, "serial.log");

    public Guid Instance => _start.Guest.Instance;
    public int Pid { get; }
    public GuestPhase Phase { get; private set; } = GuestPhase.Running;
    public MirrorPhase Mirror { get; private set; }
    public string? MirrorText => null;
    public double? CopyPercent => null;
    public ThirdCopy? Third { get; private set; }
    public MigrationReport? Migration { get; private set; }
    public DateTimeOffset StartedAt => _run.StartedAt;
    public DateTimeOffset? FirstLineAt => _run.FirstLineAt;
    public bool PoweredOff => _run.PoweredOff;
    public bool Panicked => false;

    public event Action<IGuest, string, string>? Changed;

    /// <summary>One that came from another node; its first line here is a sign of life.</summary>
    public static FakeGuest Moved(GuestStart start, int pid, TimeProvider clock)
    {
        var guest = new FakeGuest(start, pid, new GuestRun(pid, clock.GetUtcNow()), clock);
        guest.Record(guest._run with { FirstLineAt = clock.GetUtcNow() });
        guest.Print($"fake: {start.Guest.Name} goes on here\n");
        return guest;
    }

    public void Boot()
    {
        Record(_run with { FirstLineAt = _clock.GetUtcNow() });
        Print($"fake: {_start.Guest.Name} is a pretended guest\nready: {_start.Guest.Name} {(_start.Guest.Nics is [{ Ip: { } ip }, ..] ? ip : "-")}\n");
    }

    public Task PressPowerAsync(CancellationToken ct)
    {
        Record(_run with { PoweredOff = true });
        Phase = GuestPhase.Stopping;
        Print("init: poweroff\n");
        Changed?.Invoke(this, "guest.stopping", "The power button was pressed.");
        // Opened both ways, which never waits for a reader: the process may have been killed meanwhile.
        File.OpenHandle(PipeOf(_start.Folder), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
        return Task.CompletedTask;
    }

    public Task<Outcome<Done>> DegradeAsync(GenerationRecord record, CancellationToken ct)
    {
        IsOnThird(null);
        return TurnAsync(MirrorPhase.Alone, "mirror.alone");
    }

    private void IsOnThird(ThirdPlace? place)
    {
        Third = place is null ? null : new ThirdCopy(place.Candidate.Number, place.Candidate.Tag, ThirdPhase.Joined) { Copy = new CopyReport(0, 0, 0, 0) };
        Record(_run with { Third = place });
    }

    public Task<Outcome<Done>> AddCopyAsync(GenerationRecord candidate, ReplicaAddress replica, CancellationToken ct)
    {
        if (Mirror != MirrorPhase.InSync) return Task.FromResult<Outcome<Done>>(new Refusal("mirror.not-in-sync", $"The guest's mirror is {Mirror}.", "Wait until it is in sync."));
        IsOnThird(new ThirdPlace(candidate, replica));
        return TurnAsync(Mirror, "mirror.joined");
    }

    public Task<Outcome<Done>> DropCopyAsync(GenerationRecord candidate, CancellationToken ct)
    {
        if (Third?.Is(candidate) == true) IsOnThird(null);
        return TurnAsync(Mirror, "mirror.changed");
    }

    public async Task<Outcome<Done>> ResyncAsync(GenerationRecord record, ReplicaAddress replica, Func<CancellationToken, Task> promise, CancellationToken ct)
    {
        if (Mirror != MirrorPhase.Alone) return new Refusal("mirror.promised", "The guest is on both copies already.");
        await promise(ct);
        return await TurnAsync(MirrorPhase.Promised, "mirror.promised");
    }

    public Task<Outcome<Done>> CancelResyncAsync(CancellationToken ct) => Task.FromResult<Outcome<Done>>(
        Mirror is MirrorPhase.InSync or MirrorPhase.Promised ? new Refusal("mirror.promised", "Both copies are equal and promised already.") : Done.Value);

    public void Recorded(GenerationRecord record)
    {
        if (record.Sync == SyncState.InSync && Mirror == MirrorPhase.Promised) Mirror = MirrorPhase.InSync;
        if (Third?.Is(record) == true) IsOnThird(null);
    }

    public async Task<Outcome<Done>> SendAsync(GenerationRecord record, MigrationAddress to, CancellationToken ct)
    {
        if (Mirror != MirrorPhase.InSync) return new Refusal("mirror.not-in-sync", $"The guest's mirror is {Mirror}.", "Wait until it is in sync.");
        if (_sending is not null) return new Refusal("migration.running", "The guest is being sent already.", "Cancel that, or wait for its end.");
        var sending = _sending = new FakeSending(to, _clock);
        var connected = await sending.ConnectAsync(ct);
        if (!connected.Ok) await CancelMigrationAsync(ct);
        else if (_sending == sending) Turn(new MigrationReport(MigrationPhase.Switching, record.Number, 100, 1), "migration.progress");
        // As the real one: who does not go on in time goes back.
        if (connected.Ok) _ = GiveUpAsync(sending);
        return connected;
    }

    private async Task GiveUpAsync(FakeSending sending)
    {
        await Task.Delay(SwitchWait, _clock);
        if (_sending == sending) await CancelMigrationAsync(CancellationToken.None);
    }

    public async Task<Outcome<SourceEnd>> SwitchAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref _sending, null) is not { } sending)
            return new Refusal("migration.failed", "No sending waits here for its switch.", "The guest goes on here, or is started anew.");
        using (sending)
        {
            var end = await sending.SwitchAsync(ct);
            if (!end.Left) Mirror = MirrorPhase.Broken;
            Turn(null, end.Left ? "migration.progress" : "mirror.broken");
            return end;
        }
    }

    public Task CancelMigrationAsync(CancellationToken ct)
    {
        if (Interlocked.Exchange(ref _sending, null) is not { } sending) return Task.CompletedTask;
        sending.Dispose();
        Turn(null, "migration.failed");
        return Task.CompletedTask;
    }

    private void Turn(MigrationReport? migration, string kind)
    {
        Migration = migration;
        Changed?.Invoke(this, kind, "Pretended.");
    }

    private Task<Outcome<Done>> TurnAsync(MirrorPhase mirror, string kind)
    {
        Mirror = mirror;
        Changed?.Invoke(this, kind, "Pretended.");
        return Task.FromResult<Outcome<Done>>(Done.Value);
    }

    public IAsyncEnumerable<ReadOnlyMemory<byte>> SerialAsync(int lastBytes, CancellationToken ct) => _serial.ListenAsync(lastBytes, ct);

    public Task WriteSerialAsync(ReadOnlyMemory<byte> input, CancellationToken ct)
    {
        Print(Encoding.UTF8.GetString(input.Span));
        return Task.CompletedTask;
    }

    private void Print(string text)
    {
        File.AppendAllText(Log, text);
        _serial.Append(Encoding.UTF8.GetBytes(text));
    }

    private void Record(GuestRun run)
    {
        _run = run;
        run.Write(RunFileOf(_start.Folder));
    }

    public ValueTask DisposeAsync()
    {
        _serial.End();
        return ValueTask.CompletedTask;
    }
}
