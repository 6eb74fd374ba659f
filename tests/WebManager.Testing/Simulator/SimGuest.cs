// A guest's process: issues numbered writes; in sync acknowledged by both copies, alone by the primary's.
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

public sealed partial class SimGuest(SimNode node, GuestSpec spec, GenerationRecord? record)
{
    /// <summary>The age at which the agent yanks the oldest request (R1).</summary>
    private static readonly TimeSpan YankAfter = TimeSpan.FromSeconds(1);
    private readonly SimWorld _world = node.World;
    private TaskCompletionSource _goesOn = new();
    private bool _started;
    private bool _stopping;
    private bool _killed;
    private int _writers;

    public SimNode Node { get; } = node;
    public Guid Instance { get; } = spec.Instance;
    public GuestSpec Spec { get; } = spec;
    public Life Life { get; } = new();
    public GenerationRecord? Record { get; private set; } = record;
    public int Pid { get; } = node.World.Random.Next(1000, 60000);
    public DateTimeOffset StartedAt { get; private set; }
    public DateTimeOffset? FirstLineAt { get; private set; }
    public GuestPhase Phase { get; private set; } = GuestPhase.Starting;
    public MirrorPhase Mirror { get; private set; }
    public string? MirrorText { get; private set; }
    public double? CopyPercent { get; private set; }
    public bool Dying { get; private set; }

    /// <summary>Each write goes to both copies (QEMU's quorum), under the export of this generation.</summary>
    public bool Both { get; private set; }
    public long ReplicaGeneration { get; private set; }
    private string? _replicaNode = record?.Secondary;

    public SimCopy? Copy => Spec.Disks.Count == 0 ? null : Node.Instance(Instance).Copy;
    private string Name => _world.NameOf(Instance);

    /// <summary>From the fork to the first instruction of the guest's CPU.</summary>
    public async Task<Outcome<Done>> StartAsync(ReplicaAddress? replica)
    {
        await Node.WorkAsync(50, 250, Life);
        if (await AttachAsync(replica) is { } failed) return failed;
        Execution.StartedAt = StartedAt = Node.Clock.GetUtcNow();
        _world.Truth.Boots(this);
        Begins();
        _world.Spawn(BootAsync);
        return Done.Value;
    }

    private async Task<Refusal?> AttachAsync(ReplicaAddress? replica)
    {
        if (Record is { Sync: SyncState.InSync })
        {
            (Both, ReplicaGeneration, Mirror) = (true, Record.Number, MirrorPhase.InSync);
            if (replica is null || await SendAsync(0, false) != true)
            {
                await KillAsync();
                return new Refusal("guest.start-failed", $"The replica of {Name} does not answer.");
            }
        }
        else if (Record is not null) Mirror = MirrorPhase.Alone;

        Life.Check();
        return null;
    }

    private void Begins()
    {
        _started = true;
        SetPhase(GuestPhase.Running);
        _world.Happened("guest.started", Name, null, Node.Name);
        Node.Agent?.Say("guest.started", Instance, $"{Name} runs.");
    }

    private async Task BootAsync()
    {
        await Node.WorkAsync(800, 1500, Life);
        await GoesOnAsync();
        Execution.FirstLineAt = FirstLineAt = Node.Clock.GetUtcNow();
        Node.Agent?.Say("guest.first-line", Instance, $"{Name} says hello.");
        Node.Agent?.Bump();
        BeginWriting();
    }

    /// <summary>A guest that only reads never notices that its copy is gone; only the lease stops it.</summary>
    private void BeginWriting()
    {
        if (Copy is null || Spec.OsParams.ContainsKey("quiet")) return;
        _world.Spawn(WriterAsync);
        _world.Spawn(WriterAsync);
    }

    private async Task WriterAsync()
    {
        _writers++;
        while (!_stopping)
        {
            await Node.WorkAsync(10 * _world.Options.Pace, 60 * _world.Options.Pace, Life);
            await GoesOnAsync();
            if (Outgoing is { Draining: true }) continue;
            _inFlight++;
            await WriteAsync(_world.Truth.NextWrite(Instance), _world.Random.Next(3) == 0);
            _inFlight--;
        }

        _writers--;
    }

    /// <summary>True: the copy has it. False: refused. Null: no answer in time.</summary>
    private Task<bool?> SendAsync(int n, bool flush) => _replicaNode is { } other ? SendAsync(other, ReplicaGeneration, null, n, flush) : Task.FromResult<bool?>(false);

    /// <param name="tag">Only where an export of the same generation and another tag may be open.</param>
    private async Task<bool?> SendAsync(string other, long generation, string? tag, int n, bool flush)
    {
        var answer = new TaskCompletionSource<bool?>();
        using var yank = Node.Clock.CreateTimer(_ => answer.TrySetResult(null), null, YankAfter, Timeout.InfiniteTimeSpan);
        _world.Spawn(async () =>
        {
            if (!await _world.Network.CarryAsync(Node.Name, other)) return;
            var there = _world.Node(other);
            bool? result;
            try { result = await there.ReceiveAsync(Instance, generation, n, flush, tag); }
            catch (DiedException) { return; }
            if (result is { } told && await _world.Network.CarryAsync(other, Node.Name)) answer.TrySetResult(told);
        });
        var got = await answer.Task;
        await Node.ThawedAsync();
        while (Halted) await _awake.Task;
        CheckAlive();
        return got;
    }

