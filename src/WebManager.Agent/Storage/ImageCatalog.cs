using System.Text.Json;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Storage;

/// <summary>A bootable image as its image.json states it; kernel and initrd are absolute paths here.</summary>
public sealed record GuestImage(string Name, string Version, string Kernel, string? Initrd, string Append, int MinMemoryMiB)
{
    /// <summary>The kernel for guests with a screen, where the image has an own one for them.</summary>
    public string? KernelVga { get; init; }

    /// <summary>When this node got it.</summary>
    public DateTime Published { get; init; }
}

/// <summary>The images in the node's folder: {name}/{version}/image.json. Looks at the disk on each call; an image is visible once its image.json is there.</summary>
public sealed class ImageCatalog(string folder)
{
    private sealed record Stated(string Name, string Kernel, string? Initrd, string? Append, int MinMemoryMiB, string Version, string? KernelVga);

    public IReadOnlyList<ImageRef> List() => [.. All().Select(i => new ImageRef(i.Name, i.Version))];

    /// <summary>"name" is the version published last, "name:version" exactly that one. The wish is only ever compared with what the folder holds.</summary>
    public Outcome<GuestImage> Find(string wish)
    {
        var found = All().Where(i => i.Name == wish || $"{i.Name}:{i.Version}" == wish).MaxBy(i => i.Published);
        if (found is not null) return found;
        return new Refusal("image.missing", $"This node has no image {wish}.", "Upload the image to the node, then try again.") { Field = "image" };
    }

    private IEnumerable<GuestImage> All()
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (var file in Directory.EnumerateFiles(folder, "image.json", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }))
            if (Read(file) is { } image) yield return image;
    }

    private static GuestImage? Read(string file)
    {
        try
        {
            var home = Path.GetDirectoryName(Path.GetFullPath(file))!;
            if (JsonSerializer.Deserialize<Stated>(File.ReadAllBytes(file), WireJson.Options) is not { } stated) return null;
            var kernel = Inside(home, stated.Kernel);
            var initrd = stated.Initrd is null ? null : Inside(home, stated.Initrd);
            return kernel is null ? null : new GuestImage(stated.Name, stated.Version, kernel, initrd, stated.Append ?? "", stated.MinMemoryMiB)
            {
                KernelVga = stated.KernelVga is null ? null : Inside(home, stated.KernelVga), Published = File.GetLastWriteTimeUtc(file),
            };
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException) { return null; }
    }

    // An image names its files, never a path out of its own folder.
    private static string? Inside(string home, string name) =>
        Path.GetFileName(name) == name && File.Exists(Path.Combine(home, name)) ? Path.Combine(home, name) : null;
}
