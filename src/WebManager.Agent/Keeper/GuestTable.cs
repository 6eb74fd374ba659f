using WebManager.Agent.Rules;
using WebManager.Contracts;

namespace WebManager.Agent.Keeper;

/// <summary>The keeper's processes and their leases, behind one lock. Knows no sockets and no threads.</summary>
internal sealed class GuestTable(KeeperFolder folder, TimeProvider clock, LeaseRules lease)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Live> _live = [];
    private readonly Dictionary<string, ProcessEnd> _ended = folder.Ends().ToDictionary(e => e.Id);
    private readonly Guid _boot = ProcFacts.BootId();

    public event Action<ProcessEnd>? Ended;

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
            var pid = Spawner.Spawn(SpawnPlan.Arguments(request), request.OutputFile);
            if (pid < 0)
            {
                if (leased) lease.Ended(request.Record!.Instance);
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

    /// <summary>Kills whose time is over; gives the next moment at which to look, and the deadline behind which the kernel should kill us.</summary>
    public TimeSpan? Tick()
    {
        lock (_gate)
        {
            foreach (var instance in lease.Expired(Now))
            {
                if (_live.Values.FirstOrDefault(l => l.Leased && l.Record!.Instance == instance) is not { KilledByUs: false } live) continue;
                live.KilledByUs = true;
                _ = Native.kill(live.Pid, Native.SigKill);
            }

            return _live.Values.Where(l => l is { Leased: true, KilledByUs: false }).Select(l => lease.Of(l.Record!.Instance)?.Until).Min();
        }
    }

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
            return new KeeperStatus(Run, Environment.ProcessId, [.. _live.Values.Select(l => l.Tell(lease, now))], [.. _ended.Values]);
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
        public TaskCompletionSource Reaped { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Become(string guest, GenerationRecord under) => (Id, Record, Leased) = (guest, under, true);

        public LiveProcess Tell(LeaseRules lease, TimeSpan now)
        {
            var held = Leased ? lease.Of(Record!.Instance) : null;
            return new LiveProcess(Id, pid, held?.Record ?? Record, startedAt, held?.Until is { } until ? (until - now).TotalMilliseconds : null);
        }
    }
}
