using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using WebManager.Agent.Hypervisor.Qmp;

namespace WebManager.Agent.Hypervisor;

/// <summary>QEMU's mirror jobs of one copy, one per disk, and how each of them stands.</summary>
public sealed class CopyJobs : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private readonly QmpClient _qmp;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _news = new(0);
    private readonly ConcurrentDictionary<string, string> _ended = [];
    private IReadOnlyList<string> _ids = [];

    public CopyJobs(QmpClient qmp, TimeProvider clock)
    {
        (_qmp, _clock) = (qmp, clock);
        _qmp.Event += Take;
    }

    public sealed record Progress(long Done, long Total, bool Ready)
    {
        public long Left => Total - Done;
        public double Percent => Total == 0 ? 100 : Math.Clamp(100.0 * Done / Total, 0, 100);
    }

    /// <summary>One whole copy per disk. A failing replica ends the job and never the guest.</summary>
    public async Task BeginAsync(IReadOnlyList<(DiskNodes Disk, CopyNodes Copy)> disks, CancellationToken ct)
    {
        _ids = [.. disks.Select(d => d.Copy.Job)];
        foreach (var (disk, copy) in disks)
        {
            await _qmp.ExecuteAsync("blockdev-mirror", new JsonObject
            {
                ["job-id"] = copy.Job, ["device"] = disk.Local, ["target"] = copy.Copy, ["sync"] = "full", ["copy-mode"] = "background",
                ["on-target-error"] = "report", ["on-source-error"] = "report",
            }, ct);
        }
    }

    /// <summary>Throws IOException when a job ended without being asked.</summary>
    public async Task<Progress> LookAsync(CancellationToken ct)
    {
        ThrowIfEnded();
        var jobs = (await _qmp.ExecuteAsync("query-block-jobs", null, ct)).EnumerateArray().Where(j => _ids.Contains(j.GetProperty("device").GetString())).ToList();
        ThrowIfEnded();
        return new Progress(jobs.Sum(j => j.GetProperty("offset").GetInt64()), jobs.Sum(j => j.GetProperty("len").GetInt64()),
            jobs.Count == _ids.Count && jobs.All(j => j.GetProperty("ready").GetBoolean()));
    }

    private void ThrowIfEnded()
    {
        if (_ended.Values.FirstOrDefault() is { } error) throw new IOException(error.Length > 0 ? error : "The copy ended early.");
    }

    /// <summary>Waits for an event of a job, at most a quarter second.</summary>
    public async Task NewsAsync(CancellationToken ct)
    {
        using var look = new CancellationTokenSource(Look, _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(look.Token, ct);
        try { await _news.WaitAsync(both.Token); }
        catch (OperationCanceledException) { ct.ThrowIfCancellationRequested(); }
    }

    /// <summary>With the guest paused: lets every job copy and flush what is left and end; afterwards the copies are equal.</summary>
    public async Task CompleteAsync(CancellationToken ct)
    {
        // Not forced: "cancel" of a ready mirror means finish the copy without switching to it.
        foreach (var id in _ids) await CancelAsync(id, force: false, ct);
        while (_ended.Count < _ids.Count) await NewsAsync(ct);
        if (_ended.Values.FirstOrDefault(e => e.Length > 0) is { } error) throw new IOException(error);
    }

    /// <summary>Ends every job now; the copies are of no use then. Their connections must have been yanked.</summary>
    public async Task AbortAsync(CancellationToken ct)
    {
        foreach (var id in await RunningAsync(ct))
        {
            try { await CancelAsync(id, force: true, ct); }
            catch (QmpException)
            {
                // It ended meanwhile.
            }
        }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        while ((await RunningAsync(both.Token)).Count > 0) await Task.Delay(TimeSpan.FromMilliseconds(5), _clock, both.Token);
    }

    private async Task CancelAsync(string id, bool force, CancellationToken ct) =>
        await _qmp.ExecuteAsync("block-job-cancel", new JsonObject { ["device"] = id, ["force"] = force }, ct);

    private async Task<List<string>> RunningAsync(CancellationToken ct) =>
        [.. (await _qmp.ExecuteAsync("query-block-jobs", null, ct)).EnumerateArray().Select(j => j.GetProperty("device").GetString()!)];

    private void Take(QmpEvent report)
    {
        if (report.Text("device") is not { } id || !_ids.Contains(id)) return;
        if (report.Name is "BLOCK_JOB_COMPLETED") _ended[id] = report.Text("error") ?? "";
        if (report.Name is "BLOCK_JOB_CANCELLED") _ended[id] = "The copy was cancelled.";
        if (report.Name.StartsWith("BLOCK_JOB_", StringComparison.Ordinal)) _news.Release();
    }

    public void Dispose()
    {
        _qmp.Event -= Take;
        _news.Dispose();
    }
}
