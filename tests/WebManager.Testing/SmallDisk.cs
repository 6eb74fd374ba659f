// A small filesystem of its own at a folder, so that "no space left on device" is real. Needs root.
using System.Diagnostics;
using System.Globalization;

namespace WebManager.Testing;

public sealed class SmallDisk : IDisposable
{
    private readonly string _folder;
    private readonly List<string> _fillers = [];

    private SmallDisk(string folder) => _folder = folder;

    /// <summary>Mounted over the folder, with what the folder had. Null: this user may not mount.</summary>
    public static SmallDisk? TryMount(string folder, int mib)
    {
        Directory.CreateDirectory(folder);
        var aside = folder.TrimEnd('/') + ".aside";
        Run("cp", "-a", folder, aside);
        var mounted = Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={mib}m"), "small", folder);
        if (mounted) Run("cp", "-a", aside + "/.", folder);
        Directory.Delete(aside, recursive: true);
        return mounted ? new SmallDisk(folder) : null;
    }

    /// <summary>Takes all space but a little.</summary>
    public void Fill(int leaveKiB = 0)
    {
        var filler = Path.Combine(_folder, $"filler-{_fillers.Count}");
        _fillers.Add(filler);
        using var file = new FileStream(filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var left = new DriveInfo(_folder).AvailableFreeSpace - leaveKiB * 1024L;
        try
        {
            for (var piece = new byte[4096]; left > 0; left -= piece.Length) file.Write(piece);
        }
        catch (IOException)
        {
            // Somebody else took the rest.
        }
    }

    public void Free()
    {
        foreach (var filler in _fillers) File.Delete(filler);
        _fillers.Clear();
    }

    /// <summary>What still uses it keeps it; the folder is as it was before.</summary>
    public void Dispose() => Run("umount", "-l", _folder);

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
