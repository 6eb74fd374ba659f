using Microsoft.Extensions.Logging.Abstractions;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A node's storage half beside those of the bench: where another secondary's copy is made.</summary>
public sealed class ThirdNode : IAsyncDisposable
{
    public const string Name = "t";
    private readonly Bench _bench;
    private readonly StorageOptions _storage;

    public ThirdNode(Bench bench)
    {
        _bench = bench;
        _storage = new StorageOptions { InstancesFolder = Path.Combine(bench.Root, Name), FirstReplicaPort = 22000, ReplicaHost = "127.0.0.1", ExporterStart = TimeSpan.FromSeconds(5 * Bench.Slowness) };
        Exporter = new ReplicaExporter(Images, _storage, bench.Options, null, Processes, TimeProvider.System, NullLogger<ReplicaExporter>.Instance, bench.Authority.Node(Path.Combine(bench.Root, "tls-t"), Name), Name);
        bench.ThirdExporter = Exporter;
    }

    public DirectProcesses Processes { get; } = new();
    public ReplicaExporter Exporter { get; }
    public FileImages Images => new(_storage, _bench.Options.RunFolder);

    public static GenerationRecord Candidate(GuestSpec spec, long number) => Bench.Record(spec, number, SyncState.InSync) with { Secondary = Name };

    public async Task<ReplicaAddress> OpenAsync(GuestSpec spec, GenerationRecord candidate)
    {
        Bench.Refuted(await Images.CreateAsync(spec, default));
        var opened = await Exporter.OpenAsync(spec, candidate, default, candidate: true);
        Bench.Refuted(opened);
        return opened.Value!;
    }

    public Task KillAsync(GuestSpec spec) => Processes.KillAsync($"export:{spec.Instance}", default);

    public async ValueTask DisposeAsync()
    {
        await Exporter.DisposeAsync();
        Processes.Dispose();
        await Until.TrueAsync(() => Processes.Ends.Count == Processes.Spawned.Count, "the third node's processes ended");
    }
}
