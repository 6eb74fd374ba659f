// An instance in Ganeti's words.
using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine.Live;
using WebManager.Engine.Model;

namespace WebManager.Web.Rapi;

/// <summary>An instance as stored and as it is now, with what it takes from its primary node.</summary>
internal sealed record InstanceSeen(Instance Stored, InstanceRow Row, Picture Now, HypervisorKind? Kind)
{
    public bool Runs => Row.Status is InstanceStatus.Running or InstanceStatus.Migrating or InstanceStatus.Paused or InstanceStatus.ErrorUp;
    public bool NodeAnswers => Row.Status is not (InstanceStatus.NodeDown or InstanceStatus.NodeOffline or InstanceStatus.Recovering);
}

internal static class InstanceFields
{
    private const int MostNics = 8, MostDisks = 16;

    public static readonly Fields<InstanceSeen> All = new([.. Plain(), .. Sizes(), .. Nics(), .. Disks(), .. Indexed()],
        "name admin_state os pnode snodes disk_template nic.ips nic.macs nic.modes nic.uuids nic.names nic.links nic.networks nic.networks.names nic.bridges network_port disk.sizes disk.spindles "
        + "disk_usage disk.uuids disk.names beparams hvparams oper_state oper_ram oper_vcpus status custom_hvparams custom_beparams custom_nicparams ctime mtime uuid serial_no tags");

    public static string Status(InstanceSeen i) => i.Row.Status switch
    {
        InstanceStatus.Running or InstanceStatus.Migrating or InstanceStatus.Paused => "running",
        InstanceStatus.AdminDown => "ADMIN_down",
        InstanceStatus.ErrorUp => "ERROR_up",
        InstanceStatus.NodeDown or InstanceStatus.Recovering => "ERROR_nodedown",
        InstanceStatus.NodeOffline => "ERROR_nodeoffline",
        InstanceStatus.ErrorDown or InstanceStatus.Failed => "ERROR_down",
        // On its way: Ganeti calls what is not there (yet) by what is wanted.
        InstanceStatus.Creating or InstanceStatus.Starting or InstanceStatus.Removing => i.Stored.Wanted == AdminState.Up ? "ERROR_down" : "ADMIN_down",
    };

    /// <summary>A mirror is Ganeti's drbd: two copies on two nodes, each write confirmed by both.</summary>
    public static string Template(DiskTemplate template) => template switch
    {
        DiskTemplate.Diskless => "diskless",
        DiskTemplate.File => "file",
        DiskTemplate.Mirror => "drbd",
    };

    /// <summary>tcg is KVM's QEMU without the processor's help; its instances take the same parameters.</summary>
    public static string Hypervisor(HypervisorKind? kind) => kind == HypervisorKind.Fake ? "fake" : "kvm";

    private static IEnumerable<Field<InstanceSeen>> Plain() =>
    [
        new("name", (j, i) => j.WriteStringValue(i.Stored.Name)),
        new("uuid", (j, i) => j.WriteStringValue(i.Stored.Id)),
        new("admin_state", (j, i) => j.WriteStringValue(i.Stored.Wanted == AdminState.Up ? "up" : "down")),
        new("admin_state_source", (j, _) => j.WriteStringValue("admin")),
        new("admin_up", (j, i) => j.WriteBooleanValue(i.Stored.Wanted == AdminState.Up)),
        new("os", (j, i) => j.WriteStringValue(i.Stored.Image)),
        new("pnode", (j, i) => j.WriteStringValue(i.Stored.Primary)),
        new("pnode.group", (j, i) => j.WriteStringValue(i.Now.GroupOf(i.Stored.Primary)?.Name)),
        new("pnode.group.uuid", (j, i) => WriteId(j, i.Now.GroupOf(i.Stored.Primary)?.Id)),
        new("snodes", (j, i) => j.Texts(Secondary(i))),
        new("snodes.group", (j, i) => j.Texts(Secondary(i).Select(n => i.Now.GroupOf(n)?.Name))),
        new("snodes.group.uuid", (j, i) => j.Texts(Secondary(i).Select(n => i.Now.GroupOf(n)?.Id.ToString()))),
        new("disk_template", (j, i) => j.WriteStringValue(Template(i.Stored.Template))),
        new("disks_active", (j, i) => j.WriteBooleanValue(i.Runs)),
        new("hypervisor", (j, i) => j.WriteStringValue(Hypervisor(i.Kind))),
        new("hvparams", (j, _) => j.Nothing()),
        new("custom_hvparams", (j, _) => j.Nothing()),
        new("osparams", (j, i) => OsParams(j, i.Stored)),
        new("custom_osparams", (j, i) => OsParams(j, i.Stored)),
        new("network_port", (j, _) => j.WriteNullValue(), _ => 3),
        new("console", (j, _) => j.WriteNullValue(), _ => 3),
        new("forthcoming", (j, _) => j.WriteBooleanValue(false)),
        new("status", (j, i) => j.WriteStringValue(Status(i))),
        new("oper_state", (j, i) => j.Maybe(i.NodeAnswers ? i.Runs : null), i => i.Row.Status == InstanceStatus.NodeOffline ? 4 : 2),
        new("oper_ram", (j, i) => j.Maybe(i.Runs ? i.Stored.MemoryMiB : null), Absent),
        new("oper_vcpus", (j, i) => j.Maybe(i.Runs ? i.Stored.Vcpus : null), Absent),
        new("ctime", (j, i) => j.Seconds(i.Stored.CreatedAt)),
        new("mtime", (j, i) => j.Seconds(i.Stored.CreatedAt)),
        new("serial_no", (j, i) => j.WriteNumberValue(i.Stored.Revision)),
        new("tags", (j, i) => j.Texts(i.Row.Tags)),
    ];

