// The engine's only ways to the world. Web implements them for real, the simulator on the ManualClock.
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Model;

namespace WebManager.Engine.Ports;

/// <summary>The way to one node's agent. Never throws for the network: a call that got no answer is refused with code node.unreachable.</summary>
public interface INodeLink
{
    /// <summary>Sends the call; a refusal of the agent comes back as it is. No answer within the limit: node.unreachable (it may still have been carried out).</summary>
    Task<Outcome<TReply>> CallAsync<TReply>(IAgentCall<TReply> call, TimeSpan limit, CancellationToken ct);

    /// <summary>The agent's event stream until it breaks (then it ends); the caller opens it anew.</summary>
    IAsyncEnumerable<AgentEvent> EventsAsync(CancellationToken ct);
}

/// <summary>Links by node; the address is the node's stored host:port.</summary>
public interface INodeLinks
{
    INodeLink To(string node, string address);
}

/// <summary>The images that instances can be made from, and their way to the nodes.</summary>
public interface IImageCatalog
{
    IReadOnlyList<ImageInfo> Images { get; }

    /// <summary>Brings the newest version to the node if it lacks it.</summary>
    Task<Outcome<Done>> EnsureOnNodeAsync(ImageInfo image, AgentHello hello, INodeLink link, CancellationToken ct);
}

/// <param name="MinMemoryMiB">Refuses instances with less.</param>
/// <param name="OsParams">Names of the parameters the image understands.</param>
public sealed record ImageInfo(string Name, string Version, string Description, int MinMemoryMiB, IReadOnlyList<string> OsParams);

/// <summary>Who has an account. Asked at every decision: it answers from memory.</summary>
public interface IPeople
{
    Person? Find(string idOrName);

    /// <summary>Raised when somebody's name, or what an account may at all, has changed.</summary>
    event Action? Changed;
}

/// <summary>Random values, so that a simulator's seed gives the same history.</summary>
public interface IRandomness
{
    /// <summary>16 random hex digits.</summary>
    string NewTag();
    Guid NewGuid();

    /// <summary>A locally administered MAC address, aa:00:00:xx:xx:xx like Ganeti's.</summary>
    string NewMac();

    /// <summary>An SSH host key pair for a new guest: OpenSSH private key file; null where none is to be made.</summary>
    string? NewSshHostKey();
}

/// <summary>What is durable. CommitAsync returns only after the transaction is on stable storage, or throws and nothing of it is.</summary>
public interface IClusterStore
{
    Task<StoredState> LoadAsync(CancellationToken ct);
    Task CommitAsync(Changes changes, CancellationToken ct);

    /// <summary>The lease as it is stored now; null: nobody ever held it.</summary>
    Task<EngineLease?> LeaseAsync(CancellationToken ct);

    /// <summary>Where this database lies. Another place than the stored one: it was moved, copied or restored.</summary>
    string Place { get; }

    /// <summary>Whether the holder's process has certainly ended, so that nobody need wait for its lease.</summary>
    bool IsGone(EngineLease lease);
    Task<IReadOnlyList<JobLogLine>> JobLogAsync(long job, CancellationToken ct);

    /// <summary>Jobs newest first, from before the id, archived ones too; null: from the newest.</summary>
    Task<IReadOnlyList<Job>> JobsAsync(long? before, int limit, CancellationToken ct);

    /// <param name="sees">Asked of who filed a job and what it is about; null: all may be seen.</param>
    Task<IReadOnlyList<Job>> FindJobsAsync(JobQuery query, Func<string, IReadOnlyList<string>, DateTimeOffset?, bool>? sees, CancellationToken ct);
    Task<Job?> JobAsync(long id, CancellationToken ct);
    Task<IReadOnlyList<ClusterEvent>> EventsAsync(long? before, int limit, CancellationToken ct);

    /// <summary>The owner's lines of the ledger, newest first.</summary>
    Task<IReadOnlyList<Charge>> ChargesAsync(string owner, int limit, CancellationToken ct);
}

/// <summary>All instances, nodes and node groups, the jobs that have not ended, the last 200 ended ones that are not archived and the last 500 events.</summary>
public sealed record StoredState(Cluster? Cluster, IReadOnlyList<Node> Nodes, IReadOnlyList<Instance> Instances, IReadOnlyList<Job> Jobs,
    IReadOnlyList<ClusterEvent> Events, long LastJobId, long LastEventId)
{
    public IReadOnlyList<NodeGroup> Groups { get; init; } = [];
    public IReadOnlyList<UserGroup> UserGroups { get; init; } = [];
    public IReadOnlyList<Grant> Grants { get; init; } = [];
    public IReadOnlyList<Holding> Holdings { get; init; } = [];
    public IReadOnlyList<OwnerLimits> Quotas { get; init; } = [];
    public IReadOnlyList<UserRequest> UserRequests { get; init; } = [];
    public IReadOnlyList<SshKey> SshKeys { get; init; } = [];
    public IReadOnlyList<InstanceTemplate> Templates { get; init; } = [];

    /// <summary>The newest of those that were removed.</summary>
    public IReadOnlyList<Guid> Removed { get; init; } = [];
}

