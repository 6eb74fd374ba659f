// A node's disk that answers with errors (S10).
using WebManager.Contracts;

namespace WebManager.Testing.Simulator;

public sealed class SimDisk
{
    public static readonly Refusal Refused = new("agent.failed", "No space is left on the node's disk.");

    /// <summary>Images take no writes and no flushes; what they have can be read.</summary>
    public bool Images { get; private set; }

    /// <summary>It is full: the agent and the keeper can write nothing down, either. Only that is found by the agent itself.</summary>
    public bool State { get; private set; }

    /// <summary>A guest whose image failed ended here then; see DiskProbe.</summary>
    public TimeSpan? Told { get; set; }

    /// <param name="how">on: images. full: everything. off.</param>
    public bool Set(string how)
    {
        var before = (Images, State);
        (Images, State) = (how != "off", how == "full");
        return before != (Images, State);
    }

    /// <summary>False: an error. It may have reached the disk all the same.</summary>
    public bool Write(SimCopy copy, int n, Random random)
    {
        if (!Images || random.Next(2) == 0) copy.Write(n);
        return !Images;
    }
}
