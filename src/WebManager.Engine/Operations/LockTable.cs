// Which waiting job may run next: slots and locks, shared or exclusive, given in one go by priority and age. Nobody waits while holding something.
using WebManager.Engine.Model;

namespace WebManager.Engine.Operations;

/// <summary>Names are "level:name"; levels sort as cluster, node group, node, instance by their prefix 0: 1: 2: 3:.</summary>
public readonly record struct LockWish(string Name, bool Shared = false);

/// <summary>
/// Who comes first: what was under way before a restart of the engine, then the watcher's, then by Due. Due is the time of filing, later by a minute
/// for each step of priority, so that age lifts whatever waits and nothing waits for ever.
/// </summary>
public readonly record struct Rank(int Tier, DateTimeOffset Due, long Job) : IComparable<Rank>
{
    public const int UnderWay = 0, Watcher = 1, Others = 2;

    public static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    public static Rank Of(Job job, bool underWay) =>
        new(underWay ? UnderWay : job.Caller == Caller.Watcher ? Watcher : Others, job.ReceivedAt + (Step * (int)job.Priority), job.Id);

    public int CompareTo(Rank other) => (Tier, Due, Job).CompareTo((other.Tier, other.Due, other.Job));

    public static bool operator <(Rank a, Rank b) => a.CompareTo(b) < 0;
    public static bool operator >(Rank a, Rank b) => a.CompareTo(b) > 0;
    public static bool operator <=(Rank a, Rank b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Rank a, Rank b) => a.CompareTo(b) >= 0;
}

/// <summary>What a job needs before it runs. Slot: it counts among those that run at one time.</summary>
public sealed record Claim(Rank Rank, IReadOnlyList<LockWish> Locks, bool Slot);

/// <summary>One lock: who has it, and who waits for it in their order.</summary>
public sealed record LockRow(string Name, IReadOnlyList<LockParty> Holders, IReadOnlyList<LockParty> Waiters);
public sealed record LockParty(long Job, bool Shared);

