// Parameters that Ganeti has and this cluster does not: told with the values that say what holds here, so that its clients find every name they look for.
using System.Text.Json;
using WebManager.Engine.Operations;

namespace WebManager.Web.Rapi;

internal static class Static
{
    private static readonly byte[] s_nd = """{"oob_program":"","spindle_count":1,"exclusive_storage":false,"ovs":false,"ovs_name":"switch1","ovs_link":"","ssh_port":22,"cpu_speed":1}"""u8.ToArray();

    private static readonly byte[] s_disk = """
        {"blockdev":{},"diskless":{},"drbd":{"c-delay-target":1,"c-fill-target":0,"c-max-rate":61440,"c-min-rate":4096,"c-plan-ahead":20,"data-stripes":1,"disk-barriers":"n","disk-custom":"","dynamic-resync":false,"meta-barriers":false,"meta-stripes":1,"metavg":"xenvg","net-custom":"","protocol":"C","resync-rate":61440},"ext":{"access":"kernelspace"},"file":{},"gluster":{"access":"kernelspace","host":"127.0.0.1","port":24007,"volume":"gv0"},"plain":{"stripes":1},"rbd":{"access":"kernelspace","pool":"rbd"},"sharedfile":{}}
        """u8.ToArray();

    // No ratio is enforced here: a figure that no cluster reaches, so that no client's plan is cut short by it.
    private static readonly byte[] s_policy = System.Text.Encoding.UTF8.GetBytes($$$"""
        {"minmax":[{"min":{"memory-size":1,"disk-size":1,"disk-count":0,"cpu-count":1,"nic-count":0,"spindle-use":0},"max":{"memory-size":16777216,"disk-size":{{{Rules.MaxDiskMiB}}},"disk-count":{{{Rules.MaxDisks}}},"cpu-count":{{{Rules.MaxVcpus}}},"nic-count":1,"spindle-use":12}}],"std":{"memory-size":128,"disk-size":1024,"disk-count":1,"cpu-count":1,"nic-count":1,"spindle-use":1},"spindle-ratio":10000,"vcpu-ratio":10000,"disk-templates":["drbd","file","diskless"]}
        """);

    public static void NdParams(Utf8JsonWriter json) => json.WriteRawValue(s_nd, skipInputValidation: true);
    public static void DiskParams(Utf8JsonWriter json) => json.WriteRawValue(s_disk, skipInputValidation: true);
    public static void Policy(Utf8JsonWriter json) => json.WriteRawValue(s_policy, skipInputValidation: true);
}
