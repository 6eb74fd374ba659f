using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using WebManager.Agent.Hypervisor;
using WebManager.Agent.Network;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using Xunit;

namespace WebManager.Agent.Tests.Guests;

/// <summary>A guest in sync on node p, and what node s needs to take it: a hypervisor there, and on p an exporter for the way back.</summary>
public sealed partial class MigrationBench : IAsyncDisposable
{
    private readonly List<IIncomingGuest> _waiting = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<(TimeSpan At, int Beat)> _heard = [];
    private readonly List<string> _said = [];
    private readonly CancellationTokenSource _leaving = new();
    private Task _listening = Task.CompletedTask;

    private MigrationBench(Bench bench, int disks)
    {
        (Bench, Spec) = (bench, Bench.Spec(DiskTemplate.Mirror, disks));
        Record = Bench.Record(Spec, 1, SyncState.InSync);
        Next = new GenerationRecord(Spec.Instance, 2, "0000000000000002", "s", "p", SyncState.InSync);
        Target = NewTarget(bench.SecondaryTls);
        Back = new ReplicaExporter(bench.Primary, new StorageOptions { InstancesFolder = Path.Combine(bench.Root, "p"), FirstReplicaPort = 24000, ExporterStart = TimeSpan.FromSeconds(5 * Bench.Slowness) },
            bench.Options, null, bench.Processes, TimeProvider.System, NullLogger<ReplicaExporter>.Instance, bench.PrimaryTls, "p");
    }

    public Bench Bench { get; }
    public GuestSpec Spec { get; }
    public GenerationRecord Record { get; }

    /// <summary>The record under which s is the primary.</summary>
    public GenerationRecord Next { get; }
    public QemuHypervisor Target { get; private set; }
    public ReplicaExporter Back { get; }
    public IGuest Guest { get; private set; } = null!;

    /// <summary>Where it is now.</summary>
    public IGuest Current { get; private set; } = null!;
    public bool Incoming => Bench.Processes.Runs($"incoming:{Spec.Instance}");

    public static async Task<MigrationBench> InSyncAsync(int disks = 1, Action<HypervisorOptions>? set = null)
    {
        Bench.NeedsImage();
        var bench = new MigrationBench(new Bench(), disks);
        set?.Invoke(bench.Bench.Options);
        try
        {
            bench.Guest = await bench.Bench.StartAsync(bench.Spec, bench.Record, await bench.Bench.OpenAsync(bench.Spec, bench.Record));
            bench.Current = bench.Guest;
            bench._listening = bench.ListenAsync(bench.Guest);
            await bench.BeatsOnAsync();
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    public QemuHypervisor NewTarget(NodeTls tls) => new(new Accelerator(HypervisorKind.Tcg, "test", null), Bench.Options, Bench.Catalog, new UserNetwork(), null, Bench.Processes,
        TimeProvider.System, NullLogger.Instance, tls);

    public async Task<IIncomingGuest> ReceiveAsync(QemuHypervisor? by = null)
    {
        var received = await (by ?? Target).ReceiveAsync(new GuestStart(Spec, Bench.Secondary.FolderOf(Spec.Instance), Record, null), default);
        Bench.Refuted(received);
        _waiting.Add(received.Value!);
        return received.Value!;
    }

    public Task<Outcome<Done>> ReleaseAsync() => Bench.Exporter.CloseAsync(Spec.Instance, default);

    /// <summary>The engine's part: source reaped, other way round, on.</summary>
    public async Task<IGuest> TakeOverAsync(IIncomingGuest waiting)
    {
        await Bench.Processes.KillAsync($"guest:{Spec.Instance}", default);
        var replica = await Back.OpenAsync(Spec, Next, default);
        Bench.Refuted(replica);
        var taken = await waiting.TakeOverAsync(new GuestStart(Spec, Bench.Secondary.FolderOf(Spec.Instance), Next, replica.Value!), default);
        Bench.Refuted(taken);
        Bench.Keep(taken.Value!);
        _listening = Task.WhenAll(_listening, ListenAsync(taken.Value!));
        return Current = taken.Value!;
    }

    /// <summary>As a new run of s's agent finds it.</summary>
    public async Task<IGuest> AdoptOnTargetAsync(int pid)
    {
        var guest = await Target.AdoptAsync(new GuestStart(Spec, Bench.Secondary.FolderOf(Spec.Instance), Next, null), pid, default);
        Assert.NotNull(guest);
        Bench.Keep(guest);
        _listening = Task.WhenAll(_listening, ListenAsync(guest));
        return Current = guest;
    }

    /// <summary>When each record was heard, whichever node the guest is on.</summary>
    private async Task ListenAsync(IGuest guest)
    {
        var rest = "";
        try
        {
            await foreach (var bytes in guest.SerialAsync(0, _leaving.Token))
            {
                rest += Encoding.UTF8.GetString(bytes.Span);
                var lines = rest.Split('\n');
                rest = lines[^1];
                lock (_heard) _said.AddRange(lines[..^1]);
                foreach (var beat in lines[..^1].Select(l => BeatLine().Match(l)).Where(m => m.Success))
                    lock (_heard) _heard.Add((_clock.Elapsed, int.Parse(beat.Groups[1].Value, CultureInfo.InvariantCulture)));
            }
        }
        catch (OperationCanceledException) { }
    }

    [GeneratedRegex(@"beat ([0-9]+)\r?$")]
    private static partial Regex BeatLine();

    public (TimeSpan At, int Beat)[] Heard { get { lock (_heard) return [.. _heard]; } }

    /// <summary>All that the guest printed, whichever node it was on.</summary>
    public IReadOnlyList<string> Said { get { lock (_heard) return [.. _said]; } }

    public int Beat => Heard is [.., var last] ? last.Beat : 0;

    public async Task BeatsOnAsync(int more = 5)
    {
        var from = Heard.Length;
        try { await Until.TrueAsync(() => Heard.Length >= from + more, $"{more} records"); }
        catch (Xunit.Sdk.TrueException) { Assert.Fail($"The guest does not write on after {Beat}: {Current.Phase}, {Current.Mirror}, {Current.MirrorText} {Bench.Processes.Ends.LastOrDefault()} {Programs.Tail(Bench.Primary.PathsOf(Spec.Instance).QemuLog)} {Programs.Tail(Bench.Secondary.PathsOf(Spec.Instance).QemuLog)}"); }
    }

    /// <summary>No record is missing, none came twice; the longest time between two.</summary>
    public TimeSpan Contiguous()
    {
        var heard = Heard;
        Assert.Equal(Enumerable.Range(heard[0].Beat, heard.Length), heard.Select(h => h.Beat));
        return heard.Zip(heard.Skip(1)).Max(p => p.Second.At - p.First.At);
    }

    /// <summary>Starts the guest of p's images and answers the record from which it goes on.</summary>
    public async Task<int> ResumedOnSourceAsync()
    {
        var length = Bench.Serial(Spec).Length;
        await Bench.StartAsync(Spec, new GenerationRecord(Spec.Instance, 9, "9", "p", "s", SyncState.Alone));
        string New() => Bench.Serial(Spec)[length..];
        await Until.TrueAsync(() => New().Split("resume ") is [_, var after, ..] && after.Contains('\n', StringComparison.Ordinal), "resume");
        return int.Parse(New().Split("resume ")[1].Split('\n')[0].Trim(), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _listening;
        foreach (var waiting in _waiting) await waiting.DisposeAsync();
        await Back.DisposeAsync();
        await Bench.DisposeAsync();
        _leaving.Dispose();
    }
}
