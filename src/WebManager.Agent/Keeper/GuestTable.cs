using WebManager.Agent.Node;
using WebManager.Agent.Rules;
using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>The keeper's processes and their leases, behind one lock. Knows no sockets and no threads.</summary>
/// <param name="arm">Sets the moment at which the kernel kills this keeper; null: none.</param>
internal sealed class GuestTable(KeeperFolder folder, TimeProvider clock, LeaseRules lease, Action<TimeSpan?> arm)
{
    /// <summary>How soon to look again whether a guest that was told to stand still does.</summary>
    private static readonly TimeSpan Confirming = TimeSpan.FromMilliseconds(2);

    public static readonly TimeSpan LongestDeath = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Live> _live = [];
    private readonly Dictionary<string, ProcessEnd> _ended = folder.Ends().ToDictionary(e => e.Id);
    private readonly Guid _boot = ProcFacts.BootId();

    public event Action<ProcessEnd>? Ended;
    public event Action<ProcessPause>? PauseChanged;

    public Guid Run { get; } = Guid.NewGuid();

    private TimeSpan Now => clock.Monotonic();

    /// <summary>Runs on the spawn thread.</summary>
    public Outcome<int> Spawn(SpawnRequest request)
    {
        if (SpawnPlan.Check(request) is { } wrong) return wrong;
        lock (_gate)
        {
            if (_live.TryGetValue(request.Id, out var running))
                return new Refusal("process.running", $"{request.Id} runs as pid {running.Pid}.", "Kill it first.");
            var leased = SpawnPlan.Leased(request);
            if (leased && lease.Start(request.Record!, Now) is { Ok: false } no) return no.Refusal;
            // Before it can run: from here a stall of ours ends it.
            Arm();
            var pid = Spawner.Spawn(SpawnPlan.Arguments(request), request.OutputFile);
            if (pid < 0)
            {
                if (leased) lease.Ended(request.Record!.Instance);
                Arm();
                return new Refusal("process.not-started", $"{request.Arguments[0]} could not be started: error {-pid}.");
            }

            var live = new Live(request.Id, pid, request.Record, leased, clock.GetUtcNow());
            _live[request.Id] = live;
            if (_ended.Remove(request.Id)) folder.Forget(request.Id);
            folder.NoteLive(new LiveNote(live.Id, pid, ProcFacts.StartTime(pid) ?? -1, _boot, request.Record, live.StartedAt));
            return pid;
        }
    }

    /// <summary>A process that waited becomes a guest under the record. The new note first: a successor of ours must find it under either name.</summary>
    public Outcome<int> Become(string from, string to, GenerationRecord record)
    {
        lock (_gate)
        {
            if (!_live.TryGetValue(from, out var live)) return new Refusal("process.gone", $"{from} does not run.");
            if (_live.TryGetValue(to, out var running)) return new Refusal("process.running", $"{to} runs as pid {running.Pid}.", "Kill it first.");
            if (lease.Start(record, Now) is { Ok: false } no) return no.Refusal;
            // Before it can run: from here a stall of ours ends it.
            Arm();
            folder.NoteLive(new LiveNote(to, live.Pid, ProcFacts.StartTime(live.Pid) ?? -1, _boot, record, live.StartedAt));
            folder.ForgetLive(from);
            _live.Remove(from);
            live.Become(to, record);
            _live[to] = live;
            if (_ended.Remove(to)) folder.Forget(to);
            return live.Pid;
        }
    }

    /// <summary>SIGKILL; completes when reaped.</summary>
    public Task KillAsync(string id)
    {
        lock (_gate)
        {
            if (!_live.TryGetValue(id, out var live)) return Task.CompletedTask;
            live.Dying = true;
            _ = Native.kill(live.Pid, Native.SigKill);
            return live.Reaped.Task;
        }
    }

    /// <summary>A child ended. <paramref name="reap"/> frees the pid; until then a kill under the lock cannot hit a stranger.</summary>
    public void Reap(int pid, int? exitCode, int? signal, Action reap)
    {
        Live? live;
        ProcessEnd? end = null;
        lock (_gate)
        {
            reap();
            live = _live.Values.FirstOrDefault(l => l.Pid == pid);
            if (live is not null)
            {
                _live.Remove(live.Id);
                var record = live.Leased ? lease.Of(live.Record!.Instance)?.Record : live.Record;
                if (live.Leased) lease.Ended(live.Record!.Instance);
                end = new ProcessEnd(live.Id, pid, (record ?? live.Record)?.Number ?? 0, exitCode, signal, live.KilledByUs, clock.GetUtcNow());
                _ended[live.Id] = end;
            }
        }

        if (live is null || end is null) return;
        folder.NoteEnd(end);       // outside the lock: a slow disk must not hold up the deadlines
        Ended?.Invoke(end);
        live.Reaped.SetResult();
    }

    /// <summary>Something a killed keeper left, dead by now: its exit code is lost.</summary>
    public void NoteLost(LiveNote note)
    {
        var end = new ProcessEnd(note.Id, note.Pid, note.Record?.Number ?? 0, null, Native.SigKill, false, clock.GetUtcNow());
        lock (_gate) { _ended[note.Id] = end; }
        folder.NoteEnd(end);
    }

