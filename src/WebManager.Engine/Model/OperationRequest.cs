// Everything that can be asked of the cluster, one record an operation. Every face hands these to the door.
using System.Text.Json.Serialization;
using WebManager.Contracts;

namespace WebManager.Engine.Model;

[JsonPolymorphic(TypeDiscriminatorPropertyName = "op")]
[JsonDerivedType(typeof(CreateInstance), "instance.create")]
[JsonDerivedType(typeof(StartInstance), "instance.start")]
[JsonDerivedType(typeof(StopInstance), "instance.stop")]
[JsonDerivedType(typeof(RebootInstance), "instance.reboot")]
[JsonDerivedType(typeof(RemoveInstance), "instance.remove")]
[JsonDerivedType(typeof(FailoverInstance), "instance.failover")]
[JsonDerivedType(typeof(MigrateInstance), "instance.migrate")]
[JsonDerivedType(typeof(CleanUpMigration), "instance.migrate-cleanup")]
[JsonDerivedType(typeof(RecoverInstance), "instance.recover")]
[JsonDerivedType(typeof(DegradeInstance), "instance.degrade")]
[JsonDerivedType(typeof(ResyncInstance), "instance.resync")]
[JsonDerivedType(typeof(RestartInstance), "instance.restart")]
[JsonDerivedType(typeof(ConfirmInstance), "instance.confirm")]
[JsonDerivedType(typeof(ReplaceSecondary), "instance.replace-secondary")]
[JsonDerivedType(typeof(CleanInstance), "instance.clean")]
[JsonDerivedType(typeof(AddNode), "node.add")]
[JsonDerivedType(typeof(RemoveNode), "node.remove")]
[JsonDerivedType(typeof(ModifyInstance), "instance.modify")]
[JsonDerivedType(typeof(ModifyNode), "node.modify")]
[JsonDerivedType(typeof(MaintainNode), "node.maintenance")]
[JsonDerivedType(typeof(RestartAgent), "node.restart-agent")]
[JsonDerivedType(typeof(PowerOffNode), "node.power-off")]
[JsonDerivedType(typeof(AddNodeTags), "node.add-tags")]
[JsonDerivedType(typeof(RemoveNodeTags), "node.remove-tags")]
[JsonDerivedType(typeof(AddGroup), "group.add")]
[JsonDerivedType(typeof(RemoveGroup), "group.remove")]
[JsonDerivedType(typeof(RenameGroup), "group.rename")]
[JsonDerivedType(typeof(ModifyGroup), "group.modify")]
[JsonDerivedType(typeof(AssignNodes), "group.assign-nodes")]
[JsonDerivedType(typeof(AddClusterTags), "cluster.add-tags")]
[JsonDerivedType(typeof(RemoveClusterTags), "cluster.remove-tags")]
[JsonDerivedType(typeof(ModifyCluster), "cluster.modify")]
[JsonDerivedType(typeof(UnfreezeCluster), "cluster.unfreeze")]
[JsonDerivedType(typeof(AddUserGroup), "user-group.add")]
[JsonDerivedType(typeof(RenameUserGroup), "user-group.rename")]
[JsonDerivedType(typeof(RemoveUserGroup), "user-group.remove")]
[JsonDerivedType(typeof(SetMember), "user-group.set-member")]
[JsonDerivedType(typeof(RemoveMember), "user-group.remove-member")]
[JsonDerivedType(typeof(ForgetUser), "user.forget")]
[JsonDerivedType(typeof(AskQuota), "request.quota")]
[JsonDerivedType(typeof(AskMembership), "request.membership")]
[JsonDerivedType(typeof(DecideRequest), "request.decide")]
[JsonDerivedType(typeof(WithdrawRequest), "request.withdraw")]
[JsonDerivedType(typeof(AddSshKey), "ssh-key.add")]
[JsonDerivedType(typeof(RemoveSshKey), "ssh-key.remove")]
[JsonDerivedType(typeof(SetGrant), "grant.set")]
[JsonDerivedType(typeof(SetQuota), "quota.set")]
[JsonDerivedType(typeof(RecountQuota), "quota.recount")]
[JsonDerivedType(typeof(ChangeOwner), "instance.change-owner")]
[JsonDerivedType(typeof(AddInstanceTags), "instance.add-tags")]
[JsonDerivedType(typeof(RemoveInstanceTags), "instance.remove-tags")]
[JsonDerivedType(typeof(AdoptInstance), "instance.adopt")]
[JsonDerivedType(typeof(AddTemplate), "template.add")]
[JsonDerivedType(typeof(ModifyTemplate), "template.modify")]
[JsonDerivedType(typeof(CopyTemplate), "template.copy")]
[JsonDerivedType(typeof(RemoveTemplate), "template.remove")]
[JsonDerivedType(typeof(TemplateFromInstance), "template.from-instance")]
[JsonDerivedType(typeof(CreateFromTemplate), "instance.create-from-template")]
[JsonDerivedType(typeof(CancelJob), "job.cancel")]
[JsonDerivedType(typeof(SetJobPriority), "job.change-priority")]
[JsonDerivedType(typeof(ArchiveJob), "job.archive")]
[JsonDerivedType(typeof(ArchiveJobs), "job.auto-archive")]
[JsonDerivedType(typeof(ModifyQueue), "cluster.modify-queue")]
[JsonDerivedType(typeof(DebugDelay), "debug.delay")]
public abstract record OperationRequest
{
    /// <summary>The stable name used in jobs, rights, audit and API: "instance.create".</summary>
    [JsonIgnore] public abstract string Name { get; }

