// Tells one file from a copy of it: the machine, the inode and when that was made.
using System.Globalization;
using System.Runtime.InteropServices;

namespace WebManager.Web.Data;

internal static partial class FileIdentity
{
    // struct statx is the same on every architecture; offsets from linux/stat.h.
    private const int Size = 256, InodeAt = 32, BirthAt = 80, CurrentFolder = -100;
    private const uint InodeAndBirth = 0x100 | 0x800;

    /// <summary>The file's path stands in where the kernel cannot tell more.</summary>
    public static string Of(string path)
    {
        var machine = File.Exists("/etc/machine-id") ? File.ReadAllText("/etc/machine-id").Trim() : Environment.MachineName;
        Span<byte> stat = stackalloc byte[Size];
        if (!OperatingSystem.IsLinux() || Statx(CurrentFolder, path, 0, InodeAndBirth, ref MemoryMarshal.GetReference(stat)) != 0) { return $"{machine} {path}"; }
        var (inode, seconds, nanoseconds) = (MemoryMarshal.Read<ulong>(stat[InodeAt..]), MemoryMarshal.Read<long>(stat[BirthAt..]), MemoryMarshal.Read<uint>(stat[(BirthAt + 8)..]));
        return string.Create(CultureInfo.InvariantCulture, $"{machine} {inode} {seconds}.{nanoseconds:D9}");
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte buffer);
}