    /// <summary>Kills whose time is over, pauses whose time is nearly over, lets go on who may; gives the next moment at which to look.</summary>
    public TimeSpan? Tick()
    {
        var told = new List<ProcessPause>();
        TimeSpan? next;
        lock (_gate)
        {
            // Somebody else has continued it: it runs, so its lease counts again, before anything is decided. What is dying does not stand still either.
            foreach (var live in _live.Values.Where(l => l is { Leased: true, Dying: false } && lease.IsPaused(l.Record!.Instance) && !ProcFacts.IsStopped(l.Pid))) Resume(live, told);
            foreach (var live in Leased(lease.Expired(Now)).Where(l => !l.KilledByUs))
            {
                (live.KilledByUs, live.KilledAt, live.Dying) = (true, Now, true);
                _ = Native.kill(live.Pid, Native.SigKill);
            }

            Pause(told);
            var resumed = Leased(lease.ToResume(Now)).Where(l => !l.Dying).ToList();
            foreach (var live in resumed) Resume(live, told);
            // In this order: a guest that goes on must not outlive a keeper that stalls right here.
            Arm();
            foreach (var live in resumed) _ = Native.kill(live.Pid, Native.SigCont);
            next = lease.Unconfirmed(Now).Count > 0 ? Now + Confirming : Min(lease.NextPause(Now), Deadline());
        }

        foreach (var change in told) PauseChanged?.Invoke(change);
        return next;
    }

    /// <summary>A guest that had to be killed is not dead after so long: it hangs in the kernel, and nothing but a reset of the machine ends it.</summary>
    public bool Stuck
    {
        get { lock (_gate) { return _live.Values.Any(l => l.KilledByUs && Now - l.KilledAt >= LongestDeath); } }
    }

    /// <summary>Kills everything; false when something of it is still there when the limit is over.</summary>
    public async Task<bool> EndAllAsync(TimeSpan limit)
    {
        List<string> all;
        lock (_gate) { all = [.. _live.Keys]; }
        try
        {
            await Task.WhenAll(all.Select(KillAsync)).WaitAsync(limit, clock);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Pause(List<ProcessPause> told)
    {
        foreach (var live in Leased(lease.ToPause(Now)))
        {
            _ = Native.kill(live.Pid, Native.SigStop);
            lease.Pausing(live.Record!.Instance);
        }

        // The time is taken after the look: what stood still then has not run since.
        foreach (var live in Leased(lease.Unconfirmed(Now)).Where(l => ProcFacts.IsStopped(l.Pid)))
            if (lease.Paused(live.Record!.Instance, Now)) told.Add(new ProcessPause(live.Id, true));
    }

    private void Resume(Live live, List<ProcessPause> told)
    {
        if (lease.IsPaused(live.Record!.Instance)) told.Add(new ProcessPause(live.Id, false));
        lease.Resumed(live.Record!.Instance);
    }

    private IEnumerable<Live> Leased(IReadOnlyCollection<Guid> instances) => _live.Values.Where(l => l.Leased && instances.Contains(l.Record!.Instance));

    private void Arm() => arm(Deadline());

    /// <summary>The earliest end of a lease of what may run: behind it the kernel should kill us. What is being killed has nothing to lose.</summary>
    private TimeSpan? Deadline() => lease.Guests.Where(g => !lease.IsPaused(g) && !_live.Values.Any(l => l is { Leased: true, KilledByUs: true } && l.Record!.Instance == g))
        .Select(g => lease.Of(g)?.Until).Min();

    private static TimeSpan? Min(TimeSpan? a, TimeSpan? b) => a is { } x && b is { } y ? (x < y ? x : y) : a ?? b;

    public string Challenge()
    {
        var nonce = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(12));
        lock (_gate) { lease.Issue(nonce, Now); }
        return nonce;
    }

    public void Answer(string? nonce, IReadOnlyList<GenerationRecord> standsBehind)
    {
        lock (_gate) { lease.Answer(nonce, standsBehind, Now); }
    }

    public Outcome<Done> Adopt(GenerationRecord record)
    {
        lock (_gate) { return lease.Adopt(record, Now); }
    }

    public Outcome<Done> Promise(GenerationRecord record)
    {
        lock (_gate) { return lease.Promise(record, Now); }
    }

    /// <summary>Null: a guest may start under the record now.</summary>
    public Refusal? Lease(GenerationRecord record)
    {
        lock (_gate)
        {
            return record.Sync == SyncState.Alone || lease.HasLease(record, Now) ? null
                : new Refusal("lease.missing", $"Neither the engine nor the secondary has answered a challenge for {record}.", "Wait for the next heartbeat.");
        }
    }

    public void Forget(string id)
    {
        lock (_gate) { if (_ended.Remove(id)) folder.Forget(id); }
    }

    public KeeperStatus Status()
    {
        lock (_gate)
        {
            var now = Now;
            return new KeeperStatus(Run, Environment.ProcessId, [.. _live.Values.Select(l => l.Tell(lease, now))], [.. _ended.Values])
            {
                Version = NodeIdentity.Version, Build = NodeIdentity.Build, Speaks = KeeperSpeech.Own,
            };
        }
    }

    private sealed class Live(string id, int pid, GenerationRecord? record, bool leased, DateTimeOffset startedAt)
    {
        public string Id { get; private set; } = id;
        public int Pid => pid;
        public GenerationRecord? Record { get; private set; } = record;
        public bool Leased { get; private set; } = leased;
        public DateTimeOffset StartedAt => startedAt;
        public bool KilledByUs { get; set; }

        /// <summary>SIGKILL was sent, on the agent's word or for want of a lease: it executes nothing any more.</summary>
        public bool Dying { get; set; }
        public TimeSpan KilledAt { get; set; }
        public TaskCompletionSource Reaped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Become(string guest, GenerationRecord under) => (Id, Record, Leased) = (guest, under, true);

        public LiveProcess Tell(LeaseRules lease, TimeSpan now)
        {
            var held = Leased ? lease.Of(Record!.Instance) : null;
            return new LiveProcess(Id, pid, held?.Record ?? Record, startedAt, held?.Until is { } until ? (until - now).TotalMilliseconds : null)
            {
                Paused = Leased && lease.IsPaused(Record!.Instance),
            };
        }
    }
}
