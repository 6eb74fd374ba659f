using System.ComponentModel.DataAnnotations;

namespace WebManager.Agent.Storage;

/// <summary>Where instances live on this node, and how other nodes reach their copies.</summary>
public sealed class StorageOptions
{
    /// <summary>The folder with one folder per instance.</summary>
    public string InstancesFolder { get; set; } = "instances";

    /// <summary>Images as {folder}/{name}/{version}/image.json.</summary>
    public string ImagesFolder { get; set; } = "images";

    /// <summary>Stated capacity for disks in MiB; null: what the file system has.</summary>
    [Range(1, long.MaxValue)] public long? DiskMiB { get; set; }

    /// <summary>The address other nodes reach this node's exports at.</summary>
    public string ReplicaHost { get; set; } = "127.0.0.1";

    [Range(1, 65535)] public int FirstReplicaPort { get; set; } = 10809;
    [Range(1, 65535)] public int ReplicaPorts { get; set; } = 2000;

    /// <summary>How long one storage daemon may take to answer before it is replaced by another, once.</summary>
    [Range(typeof(TimeSpan), "00:00:00.5", "00:01:00")] public TimeSpan ExporterStart { get; set; } = TimeSpan.FromSeconds(5);
}
