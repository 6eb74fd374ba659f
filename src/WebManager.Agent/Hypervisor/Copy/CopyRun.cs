// What every copy of a running guest's disks begins with: connecting, and passes until little is left. QEMU has no part in it yet.
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Copy;

/// <param name="record">Names the node of the copy as its secondary.</param>
public abstract class CopyRun(QmpClient qmp, MirrorGraph graph, GenerationRecord record, ReplicaAddress replica, GuestParts parts) : IAsyncDisposable
{
    private const long LittleLeft = 4 * 1024 * 1024;
    private const int MostPasses = 20;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    protected QmpClient Qmp => qmp;
    protected MirrorGraph Graph => graph;
    protected GuestParts Parts => parts;
    protected CopyPasses Passes { get; } = new(qmp, graph, record, replica, parts);

    /// <summary>The pause at the end is ours: nobody needs to hear of it.</summary>
    public bool PausesBriefly { get; protected set; }

    public GenerationRecord Record => record;
    public ReplicaAddress Replica => replica;
    public CopyTally Tally => Passes.Tally;

    /// <summary>Removes what an earlier try left in QEMU's graph.</summary>
    protected abstract Task ClearAsync(CancellationToken ct);

    /// <summary>Makes the copy's nodes in QEMU's graph; nothing uses them yet.</summary>
    protected abstract Task AddAsync();

    /// <summary>Connects; on a refusal nothing is left of it. The guest does not feel a slow secondary.</summary>
    public async Task<Refusal?> BeginAsync(CancellationToken ct)
    {
        if (replica.Exports.Count != graph.Disks.Count)
            return new Refusal("replica.wrong-disks", $"The replica has {replica.Exports.Count} copies for {graph.Disks.Count} disks.");
        using var limit = new CancellationTokenSource(ConnectLimit, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await ClearAsync(ct);
            await Passes.ConnectAsync(both.Token);
            return null;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested) { return Unreachable("it does not answer."); }
        catch (Exception e) when (e is QmpException or TimeoutException or IOException) { return Unreachable(e.Message); }
    }

    private Refusal Unreachable(string why) =>
        new("replica.unreachable", $"The copy on {record.Secondary} cannot be used: {why}", "Check the secondary and its network, then try again.");

    /// <summary>Returns when every disk is equal but for a little; throws when the copy fails. The guest runs on in any case.</summary>
    public async Task CopyAsync(Action<CopyTally> progress, CancellationToken ct)
    {
        using var stuck = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var work = WorkAsync(stuck.Token);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(250), parts.Clock);
        while (!work.IsCompleted && Tally.SinceMove < parts.Options.CopyStall)
        {
            progress(Tally);
            await Task.WhenAny(work, look.WaitForNextTickAsync(CancellationToken.None).AsTask());
        }
        var still = !work.IsCompleted;
        if (still) await stuck.CancelAsync();
        try { await work; }
        catch (OperationCanceledException) when (still && !ct.IsCancellationRequested) { throw new IOException($"No progress for {parts.Options.CopyStall.TotalSeconds:0} s."); }
    }

    private async Task WorkAsync(CancellationToken ct)
    {
        await Passes.FirstAsync(ct);
        // A guest that writes faster than we copy never gets near zero: after a while the rest is left to the pause, which has its own limit.
        for (var i = 0; i < MostPasses && await Passes.LeftAsync(ct) > LittleLeft; i++) await Passes.NextAsync(paused: false, ct);
    }

    /// <summary>All that need not happen in the pause: both disks are synced, QEMU connects to the copies.</summary>
    protected async Task PrepareAsync(CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(parts.Options.CopyStall, parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        await Passes.FlushAsync(both.Token);
        await SyncImagesAsync(ct);
        await AddAsync();
    }

    /// <summary>Once the guest's disks are where they stay.</summary>
    public Task CleanUpAsync() => Passes.CleanUpAsync(CancellationToken.None);

    /// <summary>Ends the copy while the guest runs on; what a new try needs to know stays.</summary>
    public async Task AbandonAsync()
    {
        await Passes.CleanUpAsync(CancellationToken.None);
        await ClearAsync(CancellationToken.None);
    }

    // "stop" flushes the images while the guest stands still. Flushing the files beforehand, past QEMU, leaves it little to do.
    private async Task SyncImagesAsync(CancellationToken ct) => await Task.Run(() =>
    {
        foreach (var disk in graph.Disks)
        {
            using var file = File.OpenHandle(parts.Paths.Disk(disk.Index), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }
    }, ct);

    public async ValueTask DisposeAsync()
    {
        await Passes.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
