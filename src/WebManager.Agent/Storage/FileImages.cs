using System.Globalization;
using System.Text.Json;
using WebManager.Contracts;

namespace WebManager.Agent.Storage;

/// <summary>Disk images of instances on this node: {instances}/{guid}/disk{n}.qcow2, on primary and secondary alike.</summary>
public sealed class FileImages(StorageOptions storage, string runFolder, string qemuImg = "qemu-img")
{
    private const long MiB = 1024 * 1024;

    public string FolderOf(Guid instance) => Path.Combine(Path.GetFullPath(storage.InstancesFolder), instance.ToString());

    public GuestPaths PathsOf(Guid instance) => GuestPaths.Of(FolderOf(instance), runFolder);

    /// <summary>Instances with a folder here.</summary>
    public IReadOnlyList<Guid> Instances() => !Directory.Exists(storage.InstancesFolder) ? [] :
        [.. Directory.EnumerateDirectories(storage.InstancesFolder).Select(f => Guid.TryParse(Path.GetFileName(f), out var id) ? id : Guid.Empty).Where(id => id != Guid.Empty)];

    /// <summary>How many disk images the instance has here.</summary>
    public int Count(Guid instance) => !Directory.Exists(FolderOf(instance)) ? 0 : Directory.EnumerateFiles(FolderOf(instance), "disk*.qcow2").Count();

    /// <summary>Makes what is missing; an image of the right size is kept with its data, another size is refused.</summary>
    public async Task<Outcome<Done>> CreateAsync(GuestSpec guest, CancellationToken ct)
    {
        var paths = PathsOf(guest.Instance);
        paths.Make();
        if (guest.Template == DiskTemplate.Diskless) return Done.Value;
        foreach (var disk in guest.Disks)
            if (await EnsureAsync(paths.Disk(disk.Index), disk, ct) is { } refusal) return refusal;
        return Done.Value;
    }

    private async Task<Refusal?> EnsureAsync(string file, DiskSpec disk, CancellationToken ct)
    {
        if (File.Exists(file)) return await CompareSizeAsync(file, disk, ct);
        if (FreeMiB() is var free && free < 1) return new Refusal("disk.no-space", "The node has no disk space left.", "Free space or choose another node.");
        // Made aside and renamed: a node that loses power half-way leaves no half image behind.
        var aside = file + ".new";
        File.Delete(aside);
        var made = await Programs.RunAsync(qemuImg, ["create", "-q", "-f", "qcow2", aside, $"{disk.SizeMiB.ToString(CultureInfo.InvariantCulture)}M"], ct);
        if (!made.Ok) return new Refusal("disk.create-failed", $"Disk {disk.Index} could not be made: {made.Why}", "Look at the node's disk.");
        File.Move(aside, file);
        return null;
    }

    private async Task<Refusal?> CompareSizeAsync(string file, DiskSpec disk, CancellationToken ct)
    {
        // -U: a running guest or an export holds the image's lock; reading its size is harmless.
        var info = await Programs.RunAsync(qemuImg, ["info", "-U", "--output=json", "-f", "qcow2", file], ct);
        if (!info.Ok) return new Refusal("disk.unreadable", $"Disk {disk.Index} cannot be read: {info.Why}", "Restore it from its copy.");
        using var json = JsonDocument.Parse(info.Output);
        var size = json.RootElement.GetProperty("virtual-size").GetInt64();
        if (size == disk.SizeMiB * MiB) return null;
        return new Refusal("disk.wrong-size", $"Disk {disk.Index} exists with {size / MiB} MiB instead of {disk.SizeMiB} MiB.", "Remove the leftover instance from the node first.");
    }

    /// <summary>Removes the instance's folder with everything in it, or all but one file. Nothing there: done.</summary>
    public void Remove(Guid instance, string? keep = null) => PathsOf(instance).Remove(keep);

    /// <summary>What guests' disks may use here in all, in MiB: the stated capacity, or the file system's size.</summary>
    public long CapacityMiB() => storage.DiskMiB ?? Drive().TotalSize / MiB;

    /// <summary>What is left of it, in MiB; images grow, so they count with their present size.</summary>
    public long FreeMiB()
    {
        var free = Drive().AvailableFreeSpace / MiB;
        return storage.DiskMiB is not { } stated ? free : Math.Min(free, Math.Max(0, stated - UsedMiB()));
    }

    private long UsedMiB() => !Directory.Exists(storage.InstancesFolder) ? 0 :
        new DirectoryInfo(storage.InstancesFolder).EnumerateFiles("*.qcow2", SearchOption.AllDirectories).Sum(f => f.Length) / MiB;

    private DriveInfo Drive()
    {
        var folder = Path.GetFullPath(storage.InstancesFolder);
        Directory.CreateDirectory(folder);
        return new DriveInfo(folder);
    }
}