    /// <summary>What it is about, for lists: "instance:web1".</summary>
    [JsonIgnore] public abstract IReadOnlyList<string> Subjects { get; }
}

public abstract record InstanceRequest(string Instance) : OperationRequest
{
    /// <summary>The instance's name, which is a DNS name and unique in the cluster.</summary>
    public string Instance { get; init; } = Instance;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"instance:{Instance}"];
}

/// <summary>Sizes in MiB. Primary and Secondary null: the allocator chooses. Start: also start it.</summary>
public sealed record CreateInstance(string Instance, string Image, int Vcpus, int MemoryMiB, DiskTemplate Template, IReadOnlyList<long> DisksMiB) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.create";
    public string? Primary { get; init; }
    public string? Secondary { get; init; }
    public IReadOnlyList<string> SshKeys { get; init; } = [];
    public IReadOnlyDictionary<string, string> OsParams { get; init; } = new Dictionary<string, string>();
    public bool Start { get; init; } = true;
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>How many network cards it has.</summary>
    public int Nics { get; init; } = 1;

    /// <summary>The instance template that its values are from; null: none.</summary>
    public Guid? FromTemplate { get; init; }

    /// <summary>The key of who owns it and is charged; null: the caller.</summary>
    public string? Owner { get; init; }

    /// <summary>Even over the owner's quota: an administrator's word.</summary>
    public bool Force { get; init; }

    /// <summary>What is done on the host itself, without an account, belongs to nobody.</summary>
    public string OwnerFor(Caller caller) => OwnerOr(Owner, caller);

    public static string OwnerOr(string? owner, Caller caller) => owner ?? (caller.Account ? Keys.User(caller.UserId) : "");
}

public sealed record StartInstance(string Instance) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.start"; }

/// <summary>ACPI power button; what still runs after TimeoutSeconds (0 to 3600) is killed.</summary>
public sealed record StopInstance(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.stop";
    public int TimeoutSeconds { get; init; } = 30;
}

/// <summary>Stop as above, then start.</summary>
public sealed record RebootInstance(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.reboot";
    public int TimeoutSeconds { get; init; } = 30;
}

public sealed record RemoveInstance(string Instance) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.remove"; }

