// Who reaches whom, and how long a message takes.
namespace WebManager.Testing.Simulator;

public sealed class SimNetwork(SimWorld world)
{
    /// <summary>The portal's name on the network.</summary>
    public const string Portal = "portal";

    /// <summary>A second portal's, on a copy of the first one's data.</summary>
    public const string Twin = "portal2";

    private readonly HashSet<(string From, string To)> _cuts = [];
    private TaskCompletionSource _healed = new();

    /// <summary>Part of the messages that take long, and how long at most (a retransmission, a full queue).</summary>
    public double SlowPart { get; set; } = 0.005;
    public TimeSpan Slow { get; set; } = TimeSpan.FromSeconds(0.8);

    /// <summary>Part of the messages met by a cut that arrive after it was healed, if that is within Late.</summary>
    public double LatePart { get; set; } = 0.5;
    public TimeSpan Late { get; set; } = TimeSpan.FromSeconds(30);

    public IReadOnlyCollection<(string From, string To)> Cuts => _cuts;

    public void Cut(string from, string to) => _cuts.Add((from, to));

    public void Heal(Func<string, string, bool> which)
    {
        if (_cuts.RemoveWhere(c => which(c.From, c.To)) == 0) return;
        var healed = _healed;
        _healed = new TaskCompletionSource();
        healed.SetResult();
    }

    public bool Reaches(string from, string to) => !_cuts.Contains((from, to));

    /// <summary>Carries one message; false: it is lost, and nobody is told.</summary>
    public async Task<bool> CarryAsync(string from, string to, bool maybeLate = true)
    {
        var sent = world.Now;
        await world.DelayAsync(Latency());
        while (!Reaches(from, to))
        {
            if (!maybeLate || world.Random.NextDouble() >= LatePart) return false;
            await _healed.Task;
            await world.DelayAsync(Latency());
            if (world.Now - sent > Late) return false;
        }

        return true;
    }

    private TimeSpan Latency() => world.Random.NextDouble() < SlowPart
        ? Slow * world.Random.NextDouble()
        : TimeSpan.FromMilliseconds(0.2 + 2 * world.Random.NextDouble());
}
