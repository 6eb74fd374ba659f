using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>Emulated guests need the processor for themselves: their tests run one after another.</summary>
[CollectionDefinition(Bench.OneAtATime, DisableParallelization = true)]
public sealed class OneGuestAtATime;

/// <summary>Two nodes' worth of agent halves on one machine: primary and secondary with folders of their own, real QEMU.</summary>
public sealed class Bench : IAsyncDisposable
{
    public const string OneAtATime = "guests";
    private static readonly Accelerator Tcg = new(HypervisorKind.Tcg, "test", null);
    private readonly List<IGuest> _guests = [];

    public Bench()
    {
        Directory.CreateDirectory(Root);
        Link();
        Hypervisor = NewHypervisor();
        Exporter = NewExporter();
    }

    public string Root { get; } = Directory.CreateTempSubdirectory("wm-bench-").FullName;
    public DirectProcesses Processes { get; } = new();
    public HypervisorOptions Options { get; } = new();
    public QemuHypervisor Hypervisor { get; private set; }
    public ReplicaExporter Exporter { get; private set; }
    public FileImages Primary => new(new StorageOptions { InstancesFolder = Path.Combine(Root, "p") }, Options.RunFolder);
    public FileImages Secondary => new(SecondaryStorage, Options.RunFolder);
    public ImageCatalog Catalog => new(Path.Combine(Root, "images"));
    private StorageOptions SecondaryStorage => new() { InstancesFolder = Path.Combine(Root, "s"), FirstReplicaPort = 21000, ReplicaHost = SecondaryHost, ExporterStart = TimeSpan.FromSeconds(5 * Slowness) };

    public NodeTls PrimaryTls => field ??= Authority.Node(Path.Combine(Root, "tls-p"), "p");
    public NodeTls SecondaryTls => field ??= Authority.Node(Path.Combine(Root, "tls-s"), "s");
    public TestAuthority Authority { get; } = new();

    /// <summary>Of a third node, where a test has one.</summary>
    public ReplicaExporter? ThirdExporter { get; set; }

    /// <summary>False, before an exporter is made: exports in plain, to compare with.</summary>
    public bool Encrypted { get; set; } = true;

    /// <summary>False: the secondary's agent cannot be asked for hashes, so its copy is read over the network.</summary>
    public bool PeerAnswers { get; set; } = true;

    private sealed class Peer(Bench bench) : ICopyPeer
    {
        public async Task<byte[]> HashAsync(GenerationRecord record, int disk, long offset, long length, CancellationToken ct)
        {
            if (!bench.PeerAnswers) throw new HttpRequestException("No answer.");
            var hashes = await (record.Secondary == ThirdNode.Name ? bench.ThirdExporter! : bench.Exporter).HashAsync(record, disk, offset, length, ct);
            return hashes.Ok ? hashes.Value : throw new HttpRequestException(hashes.Refusal.Message);
        }
    }

    public QemuHypervisor NewHypervisor() => new(Tcg, Options, new ImageCatalog(Path.Combine(Root, "images")), new UserNetwork(), null, Processes,
        TimeProvider.System, NullLogger.Instance, PrimaryTls, new Peer(this));

    /// <summary>Where the secondary is, when it is not on this node's own network.</summary>
    public string? SecondaryNamespace { get; set; }
    public string SecondaryHost { get; set; } = "127.0.0.1";

    public ReplicaExporter NewExporter() => new(Secondary, SecondaryStorage, Options, SecondaryNamespace, Processes, TimeProvider.System, NullLogger<ReplicaExporter>.Instance, Encrypted ? SecondaryTls : null, "s");

    /// <summary>What a restart of both agents leaves: new objects, the same processes.</summary>
    public async Task RestartAgentsAsync()
    {
        foreach (var guest in _guests) await guest.DisposeAsync();
        _guests.Clear();
        await Exporter.DisposeAsync();
        (Hypervisor, Exporter) = (NewHypervisor(), NewExporter());
    }

