// The images in the portal's own folder, and their way to the nodes.
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Engine;
using WebManager.Engine.Ports;
using WebManager.Web.Data;
using WebManager.Web.Hosting;
using WebManager.Web.Nodes;

namespace WebManager.Web.Images;

/// <summary>Section Images.</summary>
public sealed class ImagesOptions
{
    /// <summary>Folder with one folder an image: image.json, kernel, initrd. Empty: images in the data folder.</summary>
    public string Folder { get; set; } = "";

    /// <summary>How long sending one file to a node may take.</summary>
    public TimeSpan UploadLimit { get; set; } = TimeSpan.FromMinutes(10);
}

/// <summary>Looks at the folder when asked, at most once a second: an image is there once its image.json is.</summary>
public sealed class FileImageCatalog(IOptions<ImagesOptions> options, DataFolder data, IServiceProvider services, TimeProvider time, ILogger<FileImageCatalog> log) : IImageCatalog
{
    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(1);
    private readonly string _folder = options.Value.Folder.Length > 0 ? Path.GetFullPath(options.Value.Folder) : Path.Combine(data.Root, "images");
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _warned = new(StringComparer.Ordinal);
    private IReadOnlyList<Found> _found = [];
    private long? _lookedAt;

    private sealed record Stated(string Name, string Version, string? Description, int MinMemoryMiB, IReadOnlyList<string>? OsParams, string Kernel, string? Initrd);
    private sealed record Found(ImageInfo Image, string Folder, IReadOnlyList<string> Files);

    public IReadOnlyList<ImageInfo> Images => [.. Look().Select(f => f.Image)];

    public async Task<Outcome<Done>> EnsureOnNodeAsync(ImageInfo image, AgentHello hello, INodeLink link, CancellationToken ct)
    {
        if (Look().FirstOrDefault(f => f.Image.Name == image.Name) is not { } found)
            return new Refusal("image.unknown", $"There is no image {image.Name}.", $"Put it into {_folder}.") { Field = "image" };
        var (name, version) = (found.Image.Name, found.Image.Version);
        if (hello.Images.Contains(new ImageRef(name, version))) { return Done.Value; }
        if (link is not IFileLink files) { return new Refusal("image.no-way", $"Images cannot be sent to node {hello.Node}."); }
        var sums = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in found.Files)
        {
            var path = Path.Combine(found.Folder, file);
            sums[file] = await SumAsync(path, ct);
            var sent = await files.PutFileAsync($"/v1/images/{name}/{version}/{file}", path, options.Value.UploadLimit, ct);
            if (!sent.Ok) { return sent.Refusal; }
        }
        // The engine depends on the catalog, so it is asked for only now.
        var epoch = services.GetRequiredService<IClusterEngine>().Cluster.Epoch;
        var published = await link.CallAsync(new PublishImageOrder(Guid.NewGuid(), epoch, name, version, sums), TimeSpan.FromMinutes(1), ct);
        if (published.Ok) { log.ImageSent(name, version, hello.Node); }
        return published;
    }

    private IReadOnlyList<Found> Look()
    {
        lock (_gate)
        {
            if (_lookedAt is { } at && time.GetElapsedTime(at) < s_lookEvery) { return _found; }
            _lookedAt = time.GetTimestamp();
            _found = Directory.Exists(_folder)
                ? [.. Directory.EnumerateDirectories(_folder).Order(StringComparer.Ordinal).Select(Read).OfType<Found>().DistinctBy(f => f.Image.Name)]
                : [];
            return _found;
        }
    }

    private Found? Read(string folder)
    {
        var file = Path.Combine(folder, "image.json");
        if (!File.Exists(file)) { return null; }
        try
        {
            var stated = JsonSerializer.Deserialize<Stated>(File.ReadAllBytes(file), WireJson.Options)!;
            List<string> files = ["image.json", .. new[] { stated.Kernel, stated.Initrd }.OfType<string>()];
            if (!new[] { stated.Name, stated.Version }.Concat(files).All(IsPlain)) { return Ignore(folder, "a name in image.json is missing or has odd characters"); }
            if (files.Find(f => !File.Exists(Path.Combine(folder, f))) is { } missing) { return Ignore(folder, $"{missing} is missing"); }
            return new Found(new ImageInfo(stated.Name, stated.Version, stated.Description ?? "", stated.MinMemoryMiB, stated.OsParams ?? []), folder, files);
        }
        catch (Exception ex) when (ex is JsonException or IOException or UnauthorizedAccessException) { return Ignore(folder, ex.Message); }
    }

    private Found? Ignore(string folder, string why)
    {
        if (_warned.GetValueOrDefault(folder) != why) { log.ImageIgnored(folder, why); }
        _warned[folder] = why;
        return null;
    }

    // They become parts of paths and addresses.
    private static bool IsPlain(string? name) =>
        name is { Length: > 0 and <= 100 } && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+' or '~');

    private static async Task<string> SumAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
    }
}
