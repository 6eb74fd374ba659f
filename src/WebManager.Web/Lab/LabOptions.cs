// The lab's settings, section Lab; docs/lab.md explains them.
using System.ComponentModel.DataAnnotations;

namespace WebManager.Web.Lab;

public sealed class LabOptions
{
    /// <summary>Run a virtual cluster on this machine. run.sh turns it on.</summary>
    public bool Enabled { get; set; }

    /// <summary>How many nodes, n1 and up.</summary>
    [Range(1, 9)] public int Nodes { get; set; } = 3;

    /// <summary>What each node says it has; the engine never gives out more.</summary>
    [Range(64, 1 << 20)] public int MemoryMiB { get; set; } = 1024;
    [Range(64, 1 << 24)] public int DiskMiB { get; set; } = 4096;
    [Range(1, 256)] public int Cpus { get; set; } = 2;

    /// <summary>The first two numbers of the lab's network; the third is chosen by the data folder. Without root 127.77 is used instead.</summary>
    [RegularExpression(@"\d{1,3}\.\d{1,3}")] public string Network { get; set; } = "10.77";

    /// <summary>The port of each node's agent.</summary>
    [Range(1, 65535)] public int AgentPort { get; set; } = 7070;

    /// <summary>The folder of the agent's program; empty: the one built beside the portal.</summary>
    public string Agent { get; set; } = "";

    /// <summary>auto, kvm, tcg or fake; how the nodes run guests.</summary>
    [RegularExpression("auto|kvm|tcg|fake")] public string Hypervisor { get; set; } = "auto";

    /// <summary>Stop the nodes when the portal is stopped in the ordinary way (Ctrl-C). A killed portal never stops them.</summary>
    public bool StopNodes { get; set; } = true;
}
