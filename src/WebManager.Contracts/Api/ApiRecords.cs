// The REST API /api/v1 as records: what the portal answers and `wm` and scripts read. JSON by WireJson. Errors: application/problem+json
// (RFC 9457) with the members code, field and remedy beside title, detail and status.
namespace WebManager.Contracts.Api;

/// <summary>POST /api/v1/session: a token for a name and password. Who has a second factor is asked for its code: auth.code-required.</summary>
public sealed record LoginRequest(string User, string Password)
{
    /// <summary>Of the authenticator, or a recovery code.</summary>
    public string? Code { get; init; }
}

public sealed record LoginReply(string Token, string User);

/// <summary>GET /api/v1/cluster.</summary>
public sealed record ClusterView(string Name, string Version, int NodesOnline, int NodesAll, int InstancesRunning, int InstancesAll, string? Hypervisor)
{
    /// <summary>False: nothing is started elsewhere by itself.</summary>
    public bool AutoRecover { get; init; } = true;

    /// <summary>Since when recovery is frozen because many nodes were lost at once, and which; null: it is not.</summary>
    public DateTimeOffset? FrozenAt { get; init; }
    public string? FrozenText { get; init; }

    /// <summary>A secondary that was lost or offline for so long is replaced by itself; 0: never.</summary>
    public int ReplaceAfterSeconds { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>PATCH /api/v1/cluster; what is left out stays as it is. POST /api/v1/cluster/unfreeze takes a reason only.</summary>
public sealed record ModifyClusterRequest
{
    public bool? AutoRecover { get; init; }
    public int? ReplaceAfterSeconds { get; init; }
    public string? Reason { get; init; }
}

public sealed record ReasonRequest
{
    public string? Reason { get; init; }
}

/// <summary>GET /api/v1/nodes, /api/v1/nodes/{name}. Sizes in MiB. Health: joining, online, suspect, lost, offline.</summary>
public sealed record NodeView(string Name, string Address, string Health, bool Drained, string? Hypervisor, string? HypervisorNote, string? Version, int Cpus,
    long MemoryMiB, long DiskMiB, long FreeMemoryMiB, long FreeDiskMiB, int Primaries, int Secondaries, DateTimeOffset? LastContact, string? Note)
{
    /// <summary>Why the engine drained it by itself.</summary>
    public string? DrainedWhy { get; init; }

    /// <summary>An out-of-band power command is set up for it.</summary>
    public bool CanPowerOff { get; init; }

    /// <summary>Null: it is not in maintenance.</summary>
    public NodeMaintenanceView? Maintenance { get; init; }

    /// <summary>What is known against its disks: while there is something nothing new is placed there. Null: they work.</summary>
    public string? DiskFault { get; init; }

    /// <summary>The name of its node group.</summary>
    public string Group { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The portal's own version; an agent of another one is restarted as what is installed by now (restart-agent).</summary>
    public string? PortalVersion { get; init; }

    /// <summary>Null: no keeper answers, or it is not known yet.</summary>
    public string? KeeperVersion { get; init; }

    /// <summary>The keeper runs another program than its agent: it stays until nothing runs on the node any more.</summary>
    public bool KeeperOlder { get; init; }

    /// <summary>Null: its agent is not being restarted.</summary>
    public AgentRestartView? AgentRestart { get; init; }
}

/// <summary>The node's agent is being restarted: since when, asked by whom, for how long the node may be silent.</summary>
public sealed record AgentRestartView(DateTimeOffset Since, string By, int TimeoutSeconds, long Job);

/// <summary>POST /api/v1/nodes/{name}/restart-agent. TimeoutSeconds: how long the node may be silent, 5 to 120; 20 if left out.</summary>
public sealed record RestartAgentRequest
{
    public int? TimeoutSeconds { get; init; }
    public string? Reason { get; init; }
}

/// <summary>
/// A node's maintenance: who began it, when and why. Return: what moved away comes back afterwards. Rebuild: its copies are made elsewhere as soon
/// as it is silent. Ending: it is over, instances are still coming back.
/// </summary>
public sealed record NodeMaintenanceView(string By, DateTimeOffset Since, string Why, bool Return, bool Rebuild, bool Ending);

/// <summary>POST /api/v1/nodes/{name}/maintenance. Return and rebuild are chosen when it begins.</summary>
public sealed record MaintenanceRequest(bool On)
{
    public bool Return { get; init; }
    public bool Rebuild { get; init; }
    public string? Reason { get; init; }
}

/// <summary>
/// GET /api/v1/nodes/{name}/maintenance: what it would do, or still has to. Refused: why it cannot begin (or, in maintenance, go on) now. Leave: the
/// instances that run there; Return: those that come back at its end. Copies: instances with one copy only while the node is away.
/// </summary>
public sealed record MaintenancePlanView(string Node, string? Refused, string? Remedy, IReadOnlyList<PlannedMoveView> Leave, IReadOnlyList<PlannedMoveView> Return, IReadOnlyList<string> Copies);

/// <summary>How: migrate, failover, later (when what Why says is over), stays.</summary>
public sealed record PlannedMoveView(string Instance, string From, string? To, string How, string? Why, string? Remedy);

/// <summary>PATCH /api/v1/nodes/{name}; what is left out stays as it is.</summary>
public sealed record ModifyNodeRequest
{
    public bool? Offline { get; init; }
    public bool? Drained { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/nodes/{name}/power-off. Confirm: the node's name once more.</summary>
public sealed record PowerOffRequest(string Confirm)
{
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/nodes: a one-time join token (valid 1 hour) and the command to run on the node.</summary>
public sealed record AddNodeRequest(string Name);
public sealed record AddNodeReply(string Name, string Token, string Command, DateTimeOffset ExpiresAt);

/// <summary>
/// GET /api/v1/instances, /api/v1/instances/{nameOrId}. Sizes in MiB. Status: creating, running, starting, paused, adminDown, errorDown,
/// errorUp, nodeDown, nodeOffline, recovering, removing, failed, migrating. Mirror: none, inSync, degraded, resynchronising.
/// </summary>
public sealed record InstanceView(Guid Id, string Name, string Owner, string Image, int Vcpus, int MemoryMiB, IReadOnlyList<long> DisksMiB, string Template,
    string Primary, string? Secondary, string Wanted, string Status, string Mirror, double? MirrorPercent, string? Ip, string? Mac,
    DateTimeOffset? StartedAt, DateTimeOffset CreatedAt, long? Job, string? Text, long Generation)
{
    public bool AutoRecover { get; init; } = true;

    /// <summary>low, normal, high.</summary>
    public string Priority { get; init; } = "normal";

    /// <summary>Why it is not recovered although it could be: recover.frozen, recover.cluster-off, recover.group-off, recover.instance-off, node.no-memory; Text says it for people.</summary>
    public string? HeldBack { get; init; }

    /// <summary>Since when it is not started in place any more because it ended too often.</summary>
    public DateTimeOffset? GaveUpAt { get; init; }

    /// <summary>Which of its copies answers with errors, and how; Text says what helps.</summary>
    public string? DiskFault { get; init; }
    public RecoveryView? LastRecovery { get; init; }

    /// <summary>Its two nodes are in two node groups or share a failure domain, with what helps; null: they do not.</summary>
    public string? PairText { get; init; }

    /// <summary>Nodes that may still have a copy from when they were its secondary; removed when they answer and the present copy is whole.</summary>
    public IReadOnlyList<string> OldCopies { get; init; } = [];

    /// <summary>While it migrates: how much of its memory is sent, 0 to 100.</summary>
    public double? MigrationPercent { get; init; }

    /// <summary>With the owner's (webmanager:owner:...), which follows the owner.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Its nodes answer, and have nothing of it.</summary>
    public bool Missing { get; init; }
}

/// <summary>
/// What a recovery did. Seconds since the last sign of life of the former primary's node; null: not (yet) reached. SlackSeconds: how much longer
/// than required was waited before the start; null when nothing had to be waited for.
/// </summary>
public sealed record RecoveryView(long Job, string From, string To, long Generation, DateTimeOffset LastSignAt)
{
    public double? DetectedSeconds { get; init; }
    public double? PromotedSeconds { get; init; }
    public double? FencedSeconds { get; init; }
    public string? FencedBy { get; init; }
    public double? StartedSeconds { get; init; }
    public double? FirstSignSeconds { get; init; }
    public double? RequiredSeconds { get; init; }
    public double? WaitedSeconds { get; init; }
    public double? SlackSeconds { get; init; }
}

/// <summary>PATCH /api/v1/instances/{name}; what is left out stays as it is. Priority: low, normal, high.</summary>
public sealed record ModifyInstanceRequest
{
    public bool? AutoRecover { get; init; }
    public string? Priority { get; init; }
    public string? Reason { get; init; }
}

/// <summary>
/// POST /api/v1/instances. DisksMiB: empty for diskless. Template: the disk template: diskless, file, mirror. These fields are required, except with
/// FromTemplate: what is left out is then as the instance template says, and what differs from it is refused where it leaves no choice.
/// </summary>
public sealed record CreateInstanceRequest(string Name, string? Image = null, int? Vcpus = null, int? MemoryMiB = null, string? Template = null, IReadOnlyList<long>? DisksMiB = null)
{
    /// <summary>An instance template by name or id.</summary>
    public string? FromTemplate { get; init; }

    /// <summary>How many network cards; 1 if left out.</summary>
    public int? Nics { get; init; }
    public string? Primary { get; init; }
    public string? Secondary { get; init; }
    public IReadOnlyList<string>? SshKeys { get; init; }
    public IReadOnlyDictionary<string, string>? OsParams { get; init; }

    /// <summary>True if left out.</summary>
    public bool? Start { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>user:NAME, usergroup:NAME or nobody; null: the caller.</summary>
    public string? Owner { get; init; }

    /// <summary>Even over the owner's quota; administrators only.</summary>
    public bool Force { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/instances/{name}/start|stop|reboot|failover|resync; DELETE /api/v1/instances/{name}?reason=.</summary>
public sealed record InstanceActionRequest
{
    public int? TimeoutSeconds { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/instances/{name}/migrate: to its secondary, while it runs. AllowFailover: one that does not run is failed over instead.</summary>
public sealed record MigrateInstanceRequest
{
    public bool AllowFailover { get; init; }
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/instances/{name}/confirm: Node, one of the two of an instance in doubt, is powered off (R5).</summary>
public sealed record ConfirmInstanceRequest(string Node)
{
    public string? Reason { get; init; }
}

/// <summary>POST /api/v1/instances/{name}/replace-secondary: the other copy is made on this node; null: the cluster chooses one.</summary>
public sealed record ReplaceSecondaryRequest
{
    public string? Secondary { get; init; }
    public string? Reason { get; init; }
}

/// <summary>manifest.json, the first file in a backup (GET /api/v1/backup: a gzipped tar).</summary>
public sealed record BackupManifest(int Format, string Cluster, string Version, DateTimeOffset MadeAt)
{
    /// <summary>What this program writes and reads.</summary>
    public const int Current = 1;
    public const string File = "manifest.json", Database = "webmanager.db";

    /// <summary>Folders of secrets that go with the database.</summary>
    public static readonly IReadOnlyList<string> Folders = ["ca", "keys"];
}

/// <summary>202: the change was accepted as a job; Location names it.</summary>
public sealed record JobAccepted(long Job);

/// <summary>
/// GET /api/v1/jobs?text=&amp;status=&amp;subject=&amp;user=&amp;from=&amp;to=&amp;archived=&amp;before=&amp;limit=, /api/v1/jobs/{id}, /api/v1/jobs/{id}/wait (JobRecords). Status: queued, waiting, running, canceling, canceled, success, error.
/// </summary>
public sealed record JobView(long Id, string Operation, string Summary, string Status, string By, IReadOnlyList<string> Reason, DateTimeOffset ReceivedAt,
    DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, string? Step, string? ErrorCode, string? Error, string? Remedy)
{
    public RecoveryView? Recovery { get; init; }

    /// <summary>high, normal, low.</summary>
    public string Priority { get; init; } = "normal";
    public IReadOnlyList<JobDependencyView> Depends { get; init; } = [];
    public string? CanceledBy { get; init; }
    public DateTimeOffset? ArchivedAt { get; init; }

    /// <summary>Of its present step, 0 to 100, and of what; null: that is not measured.</summary>
    public double? Percent { get; init; }
    public string? PercentOf { get; init; }

    /// <summary>Of /wait with status or log: false when the time was up before anything changed.</summary>
    public bool? Changed { get; init; }

    /// <summary>Of /wait with log: the lines after that one.</summary>
    public IReadOnlyList<JobLogLineView>? Log { get; init; }
}

/// <summary>GET /api/v1/jobs/{id}/log?after=serial.</summary>
public sealed record JobLogLineView(int Serial, DateTimeOffset At, string Text);

/// <summary>GET /api/v1/events?before=&amp;limit=. Severity: info, warning, error.</summary>
public sealed record EventView(long Id, DateTimeOffset At, string Kind, string Severity, string Subject, string? From, string? To, string Text, long? Job);

/// <summary>GET /api/v1/images.</summary>
public sealed record ImageView(string Name, string Version, string Description, int MinMemoryMiB, IReadOnlyList<string> OsParams);

/// <summary>GET /api/v1/instances/{name}/serial?last=N: the last lines, oldest first.</summary>
public sealed record SerialView(IReadOnlyList<string> Lines);

/// <summary>
/// GET /api/v1/lab; POST /api/v1/lab/nodes/{name}/kill|start|freeze|thaw; POST /api/v1/lab/nodes/{name}/cut|heal?from=; POST /api/v1/lab/heal;
/// POST /api/v1/lab/reset. Processes: how many of that node's run. CutOff: from everything. CutFrom: from these nodes one by one.
/// State: running, frozen, down. Stopped portal: use `./run.sh` again.
/// </summary>
public sealed record LabView(bool Enabled, string? Network, IReadOnlyList<LabNodeView> Nodes);
public sealed record LabNodeView(string Name, string Address, string State, int Processes, int Cpus, long MemoryMiB, long DiskMiB)
{
    public bool CutOff { get; init; }
    public IReadOnlyList<string> CutFrom { get; init; } = [];
}