/// <summary>
/// One transaction. Rows are written whole; a row's Revision must be one more than the stored one (new rows: 1), otherwise the commit
/// throws RevisionConflictException and nothing of it is stored. Removals name the key. With a Holder: LeaseLostException, and nothing is
/// stored, unless the lease is that holder's.
/// </summary>
public sealed class Changes
{
    public Cluster? Cluster { get; set; }
    public List<Node> Nodes { get; } = [];
    public List<string> NodesRemoved { get; } = [];
    public List<NodeGroup> Groups { get; } = [];
    public List<Guid> GroupsRemoved { get; } = [];
    public List<Instance> Instances { get; } = [];
    public List<Guid> InstancesRemoved { get; } = [];

    /// <summary>Goes with InstancesRemoved; ClusterState adds it.</summary>
    public List<RemovedInstance> Removed { get; } = [];
    public List<Job> Jobs { get; } = [];
    public List<JobLogLine> JobLog { get; } = [];
    public List<ClusterEvent> Events { get; } = [];
    public List<AuditEntry> Audit { get; } = [];
    public List<UserGroup> UserGroups { get; } = [];
    public List<Guid> UserGroupsRemoved { get; } = [];
    public List<Grant> Grants { get; } = [];

    /// <summary>Keys of grants.</summary>
    public List<string> GrantsRemoved { get; } = [];
    public List<Holding> Holdings { get; } = [];
    public List<OwnerLimits> Quotas { get; } = [];

    /// <summary>Owners whose limits are everybody's again.</summary>
    public List<string> QuotasRemoved { get; } = [];
    public List<Charge> Charges { get; } = [];
    public List<UserRequest> UserRequests { get; } = [];
    public List<SshKey> SshKeys { get; } = [];
    public List<Guid> SshKeysRemoved { get; } = [];
    public List<InstanceTemplate> Templates { get; } = [];
    public List<Guid> TemplatesRemoved { get; } = [];
    public EngineLease? Lease { get; set; }

    /// <summary>Ended jobs that leave the recent ones.</summary>
    public ArchiveOrder? Archive { get; set; }

    /// <summary>The engine that commits; null: whoever (tools, tests).</summary>
    public Guid? Holder { get; set; }
}

/// <summary>The one job, or all that ended before; those that have not ended, or are archived already, stay as they are.</summary>
public sealed record ArchiveOrder(DateTimeOffset At)
{
    public long? Job { get; init; }
    public DateTimeOffset? EndedBefore { get; init; }

    public bool Means(Job job) => job is { Ended: true, ArchivedAt: null } && (job.Id == Job || job.EndedAt < EndedBefore);
}

/// <summary>Jobs to look for, newest first; what is not given does not matter. Times are those of filing. Archived: those too.</summary>
public sealed record JobQuery
{
    /// <summary>Part of what it was, of whom, why or its error; capitals do not matter.</summary>
    public string? Text { get; init; }
    public IReadOnlyList<JobStatus> Statuses { get; init; } = [];

    /// <summary>"instance:web1", "node:n1".</summary>
    public string? Subject { get; init; }

    /// <summary>Who filed it, by name or id.</summary>
    public string? User { get; init; }
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }
    public bool Archived { get; init; }
    public long? Before { get; init; }
    public int Limit { get; init; } = 100;
}

/// <summary>Another engine holds the database (R5), or this one stands still for another reason: it changes nothing more.</summary>
public sealed class LeaseLostException() : Exception("Another engine holds this database.");

public sealed class RevisionConflictException(string row) : Exception($"Someone changed {row} first.");

/// <summary>Out-of-band power of nodes: a management board, a switched socket.</summary>
public interface IPowerControl
{
    /// <summary>Whether there is a command for this node.</summary>
    bool Can(string node);

    /// <summary>Runs it. Success is what the command says within its time limit; that alone confirms nothing, the node must stay silent too.</summary>
    Task<Outcome<Done>> PowerOffAsync(string node, CancellationToken ct);
}

/// <summary>Told before and after each step boundary of a job; tests end the process there to show that recovery works.</summary>
public interface IStepObserver
{
    void At(string operation, string step);
}
