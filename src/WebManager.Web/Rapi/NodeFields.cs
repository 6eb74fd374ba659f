// Nodes and node groups in Ganeti's words.
using System.Text.Json;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <summary>A node as stored and as it is now, and the instances on it, by name.</summary>
internal sealed record NodeSeen(Node Stored, NodeRow Row, Picture Now, IReadOnlyList<Instance> Primaries, IReadOnlyList<Instance> Secondaries)
{
    public bool Answers => Row.Health is NodeHealth.Online or NodeHealth.Suspect;

    /// <summary>What the running instances leave; stopped ones take no memory, as in Ganeti.</summary>
    public long FreeMiB => Math.Max(0, Row.MemoryMiB - Primaries.Where(i => i.Wanted == AdminState.Up).Sum(i => (long)i.MemoryMiB));
}

/// <summary>Names: its nodes, sorted.</summary>
internal sealed record GroupSeen(NodeGroup Stored, Picture Now, IReadOnlyList<string> Names);

internal static class NodeFields
{
    public static readonly Fields<NodeSeen> All = new([.. Plain(), .. Live(), .. Params()],
        "name offline master_candidate drained dtotal dfree sptotal spfree mtotal mnode mfree pinst_cnt sinst_cnt ctotal cnos cnodes csockets pip sip role pinst_list sinst_list "
        + "master_capable vm_capable ndparams group.uuid ctime mtime uuid serial_no tags");

    public static Guid IdOf(Node node, Picture now) => Json.IdOf($"{now.Cluster.Id} node {node.Name} {node.JoinedAt.UtcTicks}");

    /// <summary>No node is the master: the portal is. O and D as in Ganeti; all others are regular.</summary>
    public static string Role(Node node) => node.Offline ? "O" : node.Drained || node.Maintenance is not null ? "D" : "R";

    public static string RoleWord(Node node) => Role(node) switch { "O" => "offline", "D" => "drained", _ => "regular" };

    private static IEnumerable<Field<NodeSeen>> Plain() =>
    [
        new("name", (j, n) => j.WriteStringValue(n.Stored.Name)),
        new("uuid", (j, n) => j.WriteStringValue(IdOf(n.Stored, n.Now))),
        new("offline", (j, n) => j.WriteBooleanValue(n.Stored.Offline)),
        new("drained", (j, n) => j.WriteBooleanValue(Role(n.Stored) == "D")),
        new("master_candidate", (j, _) => j.WriteBooleanValue(false)),
        new("master", (j, _) => j.WriteBooleanValue(false)),
        new("master_capable", (j, _) => j.WriteBooleanValue(false)),
        new("vm_capable", (j, _) => j.WriteBooleanValue(true)),
        new("powered", (j, _) => j.WriteBooleanValue(true)),
        new("role", (j, n) => j.WriteStringValue(Role(n.Stored))),
        new("pip", (j, n) => j.WriteStringValue(Address(n.Stored))),
        new("sip", (j, n) => j.WriteStringValue(Address(n.Stored))),
        new("secondary_ip", (j, n) => j.WriteStringValue(Address(n.Stored))),
        new("pinst_cnt", (j, n) => j.WriteNumberValue(n.Primaries.Count)),
        new("sinst_cnt", (j, n) => j.WriteNumberValue(n.Secondaries.Count)),
        new("pinst_list", (j, n) => j.Texts(n.Primaries.Select(i => i.Name))),
        new("sinst_list", (j, n) => j.Texts(n.Secondaries.Select(i => i.Name))),
        new("group", (j, n) => j.WriteStringValue(n.Row.Group)),
        new("group.uuid", (j, n) => j.WriteStringValue(n.Stored.Group)),
        new("ctime", (j, n) => j.Seconds(n.Stored.JoinedAt)),
        new("mtime", (j, n) => j.Seconds(n.Stored.JoinedAt)),
        new("serial_no", (j, n) => j.WriteNumberValue(n.Stored.Revision)),
        new("tags", (j, n) => j.Texts(n.Stored.Tags)),
    ];

    private static IEnumerable<Field<NodeSeen>> Live() =>
    [
        Seen("mtotal", n => n.Row.MemoryMiB),
        Seen("mnode", _ => 0),
        Seen("mfree", n => n.FreeMiB),
        Seen("dtotal", n => n.Row.DiskMiB),
        Seen("dfree", n => Math.Max(0, n.Row.DiskMiB - n.Row.CommittedDiskMiB)),
        Seen("ctotal", n => n.Row.Cpus),
        Seen("cnos", n => n.Row.Cpus),
        Seen("cnodes", _ => 1),
        Seen("csockets", _ => 1),
        new("sptotal", (j, _) => j.WriteNullValue(), _ => 3),
        new("spfree", (j, _) => j.WriteNullValue(), _ => 3),
    ];

    private static IEnumerable<Field<NodeSeen>> Params() =>
    [
        new("ndparams", (j, _) => Static.NdParams(j)),
        new("custom_ndparams", (j, _) => j.Nothing()),
        new("ndp/spindle_count", (j, _) => j.WriteNumberValue(1)),
        new("ndp/exclusive_storage", (j, _) => j.WriteBooleanValue(false)),
    ];

    /// <summary>What only the node itself knows: null while it does not answer.</summary>
    private static Field<NodeSeen> Seen(string name, Func<NodeSeen, long> value) => new(name, (j, n) => j.Maybe(n.Answers ? value(n) : null), n => n.Stored.Offline ? 4 : 2);

    private static string Address(Node node) => node.Address.LastIndexOf(':') is > 0 and var at ? node.Address[..at].Trim('[', ']') : node.Address;
}

internal static class GroupFields
{
    public static readonly Fields<GroupSeen> All = new(Plain(),
        "alloc_policy name node_cnt node_list ipolicy custom_ipolicy diskparams custom_diskparams ndparams custom_ndparams ctime mtime uuid serial_no tags");

    private static IEnumerable<Field<GroupSeen>> Plain() =>
    [
        new("name", (j, g) => j.WriteStringValue(g.Stored.Name)),
        new("uuid", (j, g) => j.WriteStringValue(g.Stored.Id)),
        new("alloc_policy", (j, _) => j.WriteStringValue("preferred")),
        new("node_cnt", (j, g) => j.WriteNumberValue(g.Names.Count)),
        new("node_list", (j, g) => j.Texts(g.Names)),
        new("pinst_cnt", (j, g) => j.WriteNumberValue(Instances(g).Count())),
        new("pinst_list", (j, g) => j.Texts(Instances(g).Select(i => i.Name).Order(StringComparer.Ordinal))),
        new("ipolicy", (j, _) => Static.Policy(j)),
        new("custom_ipolicy", (j, _) => j.Nothing()),
        new("diskparams", (j, _) => Static.DiskParams(j)),
        new("custom_diskparams", (j, _) => j.Nothing()),
        new("ndparams", (j, _) => Static.NdParams(j)),
        new("custom_ndparams", (j, _) => j.Nothing()),
        new("ctime", (j, g) => j.Seconds(g.Stored.CreatedAt)),
        new("mtime", (j, g) => j.Seconds(g.Stored.CreatedAt)),
        new("serial_no", (j, g) => j.WriteNumberValue(g.Stored.Revision)),
        new("tags", (j, _) => j.Texts([])),
    ];

    private static IEnumerable<Instance> Instances(GroupSeen g) => g.Now.Instances.Values.Where(i => g.Names.Contains(i.Primary));
}