/// <summary>Stops the guest on the primary and starts it anew on the secondary.</summary>
public sealed record FailoverInstance(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.failover";
    public int TimeoutSeconds { get; init; } = 30;
}

/// <summary>Moves the running guest to its secondary, which is its primary from then on. AllowFailover: one that does not run is failed over instead.</summary>
public sealed record MigrateInstance(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.migrate";
    public bool AllowFailover { get; init; }

    /// <summary>Refused unless its secondary is this node: of two that were asked for, the second would move it back.</summary>
    public string? To { get; init; }
}

/// <summary>Filed by the watcher: a node still has something of a live migration that nobody carries on.</summary>
public sealed record CleanUpMigration(string Instance) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.migrate-cleanup"; }

/// <summary>Filed by the watcher: the primary is silent, or its disk fails; promote the secondary by R4.</summary>
public sealed record RecoverInstance(string Instance, long Generation) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.recover";

    /// <summary>The primary answers and its disk fails so; null: it is silent.</summary>
    public string? DiskFault { get; init; }
}

/// <summary>Filed by the watcher: a copy is lost; leave for the primary to go on alone.</summary>
public sealed record DegradeInstance(string Instance, long Generation) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.degrade"; }

/// <summary>Filed by the watcher or a person: make the secondary's copy equal.</summary>
public sealed record ResyncInstance(string Instance) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.resync"; }

/// <summary>Filed by the watcher: wanted up, ended by itself on a healthy node; start it in place.</summary>
public sealed record RestartInstance(string Instance) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.restart"; }

/// <summary>
/// A person's word, for an instance in doubt whose other node cannot answer: Node is powered off, and the copy on its other node is the one to
/// go on with (R5). Shortens no wait (H16).
/// </summary>
public sealed record ConfirmInstance(string Instance, string Node) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.confirm";
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"instance:{Instance}", $"node:{Node}"];
}

/// <summary>The other copy is made on another node. Filed by a person, or by the watcher when the secondary was lost for long. Node null: the allocator chooses.</summary>
public sealed record ReplaceSecondary(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.replace-secondary";
    public string? Node { get; init; }
}

/// <summary>Filed by the watcher: remove the old copy on a node that is none of the instance's any more.</summary>
public sealed record CleanInstance(string Instance, string Node) : InstanceRequest(Instance) { [JsonIgnore] public override string Name => "instance.clean"; }

public abstract record NodeRequest(string Node) : OperationRequest
{
    public string Node { get; init; } = Node;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"node:{Node}"];
}

/// <summary>Filed when a node's agent has joined with a valid token. Address is host:port.</summary>
public sealed record AddNode(string Node, string Address) : NodeRequest(Node) { [JsonIgnore] public override string Name => "node.add"; }

/// <summary>Refused while it holds instances.</summary>
public sealed record RemoveNode(string Node) : NodeRequest(Node) { [JsonIgnore] public override string Name => "node.remove"; }

/// <summary>Null: left as it is. AutoRecover: started on its secondary by itself when its node is lost.</summary>
public sealed record ModifyInstance(string Instance) : InstanceRequest(Instance)
{
    [JsonIgnore] public override string Name => "instance.modify";
    public bool? AutoRecover { get; init; }
    public RecoveryPriority? Priority { get; init; }
}

/// <summary>Null: left as it is. Offline: a person's word that it is gone; its instances are recovered as soon as the rules allow.</summary>
public sealed record ModifyNode(string Node) : NodeRequest(Node)
{
    [JsonIgnore] public override string Name => "node.modify";
    public bool? Offline { get; init; }
    public bool? Drained { get; init; }
}

/// <summary>
/// On: its instances move to their other nodes, and it takes none until it is off again. Return: they come back then. Rebuild: copies of instances
/// on it are made elsewhere as soon as it is silent.
/// </summary>
public sealed record MaintainNode(string Node, bool On) : NodeRequest(Node)
{
    [JsonIgnore] public override string Name => "node.maintenance";
    public bool Return { get; init; }
    public bool Rebuild { get; init; }
}

