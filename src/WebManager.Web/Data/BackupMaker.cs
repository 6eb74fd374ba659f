// A backup while the portal runs: SQLite's own copy of the database, and the secrets that it is of no use without, as one gzipped tar.
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using WebManager.Contracts;
using WebManager.Contracts.Api;
using WebManager.Engine.Model;

namespace WebManager.Web.Data;

internal sealed class BackupMaker(DataFolder folder, TimeProvider time)
{
    /// <summary>An open file that is gone from the folder already; closing it frees it.</summary>
    public async Task<Stream> MakeAsync(string cluster, string version, CancellationToken ct)
    {
        var scratch = Path.Combine(folder.Folder("backup-in-progress"), Guid.NewGuid().ToString("n"));
        var database = scratch + ".db";
        try
        {
            var madeAt = time.GetUtcNow();
            await Task.Run(() => Copy(folder.Database, database), ct);   // SQLite blocks while the disk works
            var file = new FileStream(scratch, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
            await using (var packed = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
            await using (var tar = new TarWriter(packed, TarEntryFormat.Pax))
            {
                await AddAsync(tar, BackupManifest.File, JsonSerializer.SerializeToUtf8Bytes(new BackupManifest(BackupManifest.Current, cluster, version, madeAt), WireJson.Options), ct);
                foreach (var name in BackupManifest.Folders)
                {
                    foreach (var secret in Directory.EnumerateFiles(folder.Folder(name)).Order(StringComparer.Ordinal)) { await tar.WriteEntryAsync(secret, $"{name}/{Path.GetFileName(secret)}", ct); }
                }
                await tar.WriteEntryAsync(database, BackupManifest.Database, ct);
            }
            file.Position = 0;
            return file;
        }
        finally
        {
            File.Delete(database);
        }
    }

    /// <summary>The copy says of itself that it is one, however it comes back into a data folder: the engine then asks the nodes before it decides (R5).</summary>
    private static void Copy(string from, string to)
    {
        using var source = new SqliteConnection(SqliteSettings.ConnectionString(from));
        using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = to, Pooling = false }.ToString());
        source.Open();
        target.Open();
        source.BackupDatabase(target);
        // One file, so not while it is marked; but left in WAL mode, as every database here is found: EF looks at it read-only first.
        using var mark = target.CreateCommand();
        mark.CommandText = "PRAGMA journal_mode=DELETE; UPDATE engine_leases SET Place = $place, Released = 1, Revision = Revision + 1; PRAGMA journal_mode=WAL;";
        mark.Parameters.AddWithValue("$place", EngineLease.InBackup);
        mark.ExecuteNonQuery();
    }

    private static async Task AddAsync(TarWriter tar, string name, byte[] bytes, CancellationToken ct) =>
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes), Mode = DataFolder.SecretMode }, ct);
}