public sealed class LockTable(int places)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<Rank, Waiting> _waiting = [];
    private readonly Dictionary<long, Waiting> _byJob = [];
    private readonly Dictionary<string, List<LockParty>> _held = new(StringComparer.Ordinal);
    private int _places = places, _running;

    private sealed class Waiting(Claim claim)
    {
        public Claim Claim { get; set; } = claim;
        public CancellationTokenRegistration Stop { get; set; }
        public TaskCompletionSource<IDisposable> Given { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Jobs with a slot that run at one time. Fewer than run now: nobody is sent away.</summary>
    public int Places
    {
        get { lock (_gate) { return _places; } }
        set { lock (_gate) { _places = value; Give(); } }
    }

    public int Running { get { lock (_gate) { return _running; } } }

    /// <summary>Waits for all of it at once; dispose to let go. Who waits holds nothing, but keeps later ones from what it needs.</summary>
    public Task<IDisposable> TakeAsync(Claim claim, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var mine = new Waiting(claim with { Locks = InOrder(claim.Locks) });
        lock (_gate)
        {
            _waiting.Add(claim.Rank, mine);
            _byJob.Add(claim.Rank.Job, mine);
            mine.Stop = ct.Register(() => Leave(mine, ct));
            Give();
        }
        return mine.Given.Task;
    }

    /// <summary>The same name both ways is exclusive.</summary>
    private static List<LockWish> InOrder(IEnumerable<LockWish> locks) =>
        [.. locks.GroupBy(l => l.Name, StringComparer.Ordinal).Select(g => new LockWish(g.Key, g.All(l => l.Shared))).OrderBy(l => l.Name, StringComparer.Ordinal)];

    /// <summary>If it still waits it gets this place in the order.</summary>
    public void Move(Rank to)
    {
        lock (_gate)
        {
            if (!_byJob.TryGetValue(to.Job, out var waiting) || waiting.Claim.Rank == to) { return; }
            _waiting.Remove(waiting.Claim.Rank);
            waiting.Claim = waiting.Claim with { Rank = to };
            _waiting.Add(to, waiting);
            Give();
        }
    }

    /// <summary>Jobs whose locks this one waits for; none when it waits for a slot only, or not at all.</summary>
    public IReadOnlyList<(long Job, string Lock)> Hindrances(long job)
    {
        lock (_gate)
        {
            if (!_byJob.TryGetValue(job, out var mine)) { return []; }
            var earlier = _waiting.Values.TakeWhile(w => w != mine).SelectMany(w => w.Claim.Locks.Select(l => (l.Name, Party: new LockParty(w.Claim.Rank.Job, l.Shared))));
            var all = _held.SelectMany(h => h.Value.Select(p => (Name: h.Key, Party: p))).Concat(earlier);
            return [.. all.Where(a => mine.Claim.Locks.Any(l => l.Name == a.Name && !(l.Shared && a.Party.Shared))).Select(a => (a.Party.Job, a.Name)).Distinct()];
        }
    }

    public IReadOnlyList<LockRow> Listing()
    {
        lock (_gate)
        {
            var waiters = _waiting.Values.SelectMany(w => w.Claim.Locks.Select(l => (l.Name, Party: new LockParty(w.Claim.Rank.Job, l.Shared)))).ToLookup(w => w.Name, w => w.Party, StringComparer.Ordinal);
            return [.. _held.Keys.Union(waiters.Select(w => w.Key), StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(name => new LockRow(name, [.. _held.GetValueOrDefault(name) ?? []], [.. waiters[name]]))];
        }
    }

    /// <summary>What was given in the same moment is kept: the one who gets it looks whether it is still wanted.</summary>
    private void Leave(Waiting mine, CancellationToken ct)
    {
        lock (_gate)
        {
            if (mine.Given.Task.IsCompleted) { return; }
            Remove(mine);
            mine.Given.TrySetCanceled(ct);
            Give();
        }
    }

    /// <summary>Again after each turn that gave something: who took the last slot made others wait for a slot, and these keep nobody from a lock any more.</summary>
    private void Give()
    {
        while (GaveSome()) { }
    }

    /// <summary>In the order of rank. One that cannot have all it needs takes nothing, and those after it cannot have what it needs either.</summary>
    private bool GaveSome()
    {
        var gave = false;
        var claimed = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (rank, waiting) in _waiting.ToList())
        {
            var claim = waiting.Claim;
            // Without a slot it would not run with its locks either, so it keeps nobody from them.
            if (claim.Slot && _running >= _places && rank.Tier != Rank.UnderWay) { continue; }
            if (claim.Locks.All(l => Free(l, claimed)))
            {
                Hold(waiting);
                gave = true;
            }
            else { foreach (var l in claim.Locks) { claimed[l.Name] = claimed.GetValueOrDefault(l.Name) || !l.Shared; } }
        }
        return gave;
    }

    /// <summary>Claimed: the names that earlier ones wait for; true: exclusively.</summary>
    private bool Free(LockWish wish, Dictionary<string, bool> claimed) => wish.Shared
        ? (!_held.TryGetValue(wish.Name, out var holders) || holders.All(h => h.Shared)) && !claimed.GetValueOrDefault(wish.Name)
        : !_held.ContainsKey(wish.Name) && !claimed.ContainsKey(wish.Name);

    private void Remove(Waiting waiting)
    {
        _waiting.Remove(waiting.Claim.Rank);
        _byJob.Remove(waiting.Claim.Rank.Job);
    }

    private void Hold(Waiting waiting)
    {
        Remove(waiting);
        waiting.Stop.Unregister();
        var rank = waiting.Claim.Rank;
        foreach (var l in waiting.Claim.Locks)
        {
            if (!_held.TryGetValue(l.Name, out var holders)) { _held[l.Name] = holders = []; }
            holders.Add(new LockParty(rank.Job, l.Shared));
        }
        if (waiting.Claim.Slot) { _running++; }
        waiting.Given.SetResult(new Held(this, rank.Job, waiting.Claim));
    }

    private void Release(long job, Claim claim)
    {
        lock (_gate)
        {
            foreach (var l in claim.Locks)
            {
                var holders = _held[l.Name];
                holders.Remove(new LockParty(job, l.Shared));
                if (holders.Count == 0) { _held.Remove(l.Name); }
            }
            if (claim.Slot) { _running--; }
            Give();
        }
    }

    private sealed class Held(LockTable table, long job, Claim claim) : IDisposable
    {
        private Claim? _claim = claim;
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _claim, null) is { } held) { table.Release(job, held); }
        }
    }
}
