// The engine's requests as Ganeti's opcodes, for its jobs; those that Ganeti has no opcode for keep the engine's own name.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class EngineOpcodes
{
    private static readonly Dictionary<string, string> s_none = [];

    public static Opcode Of(OperationRequest request, Picture now) => request switch
    {
        CreateInstance r => Create(r),
        StartInstance r => On("INSTANCE_STARTUP", r, now),
        RestartInstance r => On("INSTANCE_STARTUP", r, now),
        StopInstance r => On("INSTANCE_SHUTDOWN", r, now, ("timeout", r.TimeoutSeconds)),
        RebootInstance r => On("INSTANCE_REBOOT", r, now, ("reboot_type", r.TimeoutSeconds == 0 ? "hard" : "full"), ("shutdown_timeout", r.TimeoutSeconds)),
        RemoveInstance r => On("INSTANCE_REMOVE", r, now),
        FailoverInstance r => On("INSTANCE_FAILOVER", r, now, ("shutdown_timeout", r.TimeoutSeconds)),
        RecoverInstance r => On("INSTANCE_FAILOVER", r, now, ("ignore_consistency", false)),
        MigrateInstance r => On("INSTANCE_MIGRATE", r, now, ("mode", "live"), ("target_node", r.To), ("allow_failover", r.AllowFailover)),
        ReplaceSecondary r => On("INSTANCE_REPLACE_DISKS", r, now, ("mode", "replace_new_secondary"), ("remote_node", r.Node)),
        ResyncInstance r => On("INSTANCE_REPLACE_DISKS", r, now, ("mode", "replace_on_secondary")),
        ModifyInstance r => On("INSTANCE_SET_PARAMS", r, now, ("beparams", r.AutoRecover is { } on ? new Dictionary<string, bool> { ["auto_balance"] = on } : null)),
        ModifyNode r => Opcodes.Of("NODE_SET_PARAMS", ("node_name", r.Node), ("offline", r.Offline), ("drained", r.Drained)),
        AddGroup r => Opcodes.Of("GROUP_ADD", ("group_name", r.Group)),
        RemoveGroup r => Opcodes.Of("GROUP_REMOVE", ("group_name", r.Group)),
        RenameGroup r => Opcodes.Of("GROUP_RENAME", ("group_name", r.Group), ("new_name", r.NewName)),
        ModifyGroup r => Opcodes.Of("GROUP_SET_PARAMS", ("group_name", r.Group)),
        AssignNodes r => Opcodes.Of("GROUP_ASSIGN_NODES", ("group_name", r.Group), ("nodes", r.Nodes), ("force", r.Force)),
        AddClusterTags r => Opcodes.Of("TAGS_SET", ("kind", "cluster"), ("tags", r.Tags)),
        RemoveClusterTags r => Opcodes.Of("TAGS_DEL", ("kind", "cluster"), ("tags", r.Tags)),
        AddNodeTags r => Opcodes.Of("TAGS_SET", ("kind", "node"), ("tags", r.Tags), ("name", r.Node)),
        AddInstanceTags r => Opcodes.Of("TAGS_SET", ("kind", "instance"), ("tags", r.Tags), ("name", r.Instance)),
        RemoveInstanceTags r => Opcodes.Of("TAGS_DEL", ("kind", "instance"), ("tags", r.Tags), ("name", r.Instance)),
        RemoveNodeTags r => Opcodes.Of("TAGS_DEL", ("kind", "node"), ("tags", r.Tags), ("name", r.Node)),
        InstanceRequest r => On(Word(r), r, now),
        NodeRequest r => Opcodes.Of(Word(r), ("node_name", r.Node)),
        _ => Opcodes.Of(Word(request)),
    };

    /// <summary>What the job's one opcode gave; null: nothing. Ganeti's create tells the nodes, its rename the name.</summary>
    public static object? ResultOf(OperationRequest request, Picture now) => request switch
    {
        CreateInstance r when now.Find(r.Instance) is { } i => new[] { i.Primary, i.Secondary }.OfType<string>(),
        RenameGroup r => r.NewName,
        ModifyNode or ModifyInstance or ModifyGroup => Array.Empty<object>(),
        _ => null,
    };

    private static Opcode On(string name, InstanceRequest request, Picture now, params (string, object?)[] more) =>
        Opcodes.Of(name, [("instance_name", request.Instance), ("instance_uuid", now.Find(request.Instance)?.Id), .. more]);

    private static Opcode Create(CreateInstance r) => Opcodes.Of("INSTANCE_CREATE", ("instance_name", r.Instance), ("mode", "create"), ("os_type", r.Image), ("disk_template", InstanceFields.Template(r.Template)),
        ("disks", r.DisksMiB.Select(d => new Dictionary<string, long> { ["size"] = d }).ToList()), ("nics", new[] { new Dictionary<string, string> { ["mode"] = "bridged", ["link"] = "bridge" } }), ("pnode", r.Primary), ("snode", r.Secondary), ("start", r.Start),
        ("beparams", new Dictionary<string, int> { ["maxmem"] = r.MemoryMiB, ["minmem"] = r.MemoryMiB, ["vcpus"] = r.Vcpus }), ("osparams", r.OsParams.ToDictionary()),
        ("osparams_private", s_none), ("osparams_secret", s_none));

    // "user-group.set-member" -> USER_GROUP_SET_MEMBER
    private static string Word(OperationRequest request) => request.Name.ToUpperInvariant().Replace('.', '_').Replace('-', '_');
}