    private static IEnumerable<Field<InstanceSeen>> Sizes() =>
    [
        new("beparams", (j, i) => BeParams(j, i, withAlias: true)),
        new("custom_beparams", (j, i) => CustomBeParams(j, i.Stored)),
        new("be/maxmem", (j, i) => j.WriteNumberValue(i.Stored.MemoryMiB)),
        new("be/minmem", (j, i) => j.WriteNumberValue(i.Stored.MemoryMiB)),
        new("be/memory", (j, i) => j.WriteNumberValue(i.Stored.MemoryMiB)),
        new("be/vcpus", (j, i) => j.WriteNumberValue(i.Stored.Vcpus)),
        new("vcpus", (j, i) => j.WriteNumberValue(i.Stored.Vcpus)),
        new("be/auto_balance", (j, i) => j.WriteBooleanValue(!i.Stored.RecoveryOff)),
        new("be/always_failover", (j, _) => j.WriteBooleanValue(false)),
        new("be/spindle_use", (j, _) => j.WriteNumberValue(1)),
    ];

    private static IEnumerable<Field<InstanceSeen>> Nics() =>
    [
        new("nic.count", (j, i) => j.WriteNumberValue(i.Stored.Nics.Count)),
        new("nic.ips", (j, i) => j.Texts(i.Stored.Nics.Select(Ip))),
        new("nic.macs", (j, i) => j.Texts(i.Stored.Nics.Select(n => n.Mac))),
        new("nic.modes", (j, i) => j.Texts(i.Stored.Nics.Select(Mode))),
        new("nic.uuids", (j, i) => j.Texts(i.Stored.Nics.Select(n => NicId(i.Stored, n)))),
        new("nic.names", (j, i) => j.Texts(i.Stored.Nics.Select(_ => (string?)null))),
        new("nic.links", (j, i) => j.Texts(i.Stored.Nics.Select(Link))),
        new("nic.vlans", (j, i) => j.Texts(i.Stored.Nics.Select(_ => ""))),
        new("nic.networks", (j, i) => j.Texts(i.Stored.Nics.Select(_ => (string?)null))),
        new("nic.networks.names", (j, i) => j.Texts(i.Stored.Nics.Select(_ => (string?)null))),
        new("nic.bridges", (j, i) => j.Texts(i.Stored.Nics.Select(Link))),
        new("custom_nicparams", (j, i) => NicParams(j, i.Stored)),
        new("ip", (j, i) => j.WriteStringValue(i.Stored.Nics.Count > 0 ? Ip(i.Stored.Nics[0]) : null), _ => 3),
        new("mac", (j, i) => j.WriteStringValue(i.Stored.Nics.Count > 0 ? i.Stored.Nics[0].Mac : null), _ => 3),
    ];

