// One machine: power, processes, and the disk that outlives both.
using WebManager.Agent.Rules;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Testing.Simulator;

/// <summary>What a node's disk holds of one instance.</summary>
public sealed class NodeInstance(Guid id)
{
    public Guid Id { get; } = id;
    public StoredGenerations Stored { get; set; } = StoredGenerations.None;
    public GuestSpec? Spec { get; set; }
    public SimCopy? Copy { get; set; }
    public KeptNote? Kept { get; set; }

    /// <summary>How the last process under this generation ended; None: it runs or ran when the power went.</summary>
    public GuestEnd End { get; set; }
    public long GuestGeneration { get; set; }
}

public sealed class SimNode(SimWorld world, string name)
{
    private TaskCompletionSource _thawed = Completed();
    private Life _power = new();

    public SimWorld World { get; } = world;
    public string Name { get; } = name;
    public string Address => $"{Name}:5090";
    public SimClock Clock { get; } = new(world.Scheduler, world.Options.NodeClockRate(name));
    public Guid Boot { get; private set; }
    public bool Powered { get; private set; }
    public bool Frozen { get; private set; }
    public TimeSpan Now => Clock.Elapsed;

    /// <summary>What its agent states when it says hello the next time.</summary>
    public long MemoryMiB { get; set; } = world.Options.NodeMemoryMiB;

    public SimAgent? Agent { get; private set; }
    public SimKeeper? Keeper { get; private set; }
    public Dictionary<Guid, SimGuest> Guests { get; } = [];

    /// <summary>Open exports: instance to generation.</summary>
    public Dictionary<Guid, long> Exports { get; } = [];

    /// <summary>The tag in their names: candidates have numbers that others had, too.</summary>
    public Dictionary<Guid, string> ExportTags { get; } = [];

    /// <summary>Processes that wait for a migrating guest.</summary>
    public Dictionary<Guid, SimIncoming> Incoming { get; } = [];

    public SimDisk Faulty { get; } = new();

    /// <summary>H14, H15: exports of these disks take requests and never answer, while the agent beats. A guest has two: even and odd writes.</summary>
    private readonly HashSet<int> _hanging = [];
    public SlowDisk SlowDisk { get; } = new(world);

    // The disk.
    public Dictionary<Guid, NodeInstance> Disk { get; } = [];
    public Dictionary<Guid, object> Journal { get; } = [];
    public HeardEngines Engines { get; private set; } = HeardEngines.None;
    public SortedSet<string> Peers { get; } = new(StringComparer.Ordinal);

    public SimCopy? CopyOf(Guid instance) => Disk.GetValueOrDefault(instance)?.Copy;
    public StoredGenerations Stored(Guid instance) => Disk.GetValueOrDefault(instance)?.Stored ?? StoredGenerations.None;

    public Refusal? Obey(NodeRules rules, EngineRun run)
    {
        var heard = rules.Hear(Engines, run);
        // A new engine is obeyed only once it is on disk.
        if (Faulty.State && heard.Ok && heard.Value.Runs.Count != Engines.Runs.Count) return SimDisk.Refused;
        if (heard.Ok) Engines = heard.Value;
        return heard.Refusal;
    }

    public NodeInstance Instance(Guid id)
    {
        if (!Disk.TryGetValue(id, out var instance)) Disk[id] = instance = new NodeInstance(id);
        return instance;
    }

    /// <summary>A process of this node works or waits for that long; a frozen one goes on when thawed, a dead one never.</summary>
    public async Task WorkAsync(TimeSpan time, Life life)
    {
        await Clock.DelayAsync(time);
        await _thawed.Task;
        life.Check();
    }

    public Task WorkAsync(double fromMs, double toMs, Life life) => WorkAsync(World.Between(fromMs, toMs), life);

    /// <summary>Makes something durable.</summary>
    public Task StoreAsync(double fromMs, double toMs, Life life) => WorkAsync(World.Between(fromMs, toMs) + SlowDisk.More(), life);

    public async Task ThawedAsync()
    {
        var power = _power;
        await _thawed.Task;
        power.Check();
    }

    public bool PowerOn()
    {
        if (Powered) return false;
        Powered = true;
        _power = new Life();
        Boot = NewGuid();
        World.Happened("node.power", Name, "off", "on");
        foreach (var instance in Disk.Values)
        {
            // Nothing runs on a machine that has just booted. A record that a running guest went on under counts as one it ran under.
            if (instance.End == GuestEnd.None && instance.GuestGeneration > 0) (instance.End, instance.GuestGeneration) = (GuestEnd.Killed, Math.Max(instance.GuestGeneration, instance.Stored.Started));
        }

        StartKeeper();
        StartAgent();
        return true;
    }