    public static GuestSpec Spec(DiskTemplate template, int disks = 1, long sizeMiB = 64) =>
        new(Guid.NewGuid(), "vm1", "tiny-linux", 1, 96, template, [.. Enumerable.Range(0, disks).Select(i => new DiskSpec(i, Guid.NewGuid(), sizeMiB))],
            [new NicSpec(0, "52:54:00:00:00:01", null, null)])
        { OsParams = new Dictionary<string, string> { ["beat"] = "on" } };

    public static GenerationRecord Record(GuestSpec spec, long number, SyncState sync) => new(spec.Instance, number, $"{number:x16}", "p", "s", sync);

    public async Task<IGuest> StartAsync(GuestSpec spec, GenerationRecord? record = null, ReplicaAddress? replica = null)
    {
        Refuted(await Primary.CreateAsync(spec, default));
        var started = await Hypervisor.StartAsync(new GuestStart(spec, Primary.FolderOf(spec.Instance), record, replica), default);
        Refuted(started);
        _guests.Add(started.Value!);
        return started.Value!;
    }

    public async Task<IGuest> AdoptAsync(GuestSpec spec, int pid, GenerationRecord? record = null)
    {
        // As the host does it: QEMU may still be busy with the end of what the earlier run had under way.
        IGuest? guest = null;
        for (var tries = 0; guest is null && tries < 40; tries++)
        {
            if (tries > 0) await Task.Delay(250);
            guest = await Hypervisor.AdoptAsync(new GuestStart(spec, Primary.FolderOf(spec.Instance), record, null), pid, default);
        }
        Assert.NotNull(guest);
        _guests.Add(guest);
        return guest;
    }

    public async Task<ReplicaAddress> OpenAsync(GuestSpec spec, GenerationRecord record)
    {
        Refuted(await Secondary.CreateAsync(spec, default));
        var opened = await Exporter.OpenAsync(spec, record, default);
        Refuted(opened);
        return opened.Value!;
    }

    /// <summary>How many times slower than usual a machine may be that others use at the same time.</summary>
    public static double Slowness { get; } = double.Parse(Environment.GetEnvironmentVariable("WEBMANAGER_E2E_SLOWNESS") ?? "1", CultureInfo.InvariantCulture);

    /// <summary>
    /// Does something to the other copy, gives the leave to go on alone as soon as the loss is told, and answers the longest time between
    /// two records that the guest said were stable.
    /// </summary>
    public async Task<TimeSpan> LongestGapAsync(GuestSpec spec, IGuest guest, GenerationRecord alone, Func<Task> fault)
    {
        var left = new TaskCompletionSource<Outcome<Done>>();
        async void Leave(IGuest g, string kind, string text)
        {
            if (kind == "mirror.broken") left.TrySetResult(await guest.DegradeAsync(alone, default));
        }
        guest.Changed += Leave;
        var (last, since, longest, after) = (Beat(spec), System.Diagnostics.Stopwatch.StartNew(), TimeSpan.Zero, 0);
        var faulty = fault();
        await Until.TrueAsync(() =>
        {
            if (Beat(spec) is var now && now == last) return false;
            longest = since.Elapsed > longest ? since.Elapsed : longest;
            (last, after) = (now, left.Task.IsCompleted ? after + 1 : 0);
            since.Restart();
            return after > 5;
        }, "the guest goes on");
        await faulty;
        guest.Changed -= Leave;
        Refuted(await left.Task);
        return longest;
    }

    private int _commands;

    /// <summary>Runs a command in the guest's shell on the console and waits for its end.</summary>
    public async Task InGuestAsync(GuestSpec spec, IGuest guest, string command)
    {
        await Until.TrueAsync(() => Serial(spec).Split("ready:") is [.., var after] && after.Contains("# ", StringComparison.Ordinal), "the shell's prompt");
        var done = $"done-{++_commands}-{_commands + 7}";
        await guest.WriteSerialAsync(Encoding.ASCII.GetBytes($"{command}; echo done-{_commands}-$(({_commands}+7))\n"), default);
        await Until.TrueAsync(() => Serial(spec).Contains(done, StringComparison.Ordinal), command, 120);
    }

