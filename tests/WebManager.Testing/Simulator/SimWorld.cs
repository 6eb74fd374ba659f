// The machines, the network between them and the portal, all on one scheduler and one seed; keeps the history.
using System.Globalization;
using System.Text;
using WebManager.Agent.Rules;
using WebManager.Engine;

namespace WebManager.Testing.Simulator;

public sealed record SimOptions
{
    public int Seed { get; init; } = 1;
    public RuleSwitches Rules { get; init; } = RuleSwitches.All;
    public double PortalClockRate { get; init; } = 1;
    public Func<string, double> NodeClockRate { get; init; } = _ => 1;
    public long NodeMemoryMiB { get; init; } = 8192;
    public long NodeDiskMiB { get; init; } = 100_000;

    /// <summary>How many times slower than usual the guests write.</summary>
    public double Pace { get; init; } = 1;

    /// <summary>Part of the pauses (SIGSTOP) that a thread hanging in the kernel holds up.</summary>
    public double StuckPart { get; init; }
    public HeartbeatOptions Heartbeat { get; init; } = new();
    public RecoveryOptions Recovery { get; init; } = new();

    /// <summary>Off: nothing is written down, which is quicker; the same seed with it on gives the same run.</summary>
    public bool KeepHistory { get; init; } = true;

    /// <summary>Every message, not only what happened.</summary>
    public bool Verbose { get; init; }
}

public sealed class SimWorld
{
    private readonly StringBuilder _history = new();
    private readonly Dictionary<string, SimNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, string> _names = [];

    public SimWorld(SimOptions options)
    {
        Options = options;
        Random = new Random(options.Seed);
        Scheduler = new DeterministicScheduler(new ManualClock());
        Network = new SimNetwork(this);
        Moments = new Moments(this);
        PortalDisk = new SlowDisk(this);
        Truth = new Truth(this);
        Database = new SimDatabase(this);
    }

    public SimOptions Options { get; }
    public Random Random { get; }
    public DeterministicScheduler Scheduler { get; }
    public SimNetwork Network { get; }
    public Truth Truth { get; }
    public Moments Moments { get; }

    /// <summary>The database's.</summary>
    public SlowDisk PortalDisk { get; }

    /// <summary>Faults that were done and changed something.</summary>
    public int Faults { get; set; }
    public SimDatabase Database { get; }

    /// <summary>Who has an account; outlives every portal, and is not in its database.</summary>
    public SimPeople People { get; } = new();
    public IReadOnlyCollection<SimNode> Nodes => [.. _nodes.Values.OrderBy(n => n.Name, StringComparer.Ordinal)];
    public TimeSpan Now => Scheduler.Clock.GetUtcNow() - ManualClock.DefaultStart;
    public string History => _history.ToString();

    /// <summary>Exceptions that the engine logged: none is expected.</summary>
    public int EngineExceptions { get; set; }

    public SimPortal? Portal { get; private set; }

    /// <summary>All portals that ever ran; most are dead.</summary>
    public List<SimPortal> Portals { get; } = [];

    /// <summary>A second portal on a copy of the data.</summary>
    public SimPortal? Twin { get; private set; }

    /// <summary>The portal whose engine works; the first one while neither does.</summary>
    public SimPortal? InCharge => Twin is { Dead: false, Engine.Halted: null } twin && Portal is null or { Dead: true } or { Engine.Halted: not null } ? Twin : Portal;

    /// <summary>Off: the database is somewhere where two portals can reach it, and only its lease keeps them apart.</summary>
    public bool OnePortalAFolder { get; set; } = true;

    /// <summary>The database was restored or copied: one record of an instance is not the only one any more.</summary>
    public bool Forked { get; set; }

    /// <summary>The last backup made.</summary>
    public SimDatabase? Backup { get; set; }

    /// <summary>Told of every step boundary of every job; may crash the portal there.</summary>
    public Action<string, string>? AtStep { get; set; }

    public async Task StartPortalAsync()
    {
        if (Portal is { Dead: false }) return;
        Portal = SimPortal.Create(this, Reached);
        await Portal.StartAsync();
    }

    private void Reached(string operation, string step)
    {
        if (Moments.Awaited) Moments.Now("step", $"{operation}/{step}");
        AtStep?.Invoke(operation, step);
    }

