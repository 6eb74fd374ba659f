using System.IO.Pipelines;
using System.Security.Cryptography;
using WebManager.Agent.Node;
using WebManager.Agent.State;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Host;

public sealed class ImageStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("image-store-").FullName;
    private static readonly byte[] s_kernel = new byte[200_000];

    /// <summary>Two jobs bring the same image to a fresh node at the same time; the first is done while the second is in the middle of a file.</summary>
    [Fact]
    public async Task An_image_that_was_published_meanwhile_does_not_disturb_an_upload_of_it()
    {
        var folder = new NodeFolder(_root);
        using var store = new ImageStore(folder, new EventHub(TimeProvider.System));
        var slow = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await slow.Writer.WriteAsync(s_kernel.AsMemory(0, 100_000), TestContext.Current.CancellationToken);
        var second = store.TakeAsync("tiny", "1", "vmlinuz", slow.Reader.AsStream(), default);

        var first = await store.TakeAsync("tiny", "1", "vmlinuz", new MemoryStream(s_kernel), default);
        Assert.True((await PublishAsync(store)).Ok);
        await slow.Writer.WriteAsync(s_kernel.AsMemory(100_000), TestContext.Current.CancellationToken);
        await slow.Writer.CompleteAsync();

        Assert.Equal(first.Value, (await second).Value);
        Assert.True((await PublishAsync(store)).Ok);
        Assert.Equal(["vmlinuz"], Directory.EnumerateFileSystemEntries(Path.Combine(folder.Images, "tiny", "1")).Select(Path.GetFileName));
        Assert.Empty(Directory.EnumerateFiles(folder.Incoming, "*", SearchOption.AllDirectories));
    }

    private static Task<Contracts.Outcome<Contracts.Done>> PublishAsync(ImageStore store) =>
        store.PublishAsync(new PublishImageOrder(Guid.NewGuid(), 1, "tiny", "1", new Dictionary<string, string> { ["vmlinuz"] = Convert.ToHexStringLower(SHA256.HashData(s_kernel)) }), default);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