    /// <summary>Writes that many MiB of one letter from a place on the first disk and makes them stable.</summary>
    public Task FillAsync(GuestSpec spec, IGuest guest, char letter, int fromMiB, int mib) =>
        InGuestAsync(spec, guest, $"tr '\\0' {letter} </dev/zero | dd of=/dev/vda bs=1M iflag=fullblock seek={fromMiB} count={mib} conv=notrunc,fsync 2>/dev/null");

    public static void Refuted<T>(Outcome<T> outcome) => Assert.True(outcome.Ok, $"{outcome.Refusal?.Code}: {outcome.Refusal?.Message}");

    /// <summary>A guest made by other means than this bench's; let go of at its end.</summary>
    public void Keep(IGuest guest) => _guests.Add(guest);

    public string Serial(GuestSpec spec) => Encoding.UTF8.GetString(SerialPort.Tail(Path.Combine(Primary.FolderOf(spec.Instance), "serial.log"), 1_000_000));

    /// <summary>The last record the guest said is stable.</summary>
    public int Beat(GuestSpec spec) => Serial(spec).Split('\n').Where(l => l.StartsWith("beat ", StringComparison.Ordinal))
        .Select(l => int.TryParse(l[5..].Trim(), CultureInfo.InvariantCulture, out var n) ? n : 0).LastOrDefault();

    public async Task BeatsOnAsync(GuestSpec spec, int more = 5)
    {
        var from = Beat(spec);
        await Until.TrueAsync(() => Beat(spec) >= from + more, $"the guest writes on after {from}: {Serial(spec)[^Math.Min(300, Serial(spec).Length)..]}");
    }

    public Task SameOnBothAsync(GuestSpec spec) => SameAsync(spec, []);

    /// <summary>While both images are open; everything must have been flushed.</summary>
    public Task SameNowAsync(GuestSpec spec) => SameAsync(spec, ["-U"]);

    private async Task SameAsync(GuestSpec spec, string[] more)
    {
        foreach (var disk in spec.Disks)
        {
            var compared = await Programs.RunAsync("qemu-img", ["compare", .. more, "-f", "qcow2", "-F", "qcow2", Primary.PathsOf(spec.Instance).Disk(disk.Index), Secondary.PathsOf(spec.Instance).Disk(disk.Index)], default);
            Assert.True(compared.Ok, compared.Output + compared.Error);
        }
    }

    private void Link()
    {
        if (Image is not { } image) return;
        Directory.CreateDirectory(Path.Combine(Root, "images", "tiny-linux"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "images", "tiny-linux", "1"), image);
    }

    /// <summary>The image that test.sh builds; null when it was not built.</summary>
    public static string? Image
    {
        get
        {
            var given = Environment.GetEnvironmentVariable("WEBMANAGER_IMAGES");
            string?[] places = [given, given is null ? null : Path.Combine(given, "tiny-linux"), .. Above().Select(f => Path.Combine(f, "artifacts", "images", "tiny-linux"))];
            return places.FirstOrDefault(p => p is not null && File.Exists(Path.Combine(p, "image.json")));
        }
    }

    private static IEnumerable<string> Above()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent) yield return folder.FullName;
    }

    public static void NeedsImage() => Assert.SkipWhen(Image is null, "The image tiny-linux was not built (images/tiny-linux/build.sh artifacts/images/tiny-linux).");

    public async ValueTask DisposeAsync()
    {
        foreach (var guest in _guests) await guest.DisposeAsync();
        Processes.Dispose();
        await Exporter.DisposeAsync();
        await Until.TrueAsync(() => Processes.Ends.Count == Processes.Spawned.Count, "all processes ended");
        Directory.Delete(Root, recursive: true);
    }
}
