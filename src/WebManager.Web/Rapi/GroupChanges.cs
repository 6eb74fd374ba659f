// Node groups, tags, and the cluster's own parameters.
using WebManager.Contracts;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

internal static class GroupChanges
{
    public static async Task<ReadOnlyMemory<byte>> Add(RapiCall call)
    {
        var op = (await Opcodes.ReadAsync(call, "GROUP_ADD", [], ("name", "group_name"))).Only("group_name alloc_policy");
        Preferred(op);
        return await Submits.AsJobAsync(call, op, new AddGroup(op.Text("group_name")!));
    }

    public static async Task<ReadOnlyMemory<byte>> Remove(RapiCall call) =>
        await Submits.AsJobAsync(call, (await ReadAsync(call, "GROUP_REMOVE")).Only("group_name"), new RemoveGroup(call.Name));

    public static async Task<ReadOnlyMemory<byte>> Rename(RapiCall call)
    {
        var op = (await ReadAsync(call, "GROUP_RENAME")).Only("group_name new_name");
        return await Submits.AsJobAsync(call, op, new RenameGroup(call.Name, op.Text("new_name")!));
    }

    public static async Task<ReadOnlyMemory<byte>> Assign(RapiCall call)
    {
        var op = (await ReadAsync(call, "GROUP_ASSIGN_NODES")).Only("group_name nodes");
        return await Submits.AsJobAsync(call, op, new AssignNodes(call.Name, op.Texts("nodes")) { Force = op.Flag("force") });
    }

    /// <summary>Every group is preferred, which may be said again; the rest of Ganeti's parameters comes with the policies.</summary>
    public static async Task<ReadOnlyMemory<byte>> Modify(RapiCall call)
    {
        var op = (await ReadAsync(call, "GROUP_SET_PARAMS")).Only("group_name alloc_policy");
        Preferred(op);
        return Seen.Group(call.Engine, call.Sight, call.Name) is null ? call.Parts.Answers.Add(call, op, new Refusal("group.unknown", $"Group '{call.Name}' not found"))
            : op.Text("alloc_policy") is null ? call.Parts.Answers.Add(call, op, new Refusal("group.nothing-to-change", "Please pass at least one modification") { Field = "alloc_policy" })
            : call.Parts.Answers.Add(call, op, Array.Empty<object>());
    }

    private static void Preferred(Opcode op)
    {
        if (op.Text("alloc_policy") is { } policy and not "preferred") { throw RapiError.Missing($"The allocation policy {policy} is not here yet: every group is preferred"); }
    }

    private static Task<Opcode> ReadAsync(RapiCall call, string name) => Opcodes.ReadAsync(call, name, [("group_name", call.Name)],
        ("custom_ndparams", "ndparams"), ("custom_ipolicy", "ipolicy"), ("custom_diskparams", "diskparams"));
}

internal static class TagChanges
{
    public static Task<ReadOnlyMemory<byte>> AddToCluster(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_SET", "cluster", out var tags), new AddClusterTags(tags));
    public static Task<ReadOnlyMemory<byte>> RemoveFromCluster(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_DEL", "cluster", out var tags), new RemoveClusterTags(tags));
    public static Task<ReadOnlyMemory<byte>> AddToNode(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_SET", "node", out var tags), new AddNodeTags(call.Name, tags));
    public static Task<ReadOnlyMemory<byte>> RemoveFromNode(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_DEL", "node", out var tags), new RemoveNodeTags(call.Name, tags));

    public static Task<ReadOnlyMemory<byte>> AddToInstance(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_SET", "instance", out var tags), new AddInstanceTags(call.Name, tags));
    public static Task<ReadOnlyMemory<byte>> RemoveFromInstance(RapiCall call) => Submits.AsJobAsync(call, OpcodeOf(call, "TAGS_DEL", "instance", out var tags), new RemoveInstanceTags(call.Name, tags));

    public static Task<ReadOnlyMemory<byte>> None(RapiCall call) => throw RapiError.Missing("Node groups have no tags so far");

    private static Opcode OpcodeOf(RapiCall call, string name, string kind, out IReadOnlyList<string> tags)
    {
        tags = call.All("tag");
        if (tags.Count == 0) { throw new RapiError(400, $"Please specify tag(s) to {(name == "TAGS_SET" ? "add" : "remove")} using the the 'tag' parameter"); }
        return Opcodes.Of(name, ("kind", kind), ("tags", tags), ("name", kind == "cluster" ? null : call.Name)) with { DryRun = call.DryRun };
    }
}

internal static class ClusterChanges
{
    private static readonly string[] s_forbidden = ["compression_tools"];

    /// <summary>Read as Ganeti reads it; none of its parameters is one of this cluster's, which are changed in the portal.</summary>
    public static async Task<ReadOnlyMemory<byte>> Modify(RapiCall call)
    {
        foreach (var p in (await call.ObjectAsync()).EnumerateObject())
        {
            if (s_forbidden.Contains(p.Name)) { throw new RapiError(403, $"The parameter {p.Name} cannot be set via RAPI"); }
        }
        var op = (await Opcodes.ReadAsync(call, "CLUSTER_SET_PARAMS", [])).Only("");
        return call.Parts.Answers.Add(call, op, new Refusal("cluster.nothing-to-change", "Nothing was given to change") { Field = "parameters" });
    }

    /// <summary>Nodes keep no copy of the configuration, so every one of them is up to date.</summary>
    public static async Task<ReadOnlyMemory<byte>> Redistribute(RapiCall call) => !call.Sight.ClusterAdmin || call.Caller.ReadOnly ? throw new RapiError(403, "You may not do that.")
        : call.Parts.Answers.Add(call, await Opcodes.ReadAsync(call, "CLUSTER_REDIST_CONF", []), null, "Nodes keep no copy of the configuration: there is nothing to distribute.");
}
