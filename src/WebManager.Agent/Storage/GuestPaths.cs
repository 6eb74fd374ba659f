using System.Security.Cryptography;
using System.Text;

namespace WebManager.Agent.Storage;

/// <summary>Where the files of one instance lie. Sockets move to a short folder when a unix socket's 107 bytes would not hold the path.</summary>
public sealed record GuestPaths(string Folder, string Sockets)
{
    private string _ending = "sock";
    private const int SocketPathLimit = 107;
    private const string LongestSocketName = "replica.sock";

    public string Seed => Path.Combine(Folder, "seed.iso");
    public string SerialLog => Path.Combine(Folder, "serial.log");
    public string QemuLog => Path.Combine(Folder, "qemu.log");
    public string ReplicaLog => Path.Combine(Folder, "replica.log");
    public string ReplicaMarker => Path.Combine(Folder, "replica.json");
    public string Run => Path.Combine(Folder, "run.json");
    public string Qmp => Path.Combine(Sockets, $"qmp.{_ending}");
    public string Serial => Path.Combine(Sockets, $"serial.{_ending}");
    public string Vnc => Path.Combine(Sockets, $"vnc.{_ending}");
    public string CopySocket => Path.Combine(Sockets, "copy.sock");
    public string ReplicaQmp => Path.Combine(Sockets, LongestSocketName);

    public string Disk(int index) => Path.Combine(Folder, $"disk{index}.qcow2");

    /// <summary>Paths for an instance's folder, always absolute: QEMU may run in another working directory.</summary>
    public static GuestPaths Of(string folder, string runFolder)
    {
        folder = Path.GetFullPath(folder);
        if (Encoding.UTF8.GetByteCount(Path.Combine(folder, LongestSocketName)) <= SocketPathLimit) return new GuestPaths(folder, folder);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(folder)))[..16];
        return new GuestPaths(folder, Path.Combine(Path.GetFullPath(runFolder), hash));
    }

    /// <summary>For a process that waits for a migrating guest: sockets of its own.</summary>
    public GuestPaths Waiting() => this with { _ending = "wait" };

    /// <summary>What waited has become the guest: its sockets are found under the guest's names from here on. Connections do not notice.</summary>
    public GuestPaths Settle()
    {
        var settled = this with { _ending = "sock" };
        foreach (var (from, to) in new[] { (Qmp, settled.Qmp), (Serial, settled.Serial), (Vnc, settled.Vnc) }) File.Move(from, to, overwrite: true);
        return settled;
    }

    /// <summary>Makes the folders, for this user only: sockets are as powerful as the guest's power switch.</summary>
    public void Make()
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("Nodes run Linux.");
        Directory.CreateDirectory(Folder, OwnerOnly);
        if (Sockets != Folder) Directory.CreateDirectory(Sockets, OwnerOnly);
    }

    /// <param name="keep">A file in the folder that stays, and the folder with it.</param>
    public void Remove(string? keep = null)
    {
        if (Directory.Exists(Folder)) Clear(keep);
        if (Sockets != Folder && Directory.Exists(Sockets)) Directory.Delete(Sockets, recursive: true);
    }

    private void Clear(string? keep)
    {
        if (keep is null || !File.Exists(Path.Combine(Folder, keep)))
        {
            Directory.Delete(Folder, recursive: true);
            return;
        }

        foreach (var file in Directory.EnumerateFiles(Folder).Where(f => Path.GetFileName(f) != keep)) File.Delete(file);
        foreach (var folder in Directory.EnumerateDirectories(Folder)) Directory.Delete(folder, recursive: true);
    }
}
