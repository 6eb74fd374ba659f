using System.Globalization;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Keeper;
using WebManager.Agent.State;
using WebManager.Agent.Upgrade;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Who and what this node is, and how much of it is free.</summary>
public sealed class NodeIdentity(NodeConfig config, IHypervisor hypervisor, IDisks disks, ImageStore images, InstanceTable table, EpochFile epochs, AgentStart start)
{
    public static readonly string Version = ProgramVersion.Of(typeof(NodeIdentity).Assembly);

    /// <summary>Tells two builds apart, also of one version: a program is what it was compiled from.</summary>
    public static readonly string Build = typeof(NodeIdentity).Module.ModuleVersionId.ToString("n");

    private NodeLoad _load = new(0, 0, 0);

    public Guid Run { get; } = Guid.NewGuid();
    public Guid Boot { get; } = ProcFacts.BootId();
    public string Node => config.Node;
    public string Cluster => config.Cluster;

    /// <summary>Sampled in the background; a beat only reads it.</summary>
    public NodeLoad Load => Volatile.Read(ref _load);

    public AgentHello Hello() => new(config.Node, Version, Run, Boot, hypervisor.Kind, hypervisor.Version, config.Cpus ?? Environment.ProcessorCount,
        MemoryMiB, disks.CapacityMiB(), Environment.OSVersion.Version.ToString(), ["serial", "mirror", "events", "migrate", "restart", "notes"])
    {
        Images = images.List(),
        HypervisorNote = hypervisor.Note,
        Engines = epochs.Runs,
        HandOver = start.HandedOver,
    };

    public void Sample()
    {
        var used = table.All.Where(u => u.Pid is not null).Sum(u => (long)(u.Start?.Guest.MemoryMiB ?? 0));
        // What is stated counts by guests' sizes; what the machine has, by the kernel's word.
        var memory = config.MemoryMiB is { } stated ? Math.Max(0, stated - used) : MemInfo("MemAvailable");
        var load = double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
        Volatile.Write(ref _load, new NodeLoad(memory, disks.FreeMiB(), load));
    }

    private long MemoryMiB => config.MemoryMiB ?? MemInfo("MemTotal");

    private static long MemInfo(string name)
    {
        var line = File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
