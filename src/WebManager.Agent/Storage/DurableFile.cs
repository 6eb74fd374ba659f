using System.Runtime.InteropServices;

namespace WebManager.Agent.Storage;

/// <summary>Writes a small file so that it is whole and on the disk, or not there at all, when the call returns or the power fails.</summary>
public static partial class DurableFile
{
    /// <summary>Readable by the node's user only: keys and records are nobody else's.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var aside = path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, BufferSize = 0 };
        using (var file = new FileStream(aside, options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(aside, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    // The rename itself is durable only once the folder is; .NET has no call for that.
    public static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, 0);
        if (descriptor < 0) throw new IOException($"{folder} cannot be opened to sync it.");
        var result = Fsync(descriptor);
        _ = Close(descriptor);
        if (result != 0) throw new IOException($"{folder} cannot be synced.");
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