    /// <summary>Someone starts the portal on a copy of its data, as it is now, on another machine.</summary>
    public async Task StartTwinAsync()
    {
        if (Twin is { Dead: false }) return;
        Forked = true;
        Twin = SimPortal.Create(this, null, Database.Copy("there", Database.Lease), SimNetwork.Twin);
        await Twin.StartAsync();
    }

    /// <summary>Also while it is starting.</summary>
    public bool CrashPortal() => Portal?.Crash() ?? false;

    /// <summary>Nodes on and joined, portal up.</summary>
    public async Task BeginAsync(params string[] nodes)
    {
        foreach (var node in nodes) AddNode(node).PowerOn();
        await StartPortalAsync();
        foreach (var node in nodes)
        {
            var job = await Portal!.DoAsync(new Engine.Model.AddNode(node, Node(node).Address));
            if (job.Status != Engine.Model.JobStatus.Success) throw new InvalidOperationException($"node.add {node}: {job.Error?.Message}");
        }

        await DelayAsync(TimeSpan.FromSeconds(2));
        // A slow message may have kept one from being seen yet.
        while (Portal!.Engine.Feeds.Nodes.Current().Values.Any(n => n.Health != Engine.Model.NodeHealth.Online)) await DelayAsync(TimeSpan.FromSeconds(0.5));
    }

    /// <summary>What happened, for scenarios: (when, kind, subject, from, to).</summary>
    public List<SimEvent> Events { get; } = [];

    /// <summary>Node to what its power command does (SimPower).</summary>
    public Dictionary<string, string> PowerCommands { get; } = [];

    public SimNode AddNode(string name)
    {
        var node = new SimNode(this, name);
        _nodes.Add(name, node);
        return node;
    }

    public SimNode Node(string name) => _nodes.TryGetValue(name, out var node) ? node : throw new InvalidOperationException($"There is no node {name}.");
    public SimNode? FindNode(string name) => _nodes.GetValueOrDefault(name);

    public void Name(Guid instance, string name) => _names[instance] = name;
    public string NameOf(Guid instance) => _names.GetValueOrDefault(instance) ?? instance.ToString("N")[..6];

    public void Log(string line)
    {
        if (!Options.KeepHistory) return;
        Scheduler.CheckThread();
        _history.Append(CultureInfo.InvariantCulture, $"{Now.TotalSeconds,9:F3}  ").Append(line).Append('\n');
    }

    public void Happened(string kind, string subject, string? from, string? to)
    {
        Events.Add(new SimEvent(Now, kind, subject, from, to));
        Log($"{kind} {subject} {from ?? "-"} -> {to ?? "-"}");
        if (Moments.Awaited) Moments.Now(kind, subject);
    }

    public Task DelayAsync(TimeSpan time) => Scheduler.Clock.DelayAsync(time);

    /// <summary>Work nobody waits for. Death of its process ends it quietly; any other exception fails the run.</summary>
    public void Spawn(Func<Task> work) => _ = GuardAsync(work);

    private async Task GuardAsync(Func<Task> work)
    {
        try { await work(); }
        catch (DiedException) { }
        catch (Exception failure) { Scheduler.Fail(failure); }
    }

    /// <summary>A rule of DESIGN 6 is broken: the run ends with its history.</summary>
    public void Broken(string invariant)
    {
        Log("BROKEN: " + invariant);
        Scheduler.Fail(new InvariantBrokenException(invariant, Options.Seed, History));
    }

    public void Check(bool holds, string invariant)
    {
        if (!holds) Broken(invariant);
    }

    /// <summary>A time between the two, by the seed.</summary>
    public TimeSpan Between(double fromMs, double toMs) => TimeSpan.FromMilliseconds(fromMs + (toMs - fromMs) * Random.NextDouble());
}

public sealed record SimEvent(TimeSpan At, string Kind, string Subject, string? From, string? To);

public sealed class InvariantBrokenException(string invariant, int seed, string history)
    : Exception($"{invariant} (seed {seed})\n{Tail(history, 120)}")
{
    public string Invariant { get; } = invariant;

    private static string Tail(string history, int lines) => string.Join('\n', history.Split('\n').TakeLast(lines));
}
