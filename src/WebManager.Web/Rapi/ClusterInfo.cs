// /2/info: the cluster, with every name that Ganeti's answer has.
using System.Runtime.InteropServices;
using System.Text.Json;
using WebManager.Web.Hosting;

namespace WebManager.Web.Rapi;

internal static class ClusterInfo
{
    /// <summary>Clients choose by it how they speak.</summary>
    public const string GanetiVersion = "3.0.2";

    // Names that have one value here, whatever happens; in Ganeti's order they stand after the hypervisors.
    private const string Rest = """
        "os_hvp":{},"candidate_pool_size":10,"max_running_jobs":20,"max_tracked_jobs":25,"mac_prefix":"aa:00:00","master_netmask":32,"use_external_mip_script":false,
        "volume_group_name":null,"drbd_usermode_helper":null,"shared_file_storage_dir":"","gluster_storage_dir":"","uid_pool":[],"default_iallocator":"webmanager",
        "default_iallocator_params":{},"reserved_lvs":[],"primary_ip_version":4,"prealloc_wipe_disks":false,"hidden_os":[],"blacklisted_os":[],
        "enabled_disk_templates":["diskless","drbd","file"],"install_image":"","instance_communication_network":"","zeroing_image":"","compression_tools":["gzip","gzip-fast","gzip-slow"],
        "enabled_user_shutdown":false,"enabled_data_collectors":{"cpu-avg-load":false,"diskstats":false,"drbd":false,"inst-status-xen":false,"lv":false,"xen-cpu-avg-load":false},
        "data_collector_interval":{"cpu-avg-load":5000000,"diskstats":5000000,"drbd":5000000,"inst-status-xen":5000000,"lv":5000000,"xen-cpu-avg-load":5000000},
        "modify_ssh_setup":false,"ssh_key_type":"rsa","ssh_key_bits":2048,"vg_name":null,"drbd_helper":null,
        "beparams":{"default":{"minmem":128,"maxmem":128,"vcpus":1,"auto_balance":true,"always_failover":false,"spindle_use":1}},"osparams":{},
        "nicparams":{"default":{"mode":"bridged","link":"bridge","vlan":""}},"file_storage_dir":"instances","master_netdev":""
        """;

    private static readonly JsonProperty[] s_rest = [.. JsonElement.Parse("{" + Rest + "}").EnumerateObject()];

    public static Task<ReadOnlyMemory<byte>> Read(RapiCall call) => Task.FromResult(Json.Of(json =>
    {
        json.WriteStartObject();
        Versions(json);
        Cluster(json, call);
        foreach (var property in s_rest) { property.WriteTo(json); }
        json.WriteEndObject();
    }));

    private static void Versions(Utf8JsonWriter json)
    {
        json.WriteString("software_version", GanetiVersion);
        json.WriteNumber("protocol_version", 3000000);
        json.WriteNumber("config_version", 3000000);
        json.WriteNumber("os_api_version", 20);
        json.WriteNumber("export_version", 0);
        json.WriteString("vcs_version", $"WebManager {PortalVersion.Own}, answering as Ganeti {GanetiVersion}");
        json.WriteStartArray("architecture");
        json.WriteStringValue("64bits");
        json.WriteStringValue(RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64");
        json.WriteEndArray();
    }

    /// <summary>The portal is; htools will have the name of a node, so it is told the first. Who sees no nodes gets the cluster's name.</summary>
    private static string Master(RapiCall call) => Seen.Nodes(call.Engine, call.Sight).FirstOrDefault()?.Stored.Name ?? call.Engine.Cluster.Name;

    private static void Cluster(Utf8JsonWriter json, RapiCall call)
    {
        var (cluster, hypervisor) = (call.Engine.Cluster, InstanceFields.Hypervisor(Seen.KindOf(call.Engine)));
        json.WriteString("name", cluster.Name);
        json.WriteString("master", Master(call));
        json.WriteString("default_hypervisor", hypervisor);
        json.WriteStartArray("enabled_hypervisors");
        json.WriteStringValue(hypervisor);
        json.WriteEndArray();
        json.WriteStartObject("hvparams");
        json.WriteStartObject(hypervisor);
        json.WriteString("migration_mode", "live");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteBoolean("maintain_node_health", !cluster.RecoveryOff);
        json.WritePropertyName("ctime");
        json.Seconds(cluster.CreatedAt);
        json.WritePropertyName("mtime");
        json.Seconds(cluster.CreatedAt);
        json.WriteString("uuid", cluster.Id);
        json.WritePropertyName("tags");
        json.Texts(cluster.Tags);
        json.WritePropertyName("ipolicy");
        Static.Policy(json);
        json.WritePropertyName("ndparams");
        Static.NdParams(json);
        json.WritePropertyName("diskparams");
        Static.DiskParams(json);
    }
}
