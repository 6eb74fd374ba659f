// Who reaches whom, and how long a message takes.
namespace WebManager.Testing.Simulator;

public sealed class SimNetwork(SimWorld world)
{
    /// <summary>The portal's name on the network.</summary>
    public const string Portal = "portal";

    /// <summary>A second portal's, on a copy of the first one's data.</summary>
    public const string Twin = "portal2";

    private readonly HashSet<(string From, string To)> _cuts = [];
    private readonly List<(string From, string To, TimeSpan Until, TimeSpan Longest)> _bursts = [];
    private readonly Dictionary<string, TimeSpan> _doubled = [];
    private TaskCompletionSource _healed = new();

    /// <summary>Part of the messages that take long, and how long at most (a retransmission, a full queue).</summary>
    public double SlowPart { get; set; } = 0.005;
    public TimeSpan Slow { get; set; } = TimeSpan.FromSeconds(0.8);

    /// <summary>Part of the messages met by a cut that arrive after it was healed, if that is within Late.</summary>
    public double LatePart { get; set; } = 0.5;
    public TimeSpan Late { get; set; } = TimeSpan.FromSeconds(30);

    public IReadOnlyCollection<(string From, string To)> Cuts => _cuts;

    public bool Cut(string from, string to) => _cuts.Add((from, to));

    /// <summary>For that time each message from the one to the other (* any) takes up to Longest.</summary>
    public bool Burst(string from, string to, TimeSpan time, TimeSpan longest)
    {
        _bursts.Add((from, to, world.Now + time, longest));
        return true;
    }

    /// <summary>For that time half of what the node is asked is asked again, up to Late afterwards.</summary>
    public bool Duplicate(string node, TimeSpan time)
    {
        _doubled[node] = world.Now + time;
        return true;
    }

    /// <summary>A second time for this message, if it gets one.</summary>
    public TimeSpan? Again(string node) =>
        _doubled.Count > 0 && _doubled.TryGetValue(node, out var until) && world.Now < until && world.Random.Next(2) == 0
            ? Late * Math.Pow(world.Random.NextDouble(), 3)
            : null;

    /// <summary>No bursts, no second copies, no slow messages from now on.</summary>
    public void Calm()
    {
        SlowPart = 0;
        _bursts.Clear();
        _doubled.Clear();
    }

    public bool Heal(Func<string, string, bool> which)
    {
        if (_cuts.RemoveWhere(c => which(c.From, c.To)) == 0) return false;
        var healed = _healed;
        _healed = new TaskCompletionSource();
        healed.SetResult();
        return true;
    }

    public bool Reaches(string from, string to) => !_cuts.Contains((from, to));

    /// <summary>Carries one message; false: it is lost, and nobody is told.</summary>
    public async Task<bool> CarryAsync(string from, string to, bool maybeLate = true)
    {
        var sent = world.Now;
        await world.DelayAsync(Latency(from, to));
        while (!Reaches(from, to))
        {
            if (!maybeLate || world.Random.NextDouble() >= LatePart) return false;
            await _healed.Task;
            await world.DelayAsync(Latency(from, to));
            if (world.Now - sent > Late) return false;
        }

        return true;
    }

    private TimeSpan Latency(string from, string to)
    {
        var latency = SlowPart > 0 && world.Random.NextDouble() < SlowPart
            ? Slow * world.Random.NextDouble()
            : TimeSpan.FromMilliseconds(0.2 + 2 * world.Random.NextDouble());
        return _bursts.Count == 0 ? latency : latency + InBurst(from, to);
    }

    private TimeSpan InBurst(string from, string to)
    {
        _bursts.RemoveAll(b => b.Until <= world.Now);
        var longest = _bursts.Where(b => (b.From == "*" || b.From == from) && (b.To == "*" || b.To == to)).Select(b => b.Longest).DefaultIfEmpty().Max();
        return longest * world.Random.NextDouble();
    }
}