    /// <summary>The I/O error policy: pause, and wait for leave to go on.</summary>
    private void Break(string text)
    {
        BreakMirror(text);
        SetPhase(GuestPhase.Paused);
        _world.Happened("guest.paused", Name, null, Node.Name);
        Node.Agent?.Say("mirror.broken", Instance, text);
    }

    public void Degrade(GenerationRecord leave)
    {
        (Record, Both, Mirror, MirrorText, LocalFault) = (leave, false, MirrorPhase.Alone, null, null);
        SetThird(null, null);
        if (Phase == GuestPhase.Paused) SetPhase(GuestPhase.Running);
        else Changed();
        _world.Happened("guest.degraded", Name, null, Node.Name);
    }

    /// <summary>The keeper holds another record for the guest now.</summary>
    public void Adopted(GenerationRecord? adopted)
    {
        if (adopted is null || Record is null || adopted == Record || (adopted.Number == Record.Number && adopted.Sync == Record.Sync)) return;
        Record = adopted;
        if (adopted.Sync == SyncState.InSync && Mirror == MirrorPhase.Promised) Mirror = MirrorPhase.InSync;
        Node.Agent?.Bump();
    }

    public void SetCopying(double? percent, string? text = null)
    {
        CopyPercent = percent;
        Mirror = percent is null ? MirrorPhase.Alone : MirrorPhase.Copying;
        MirrorText = text;
        Node.Agent?.Bump();
    }

    /// <summary>R2: stops acknowledging, makes the copies equal, writes to both; goes on by <see cref="Resume"/>.</summary>
    public void PauseForSwap() => SetPhase(GuestPhase.Paused);

    public void SwapToBoth(GenerationRecord to) =>
        (Both, ReplicaGeneration, _replicaNode, Mirror, CopyPercent, MirrorText, CopyFault) = (true, to.Number, to.Secondary, MirrorPhase.Promised, null, null, null);

    public void SwapBack(string text) => (Both, Mirror, CopyPercent, MirrorText) = (false, MirrorPhase.Alone, null, text);

    public void Resume() => SetPhase(GuestPhase.Running);

    /// <summary>The power button. Answers when the process is gone or the grace is over.</summary>
    public async Task PressPowerAsync(TimeSpan grace)
    {
        _stopping = true;
        _world.Spawn(ShutDownAsync);
        await Task.WhenAny(Life.Ended, Task.Delay(grace, Node.Clock));
    }

    private async Task ShutDownAsync()
    {
        await Node.WorkAsync(200, 1500, Life);
        while (_writers > 0) await Node.WorkAsync(20, 20, Life);
        await GoesOnAsync();
        if (Copy is not null) await WriteAsync(_world.Truth.NextWrite(Instance), true);
        await Node.WorkAsync(5, 20, Life);
        Ended(GuestEnd.Clean);
    }

    /// <summary>SIGKILL, then reaped.</summary>
    public async Task KillAsync(GuestEnd end = GuestEnd.Killed)
    {
        Dying = true;
        var keeper = Node.Keeper;
        await Node.WorkAsync(0.2, 2, Life);
        (_started, _killed) = (false, true);
        Changed();
        if (keeper is null) return;
        await Node.WorkAsync(1, 20, keeper.Life);
        Ended(end);
    }

    /// <summary>Reaped: the keeper and the agent know how it ended.</summary>
    public void Ended(GuestEnd end)
    {
        if (Life.Dead) return;
        Vanish();
        if (LocalFault is not null) Node.Faulty.Told = Node.Now;
        Node.Guests.Remove(Instance);
        (Node.Instance(Instance).End, Node.Instance(Instance).GuestGeneration) = (end, Record?.Number ?? 0);
        Node.Keeper?.Rules.Ended(Instance);
        Node.Keeper?.Watch();
        Node.Agent?.Say("guest.exited", Instance, $"{Name} ended: {end}.");
        _world.Happened("guest.ended", Name, end.ToString(), Node.Name);
    }

    /// <summary>The machine is gone and the guest with it.</summary>
    public void Vanish()
    {
        _started = false;
        Life.End();
        _world.Truth.Rests(this);
    }

    private void SetPhase(GuestPhase phase)
    {
        Phase = phase;
        Changed();
        Node.Agent?.Bump();
    }

    /// <summary>Whether it executes has perhaps changed.</summary>
    public void Changed()
    {
        var executes = _started && !Life.Dead && Phase == GuestPhase.Running && !Halted && !Node.Frozen;
        if (executes && !_goesOn.Task.IsCompleted) Execution.Stints++;
        if (executes) _world.Truth.Begins(this, StartsNow());
        else _world.Truth.Rests(this);
        if (executes && !_goesOn.Task.IsCompleted) _goesOn.SetResult();
        if (!executes && _goesOn.Task.IsCompleted) _goesOn = new TaskCompletionSource();
    }

    private bool _seen;
    private bool StartsNow() => !_seen && (_seen = true);

    private async Task GoesOnAsync()
    {
        while (!_goesOn.Task.IsCompleted)
        {
            await _goesOn.Task;
            CheckAlive();
        }

        CheckAlive();
    }

    private void CheckAlive()
    {
        if (_killed) throw new DiedException();
        Life.Check();
    }
}