/// <summary>
/// The node's agent leaves its place to the program that is installed there by now; its guests run on. TimeoutSeconds: how long the node may be
/// silent for it before it counts as one that died.
/// </summary>
public sealed record RestartAgent(string Node) : NodeRequest(Node)
{
    public const int LeastTimeout = 5, MostTimeout = 120, UsualTimeout = 20;

    [JsonIgnore] public override string Name => "node.restart-agent";
    public int TimeoutSeconds { get; init; } = UsualTimeout;
}

/// <summary>Runs the node's power command. Confirm: the node's name once more, typed by a person.</summary>
public sealed record PowerOffNode(string Node, string Confirm) : NodeRequest(Node) { [JsonIgnore] public override string Name => "node.power-off"; }

public abstract record ClusterRequest : OperationRequest
{
    [JsonIgnore] public override IReadOnlyList<string> Subjects => ["cluster"];
}

/// <summary>
/// Null: left as it is. AutoRecover off: nothing in the cluster is started elsewhere by itself. ReplaceAfterSeconds: a secondary that was lost
/// for so long is replaced; 0: never.
/// </summary>
public sealed record ModifyCluster : ClusterRequest
{
    [JsonIgnore] public override string Name => "cluster.modify";
    public bool? AutoRecover { get; init; }
    public int? ReplaceAfterSeconds { get; init; }
}

/// <summary>Automatic recovery goes on after it had frozen.</summary>
public sealed record UnfreezeCluster : ClusterRequest { [JsonIgnore] public override string Name => "cluster.unfreeze"; }

/// <summary>Changes the tags of something.</summary>
public interface ITagsRequest
{
    IReadOnlyList<string> Tags { get; }
}

public sealed record AddClusterTags(IReadOnlyList<string> Tags) : ClusterRequest, ITagsRequest { [JsonIgnore] public override string Name => "cluster.add-tags"; }
public sealed record RemoveClusterTags(IReadOnlyList<string> Tags) : ClusterRequest, ITagsRequest { [JsonIgnore] public override string Name => "cluster.remove-tags"; }
public sealed record AddNodeTags(string Node, IReadOnlyList<string> Tags) : NodeRequest(Node), ITagsRequest { [JsonIgnore] public override string Name => "node.add-tags"; }
public sealed record RemoveNodeTags(string Node, IReadOnlyList<string> Tags) : NodeRequest(Node), ITagsRequest { [JsonIgnore] public override string Name => "node.remove-tags"; }

/// <summary>Group: a node group's name, or its id.</summary>
public abstract record GroupRequest(string Group) : OperationRequest
{
    public string Group { get; init; } = Group;
    [JsonIgnore] public override IReadOnlyList<string> Subjects => [$"group:{Group}"];
}

public sealed record AddGroup(string Group) : GroupRequest(Group) { [JsonIgnore] public override string Name => "group.add"; }

/// <summary>Refused while nodes are in it, and for the last one.</summary>
public sealed record RemoveGroup(string Group) : GroupRequest(Group) { [JsonIgnore] public override string Name => "group.remove"; }
public sealed record RenameGroup(string Group, string NewName) : GroupRequest(Group) { [JsonIgnore] public override string Name => "group.rename"; }

/// <summary>Null: left as it is. AutoRecover off: instances whose primary is in it are not started on their secondaries by themselves.</summary>
public sealed record ModifyGroup(string Group) : GroupRequest(Group)
{
    [JsonIgnore] public override string Name => "group.modify";
    public bool? AutoRecover { get; init; }
}

/// <summary>Moves nodes into the group. Refused when a mirrored instance would have its two copies in two groups, unless Force.</summary>
public sealed record AssignNodes(string Group, IReadOnlyList<string> Nodes) : GroupRequest(Group)
{
    [JsonIgnore] public override string Name => "group.assign-nodes";
    public bool Force { get; init; }
}