    private static IEnumerable<Field<InstanceSeen>> Disks() =>
    [
        new("disk.count", (j, i) => j.WriteNumberValue(i.Stored.Disks.Count)),
        new("disk.sizes", (j, i) => j.Numbers(i.Stored.Disks.Select(d => (long?)d.SizeMiB))),
        new("disk.spindles", (j, i) => j.Numbers(i.Stored.Disks.Select(_ => (long?)null))),
        new("disk.uuids", (j, i) => j.Texts(i.Stored.Disks.Select(d => d.Id.ToString()))),
        new("disk.names", (j, i) => j.Texts(i.Stored.Disks.Select(_ => (string?)null))),
        new("disk_usage", (j, i) => j.WriteNumberValue(i.Stored.DiskMiB)),
    ];

    private static IEnumerable<Field<InstanceSeen>> Indexed()
    {
        for (var n = 0; n < MostNics; n++)
        {
            var at = n;
            yield return new($"nic.ip/{n}", (j, i) => j.WriteStringValue(i.Stored.Nics.ElementAtOrDefault(at) is { } nic ? Ip(nic) : null), _ => 3);
            yield return new($"nic.mac/{n}", (j, i) => j.WriteStringValue(i.Stored.Nics.ElementAtOrDefault(at)?.Mac), _ => 3);
            yield return new($"nic.mode/{n}", (j, i) => j.WriteStringValue(i.Stored.Nics.ElementAtOrDefault(at) is { } nic ? Mode(nic) : null), _ => 3);
            yield return new($"nic.link/{n}", (j, i) => j.WriteStringValue(i.Stored.Nics.ElementAtOrDefault(at) is { } nic ? Link(nic) : null), _ => 3);
        }
        for (var n = 0; n < MostDisks; n++)
        {
            var at = n;
            yield return new($"disk.size/{n}", (j, i) => j.Maybe(i.Stored.Disks.ElementAtOrDefault(at)?.SizeMiB), _ => 3);
            yield return new($"disk.uuid/{n}", (j, i) => WriteId(j, i.Stored.Disks.ElementAtOrDefault(at)?.Id), _ => 3);
        }
    }

    private static int Absent(InstanceSeen i) => i.Row.Status == InstanceStatus.NodeOffline ? 4 : i.NodeAnswers ? 3 : 2;

    private static IEnumerable<string> Secondary(InstanceSeen i) => i.Stored.Secondary is { } s ? [s] : [];

    private static string? Ip(NicSpec nic) => nic.Ip?.Split('/')[0];

    /// <summary>Without an address of the cluster it is QEMU's own user-mode network, which is routed by the host.</summary>
    public static string Mode(NicSpec nic) => nic.Ip is null ? "routed" : "bridged";

    public static string Link(NicSpec nic) => nic.Ip is null ? "user" : "bridge";

    public static string NicId(Instance i, NicSpec nic) => Json.IdOf($"{i.Id} nic {nic.Index}").ToString();

    private static void WriteId(Utf8JsonWriter json, Guid? id)
    {
        if (id is { } there) { json.WriteStringValue(there); } else { json.WriteNullValue(); }
    }

    public static void OsParams(Utf8JsonWriter json, Instance i)
    {
        json.WriteStartObject();
        foreach (var (name, value) in i.OsParams) { json.WriteString(name, value); }
        json.WriteEndObject();
    }

    public static void BeParams(Utf8JsonWriter json, InstanceSeen i, bool withAlias)
    {
        json.WriteStartObject();
        json.WriteNumber("minmem", i.Stored.MemoryMiB);
        json.WriteNumber("maxmem", i.Stored.MemoryMiB);
        json.WriteNumber("vcpus", i.Stored.Vcpus);
        json.WriteBoolean("auto_balance", !i.Stored.RecoveryOff);
        json.WriteBoolean("always_failover", false);
        json.WriteNumber("spindle_use", 1);
        if (withAlias) { json.WriteNumber("memory", i.Stored.MemoryMiB); }
        json.WriteEndObject();
    }

    public static void CustomBeParams(Utf8JsonWriter json, Instance i)
    {
        json.WriteStartObject();
        json.WriteNumber("minmem", i.MemoryMiB);
        json.WriteNumber("maxmem", i.MemoryMiB);
        json.WriteNumber("vcpus", i.Vcpus);
        if (i.RecoveryOff) { json.WriteBoolean("auto_balance", false); }
        json.WriteEndObject();
    }

    private static void NicParams(Utf8JsonWriter json, Instance i)
    {
        json.WriteStartArray();
        foreach (var nic in i.Nics)
        {
            json.WriteStartObject();
            json.WriteString("mode", Mode(nic));
            json.WriteString("link", Link(nic));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
