using System.Security.Cryptography;
using System.Text.RegularExpressions;
using WebManager.Agent.State;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Node;

/// <summary>Images come in file by file under D/incoming and become visible as a whole by one rename into D/images/{name}/{version}.</summary>
public sealed partial class ImageStore(NodeFolder folder, EventHub events) : IDisposable
{
    private readonly SemaphoreSlim _publishing = new(1, 1);

    public void Dispose() => _publishing.Dispose();

    public IReadOnlyList<ImageRef> List() => new ImageCatalog(folder.Images).List();

    /// <summary>The file's SHA-256, lower-case hex.</summary>
    public async Task<Outcome<string>> TakeAsync(string name, string version, string file, Stream body, CancellationToken ct)
    {
        if (Check(name, "name") is { } a) return a;
        if (Check(version, "version") is { } b) return b;
        if (Check(file, "file") is { } c) return c;
        Directory.CreateDirectory(folder.Incoming);
        // Two uploads of one file must not mix: each writes its own and the last one to finish stays. Beside the image's folder, which
        // another upload of the same image may publish meanwhile.
        var part = Path.Combine(folder.Incoming, $"{Guid.NewGuid():N}.part");
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using (var to = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                var buffer = new byte[1 << 16];
                int read;
                while ((read = await body.ReadAsync(buffer, ct)) > 0)
                {
                    hash.AppendData(buffer, 0, read);
                    await to.WriteAsync(buffer.AsMemory(0, read), ct);
                }

                to.Flush(flushToDisk: true);
            }

            await ArriveAsync(part, Path.Combine(folder.Incoming, name, version), file, ct);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            File.Delete(part);
        }
    }

    private async Task ArriveAsync(string part, string home, string file, CancellationToken ct)
    {
        await _publishing.WaitAsync(ct);
        try
        {
            Directory.CreateDirectory(home);
            File.Move(part, Path.Combine(home, file), overwrite: true);
        }
        finally
        {
            _publishing.Release();
        }
    }

    public async Task<Outcome<Done>> PublishAsync(PublishImageOrder order, CancellationToken ct)
    {
        if (Check(order.Name, "name") is { } a) return a;
        if (Check(order.Version, "version") is { } b) return b;
        await _publishing.WaitAsync(ct);
        try
        {
            var (incoming, home) = (Path.Combine(folder.Incoming, order.Name, order.Version), Path.Combine(folder.Images, order.Name, order.Version));
            var published = Directory.Exists(home);
            foreach (var (file, sha256) in order.Files)
            {
                if (Check(file, "files") is { } wrong) return wrong;
                if (await VerifyAsync(Path.Combine(published ? home : incoming, file), file, sha256, published, ct) is { } incomplete) return incomplete;
            }

            if (published)
            {
                // What a second upload brought after the first was published.
                if (Directory.Exists(incoming)) Directory.Delete(incoming, recursive: true);
                return Done.Value;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(home)!);
            Directory.Move(incoming, home);
            DurableFile.SyncFolder(Path.GetDirectoryName(home)!);
            events.Tell("image.added", null, $"Image {order.Name} {order.Version} is on this node.");
            return Done.Value;
        }
        finally
        {
            _publishing.Release();
        }
    }

    private static async Task<Refusal?> VerifyAsync(string path, string file, string sha256, bool published, CancellationToken ct)
    {
        if (!File.Exists(path)) return published ? Taken(file) : new Refusal("image.incomplete", $"{file} has not been uploaded.", "Upload it, then publish.") { Field = "files" };
        await using var stream = File.OpenRead(path);
        var found = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, ct));
        if (found == sha256) return null;
        return published ? Taken(file) : new Refusal("image.incomplete", $"{file} arrived as {found}, not as {sha256}.", "Upload it again.") { Field = "files" };
    }

    private static Refusal Taken(string file) =>
        new("image.exists", $"This version is on the node already, with another {file}.", "Give the new image a new version.") { Field = "version" };

    private static Refusal? Check(string name, string field) => Names().IsMatch(name) ? null
        : new Refusal("image.name", $"'{name}' is not allowed: letters, digits, dot, dash, underscore, at most 64, not beginning with a dot.") { Field = field };

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Names();
}