    public bool PowerOff()
    {
        if (!Powered) return false;
        World.Happened("node.power", Name, "on", "off");
        Powered = false;
        _power.End();
        Agent?.Life.End();
        Keeper?.Life.End();
        (Agent, Keeper) = (null, null);
        foreach (var guest in Guests.Values.ToList()) guest.Vanish();
        Guests.Clear();
        Exports.Clear();
        Incoming.Clear();
        foreach (var instance in Disk.Values) instance.Copy?.LosePower(World.Random);
        Frozen = false;
        _thawed.TrySetResult();
        return true;
    }

    public bool Freeze()
    {
        if (!Powered || Frozen) return false;
        World.Happened("node.frozen", Name, "no", "yes");
        Frozen = true;
        _thawed = new TaskCompletionSource();
        foreach (var guest in Guests.Values.ToList()) guest.Changed();
        return true;
    }

    public bool Thaw()
    {
        if (!Frozen) return false;
        World.Happened("node.frozen", Name, "yes", "no");
        Frozen = false;
        foreach (var guest in Guests.Values.ToList()) guest.Changed();
        _thawed.TrySetResult();
        return true;
    }

    /// <summary>What comes of an order to restart its agent.</summary>
    public SimSuccessor Successor { get; set; } = new(TimeSpan.FromSeconds(0.4));

    public bool StartAgent(HandOverReport? handedOver = null)
    {
        if (!Powered || Agent is not null) return false;
        World.Log($"{Name}: agent starts");
        Agent = new SimAgent(this, NewGuid(), handedOver);
        Agent.Begin();
        return true;
    }

    public bool CrashAgent()
    {
        if (Agent is null) return false;
        World.Log($"{Name}: agent crashes");
        Agent.End();
        Agent = null;
        return true;
    }

    public void StartKeeper()
    {
        if (!Powered || Keeper is not null) return;
        Keeper = new SimKeeper(this);
        Keeper.Begin();
    }

    /// <summary>Guests and exports die with it; it is started again after a second.</summary>
    public bool CrashKeeper(string why)
    {
        if (Keeper is not { } keeper) return false;
        World.Log($"{Name}: keeper dies ({why})");
        keeper.Life.End();
        Keeper = null;
        Exports.Clear();
        Incoming.Clear();
        foreach (var guest in Guests.Values.ToList()) guest.Ended(GuestEnd.Killed);
        Agent?.Say("keeper.lost", null, why);
        var power = _power;
        World.Spawn(async () =>
        {
            await WorkAsync(TimeSpan.FromSeconds(1), power);
            StartKeeper();
            Agent?.Bump();
        });
        return true;
    }

    public bool HangExports(int? disk)
    {
        var before = _hanging.Count;
        _hanging.UnionWith(disk is { } one ? [one % 2] : [0, 1]);
        return _hanging.Count > before;
    }

    public bool ExportsWork()
    {
        var any = _hanging.Count > 0;
        _hanging.Clear();
        return any;
    }

    /// <summary>A write of the primary's guest arrives at the export (0: only a connection). Null: nobody answers.</summary>
    public async Task<bool?> ReceiveAsync(Guid instance, long generation, int write, bool flush, string? tag = null)
    {
        if (!Powered) return null;
        await ThawedAsync();
        if (tag is not null && ExportTags.GetValueOrDefault(instance) != tag) return false;
        if (Exports.GetValueOrDefault(instance) != generation || CopyOf(instance) is not { } copy) return false;
        if (_hanging.Count > 0 && (write == 0 || _hanging.Contains(write % 2))) return null;
        if (write > 0)
        {
            World.Truth.ArrivesAt(this, instance, generation);
            if (!Faulty.Write(copy, write, World.Random)) return false;
        }

        if (!flush) return true;
        await StoreAsync(0.2, 3, _power);
        if (Exports.GetValueOrDefault(instance) != generation || Faulty.Images) return false;
        copy.Flush();
        return true;
    }

    private Guid NewGuid()
    {
        var bytes = new byte[16];
        World.Random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private static TaskCompletionSource Completed()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}

/// <summary>A disk that for a while takes long to make things durable.</summary>
public sealed class SlowDisk(SimWorld world)
{
    private TimeSpan _until;
    private TimeSpan _longest;

    public void Slow(TimeSpan until, TimeSpan longest) => (_until, _longest) = (until, longest);

    public TimeSpan More() => world.Now < _until ? _longest * world.Random.NextDouble() : TimeSpan.Zero;
}
