// The portal's own folder: database, keys, CA, local token. Nobody else may read it.
namespace WebManager.Web.Data;

/// <summary>Paths below the data folder. Only one portal may use a folder at a time.</summary>
public sealed class DataFolder : IDisposable
{
    public const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    public const UnixFileMode SecretMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string LockName = "portal.lock";
    private FileStream? _lock;
    private string? _place;

    public DataFolder(string path)
    {
        Root = Path.GetFullPath(path);
        MakeFolder(Root);
    }

    public string Root { get; }
    public string Database => Path.Combine(Root, "webmanager.db");

    public string Folder(string name)
    {
        var path = Path.Combine(Root, name);
        MakeFolder(path);
        return path;
    }

    /// <summary>Held until the process ends, however it ends.</summary>
    public void Lock()
    {
        try { _lock ??= new FileStream(Path.Combine(Root, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
        catch (IOException ex) { throw new InvalidOperationException($"Another portal uses {Root}. Stop it, or set WEBMANAGER_DATA to another folder.", ex); }
    }

    /// <summary>This process is the one portal of this folder.</summary>
    public bool Locked => _lock is not null;

    /// <summary>
    /// Which folder this is: the machine and the lock file itself, by its number and the time it was made. A copy, a restored folder or another
    /// machine's is another place, whatever its path.
    /// </summary>
    public string Place => _place ??= FileIdentity.Of(Path.Combine(Root, LockName));

    public string? ReadText(string name)
    {
        var path = Path.Combine(Root, name);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }

    /// <summary>Writes a file that only this user can read, whole or not at all.</summary>
    public void WriteSecret(string name, string text)
    {
        var path = Path.Combine(Root, name);
        var fresh = path + ".new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) { options.UnixCreateMode = SecretMode; }
        using (var file = new FileStream(fresh, options))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, path, overwrite: true);
    }

    public void Remove(string name) => File.Delete(Path.Combine(Root, name));

    public void Dispose() => _lock?.Dispose();

    private static void MakeFolder(string path)
    {
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(path, FolderMode); }
    }
}
