// Unpacks a backup beside what a data folder has, and then puts it in its place; nothing is deleted.
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using WebManager.Cli.Api;
using WebManager.Contracts.Api;

namespace WebManager.Cli;

public sealed partial class RestoreFile : IDisposable
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly string _folder;
    private readonly string _fresh;
    private readonly FileStream _lock;

    private RestoreFile(string folder, FileStream held) => (_folder, _fresh, _lock) = (folder, Path.Combine(folder, "restore-in-progress"), held);

    /// <summary>Takes the portal's own lock, so that none runs there, nor starts meanwhile.</summary>
    public static RestoreFile Begin(string folder)
    {
        MakeFolder(folder);
        try
        {
            var restore = new RestoreFile(folder, new FileStream(Path.Combine(folder, "portal.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            restore.Clear();
            return restore;
        }
        catch (IOException)
        {
            throw new WmException(ExitCode.Refused, $"A portal uses {folder}.", remedy: "Stop it first.");
        }
    }

    /// <summary>Everything is read and checked before anything in the folder changes.</summary>
    public async Task<BackupManifest> UnpackAsync(string file, CancellationToken ct)
    {
        MakeFolder(_fresh);
        BackupManifest? manifest = null;
        try
        {
            await using var packed = new GZipStream(new FileStream(file, FileMode.Open, FileAccess.Read), CompressionMode.Decompress);
            await using var tar = new TarReader(packed);
            while (await tar.GetNextEntryAsync(copyData: false, ct) is { } entry)
            {
                if (!Known().IsMatch(entry.Name) || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) throw NoBackup(file, $"it has {Text.Plain(entry.Name)}");
                if (entry.Name == BackupManifest.File) manifest = await ReadAsync(entry, file, ct);
                else if (manifest is null) throw NoBackup(file, "it does not say what it is");
                else await KeepAsync(entry, ct);
            }
        }
        catch (Exception ex) when (ex is InvalidDataException or EndOfStreamException or JsonException or FormatException)
        {
            throw NoBackup(file, ex.Message);
        }
        if (manifest is null || !File.Exists(Path.Combine(_fresh, BackupManifest.Database))) throw NoBackup(file, "it has no database");
        return manifest;
    }

    /// <summary>The database last: without one the folder is a new portal's, with a wrong one it would be a mixture. Where the old things are; null: there were none.</summary>
    public string? Swap(DateTimeOffset now)
    {
        var aside = Path.Combine(_folder, $"before-restore-{now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}");
        string[] database = [BackupManifest.Database, BackupManifest.Database + "-wal", BackupManifest.Database + "-shm"];
        var old = database.Concat(BackupManifest.Folders).Where(n => Path.Exists(Path.Combine(_folder, n))).ToList();
        if (old.Count > 0) MakeFolder(aside);
        foreach (var name in old) Directory.Move(Path.Combine(_folder, name), Path.Combine(aside, name));
        foreach (var name in BackupManifest.Folders.Where(n => Directory.Exists(Path.Combine(_fresh, n)))) Directory.Move(Path.Combine(_fresh, name), Path.Combine(_folder, name));
        File.Move(Path.Combine(_fresh, BackupManifest.Database), Path.Combine(_folder, BackupManifest.Database));
        return old.Count > 0 ? aside : null;
    }

    public void Dispose()
    {
        Clear();
        _lock.Dispose();
    }

    private static async Task<BackupManifest> ReadAsync(TarEntry entry, string file, CancellationToken ct)
    {
        var manifest = entry.DataStream is { } json ? await JsonSerializer.DeserializeAsync(json, CliJson.Default.BackupManifest, ct) : null;
        return manifest is { Format: BackupManifest.Current } ? manifest : throw NoBackup(file, $"it is of format {manifest?.Format}, this wm reads {BackupManifest.Current}");
    }

    private async Task KeepAsync(TarEntry entry, CancellationToken ct)
    {
        var path = Path.Combine(_fresh, entry.Name);
        MakeFolder(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var kept = new FileStream(path, options);
        if (entry.DataStream is { } bytes) await bytes.CopyToAsync(kept, ct);
        kept.Flush(flushToDisk: true);
    }

    private void Clear()
    {
        if (Directory.Exists(_fresh)) Directory.Delete(_fresh, recursive: true);
    }

    private static void MakeFolder(string path)
    {
        Directory.CreateDirectory(path);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, FolderMode);
    }

    private static WmException NoBackup(string file, string why) => new(ExitCode.Refused, $"{file} is no backup of a portal: {why}.", remedy: "Give a file that wm backup made.");

    [GeneratedRegex(@"\A(manifest\.json|webmanager\.db|(ca|keys)/[A-Za-z0-9_-][A-Za-z0-9._-]{0,200})\z")]
    private static partial Regex Known();
}
