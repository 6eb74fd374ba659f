// One sending of a guest: its memory while it runs, a pause, and on the order to switch the rest (docs/replication.md, "Live migration").
using WebManager.Agent.Hypervisor.Copy;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Rules;
using WebManager.Agent.Storage.Nbd;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Migration;

internal sealed class Sending(QemuGuest guest, GuestMirror mirror, QmpClient qmp, GuestParts parts, GenerationRecord record, MigrationAddress to)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private readonly MigrationQmp _migration = new(qmp);
    private readonly CancellationTokenSource _stop = new(), _leave = new();
    private readonly TaskCompletionSource<Outcome<Done>> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Outcome<SourceEnd>> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _switch = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MigrationFacts _facts = new("", 0, 0, 0, 0, null);
    private Refusal? _refused;
    private long _pausedAt;
    private volatile bool _waits, _isPaused, _ranSince, _exportGone;

    public string To => $"{record.Secondary} ({to.Host}:{to.Port})";
    public bool IsPaused => _isPaused;

    /// <summary>Paused before the switch, or why it goes on here.</summary>
    public Task<Outcome<Done>> Ready => _ready.Task;
    public Task<Outcome<SourceEnd>> Over => _over.Task;

    /// <summary>Nothing of it is left but what it answered.</summary>
    public Task Settled => _settled.Task;

    /// <summary>False: it does not wait for that, or not any more.</summary>
    public bool Switch() => _waits && !_stop.IsCancellationRequested && _switch.TrySetResult();

    public void Cancel() => _stop.Cancel();

    public void LetGo() => _leave.Cancel();

    /// <summary>QEMU's events, on the monitor's reading loop.</summary>
    public void Hear(QmpEvent report)
    {
        switch (report.Name, report.Text("status"))
        {
            case ("STOP", _) when !_isPaused: _pausedAt = parts.Clock.GetTimestamp(); break;
            case ("RESUME", _) when _isPaused: _ranSince = true; break;
            case ("MIGRATION", "pre-switchover"):
                _isPaused = true;
                _paused.TrySetResult();
                break;
            case ("MIGRATION", "completed" or "failed" or "cancelled") when report.Text("status") is { } status: _ended.TrySetResult(status); break;
        }
    }

    public async Task RunAsync()
    {
        try
        {
            var refused = await SendAsync();
            if (refused is null && guest.Mirror != MirrorPhase.InSync) refused = Failed("The mirror broke while the guest was being sent.");
            if (refused is null)
            {
                Show(MigrationPhase.Switching, $"Paused after {_facts.Sent >> 20} MiB; the rest goes with the switch.");
                _waits = true;
                _ready.TrySetResult(Done.Value);
                refused = await SwitchAsync();
            }

            _refused = refused;
        }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            _refused = Failed(e is OperationCanceledException ? "The agent ends." : e.Message);
        }

        if (_refused is null || _leave.IsCancellationRequested) return;
        try { await GoOnAsync(); }
        catch (Exception e) when (e is QmpException or IOException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            parts.Log.GuestTrouble(guest.Instance, "migration.failed", e.Message);
        }
    }

    private static Refusal Failed(string why) => new("migration.failed", why, "The guest goes on where it was; try again when the cause is gone.");

    /// <summary>Until the pause; null: paused.</summary>
    private async Task<Refusal?> SendAsync()
    {
        Show(MigrationPhase.Sending, $"Sending to {To} has begun.");
        // Not while the watch on writes has the guest paused for a moment: that pause would go along with it.
        using (await mirror.TurnAsync(_leave.Token))
        {
            if (!parts.Emulated) await BeginAsync(Convergence.First);
            else if (await BeginEmulatedAsync() is { } refused) return refused;
        }

        var (moved, movedAt, downtime) = (0L, parts.Clock.GetTimestamp(), Convergence.First);
        long? sentOnce = null;
        while (true)
        {
            await Task.WhenAny(_paused.Task, _ended.Task, Task.Delay(Look, parts.Clock, _leave.Token));
            _leave.Token.ThrowIfCancellationRequested();
            _facts = await _migration.QueryAsync(_leave.Token);
            if (_stop.IsCancellationRequested) return new Refusal("migration.cancelled", "The migration was cancelled.", "The guest goes on where it was.");
            if (_ended.Task.IsCompleted) return Failed($"QEMU gave up: {_facts.Error ?? _facts.Status}.");
            if (guest.Mirror != MirrorPhase.InSync) return Failed("The mirror broke while the guest was being sent.");
            if (_paused.Task.IsCompleted) return parts.Emulated && _facts.Passes > 1 ? Failed("QEMU went through the memory of a running emulated guest twice, and may have missed changes.") : null;
            if (_facts.Sent > moved) (moved, movedAt) = (_facts.Sent, parts.Clock.GetTimestamp());
            else if (parts.Clock.GetElapsedTime(movedAt) > parts.Options.CopyStall) return Failed($"Nothing got through to {To} for {parts.Options.CopyStall.TotalSeconds:0} s.");
            Show(MigrationPhase.Sending, null);
            if (_facts.Passes < 2) continue;
            sentOnce ??= parts.Clock.GetTimestamp();
            if (Convergence.Downtime(parts.Clock.GetElapsedTime(sentOnce.Value), parts.Options.MigrationPatience) is not { } allowed)
                return new Refusal("migration.no-convergence", $"The guest changes its memory faster than it can be sent: {_facts.Sent >> 20} MiB sent for {_facts.Total >> 20} MiB, {_facts.Left >> 20} MiB left.",
                    "Try again when the guest is calmer, or stop it and start it on the other node.");
            if (allowed == downtime) continue;
            await _migration.DowntimeAsync(downtime = allowed, _leave.Token);
        }
    }

    private Task BeginAsync(TimeSpan downtime) => _migration.SendAsync(to, parts.Tls is null ? null : record.Secondary, parts.Options.MigrationRateMiB, downtime, _leave.Token);

    /// <summary>
    /// QEMU 7.2 sees what an emulated CPU writes from one begin of the marks on, and from no later one (docs/replication.md). So the guest stands still
    /// while they are begun, and is gone through once: no downtime is allowed, hence nothing is marked anew before it is paused.
    /// </summary>
    private async Task<Refusal?> BeginEmulatedAsync()
    {
        await qmp.ExecuteAsync("stop", null, _leave.Token);
        await BeginAsync(TimeSpan.Zero);
        var since = parts.Clock.GetTimestamp();
        while ((_facts = await _migration.QueryAsync(_leave.Token)).Status == "setup")
        {
            if (_stop.IsCancellationRequested || _ended.Task.IsCompleted) break;
            if (parts.Clock.GetElapsedTime(since) > parts.Options.MigrationConnect) return Failed($"No connection to {To} came about within {parts.Options.MigrationConnect.TotalSeconds:0.#} s.");
            await Task.Delay(TimeSpan.FromMilliseconds(2), parts.Clock, _leave.Token);
        }

        if (_facts.Status == "active") await qmp.ExecuteAsync("cont", null, _leave.Token);
        return null;
    }

    /// <summary>From the pause on; null: it is over and answered.</summary>
    private async Task<Refusal?> SwitchAsync()
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, _leave.Token);
        var first = await Task.WhenAny(_switch.Task, _ended.Task, Task.Delay(parts.Options.SwitchWait, parts.Clock, wait.Token));
        _leave.Token.ThrowIfCancellationRequested();
        await wait.CancelAsync();
        if (first == _ended.Task) return Failed("The target ended.");
        // From here on the order to switch comes too late, or it came in time.
        if (_switch.TrySetCanceled()) return _stop.IsCancellationRequested
            ? new Refusal("migration.cancelled", "The migration was cancelled.", "The guest goes on where it was.")
            : Failed($"No order to switch came within {parts.Options.SwitchWait.TotalSeconds:0} s.");
        _exportGone = true;
        await _migration.ContinueAsync(_leave.Token);
        await Task.WhenAny(_ended.Task, Task.Delay(parts.Options.SwitchLimit, parts.Clock, _leave.Token));
        _leave.Token.ThrowIfCancellationRequested();
        if (!_ended.Task.IsCompleted) return Failed($"The rest did not get through within {parts.Options.SwitchLimit.TotalSeconds:0} s.");
        _facts = await _migration.QueryAsync(_leave.Token);
        var state = await _migration.RunStateAsync(_leave.Token);
        if (state != "postmigrate" || _facts.Status != "completed") return Failed($"QEMU gave up: {_facts.Error ?? _facts.Status}.");
        _over.TrySetResult(new SourceEnd(new SourceFacts(Sent: _facts.Status == "completed", _ranSince), Left: true, _facts.Sent, _pausedAt) { Why = _facts.Error });
        return null;
    }

    /// <summary>QEMU continues the guest by itself when a migration does not come to its end.</summary>
    private async Task GoOnAsync()
    {
        if (!_ended.Task.IsCompleted)
        {
            await _migration.YankAsync(_leave.Token);
            await _migration.CancelAsync(_leave.Token);
            await Task.WhenAny(_ended.Task, Task.Delay(EndLimit, parts.Clock, _leave.Token));
        }

        var since = parts.Clock.GetTimestamp();
        while (await _migration.RunStateAsync(_leave.Token) == "finish-migrate" && parts.Clock.GetElapsedTime(since) < EndLimit)
            await Task.Delay(TimeSpan.FromMilliseconds(5), parts.Clock, _leave.Token);
        // One that stood still when that began, or was paused meanwhile, is not continued by QEMU.
        if (await _migration.RunStateAsync(_leave.Token) is "paused" or "postmigrate") await qmp.ExecuteAsync("cont", null, _leave.Token);
        if (!_isPaused) return;
        await guest.AnnounceAsync(_leave.Token);
        _exportGone |= await ExportGoneAsync();
    }

    /// <summary>An idle guest would not notice that its other copy was closed to it while it stood still.</summary>
    private async Task<bool> ExportGoneAsync()
    {
        if (_exportGone || guest.Place is not { } place) return true;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2), parts.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _leave.Token);
        try
        {
            var target = new NbdTarget(place.Replica.Exports[0]) { Host = place.Replica.Host, Port = place.Replica.Port, Tls = parts.Tls, Peer = place.Node };
            await using var disk = await NbdHandshake.ConnectAsync(target, both.Token);
            return false;
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException) { return true; }
        // No answer proves nothing; the watch on writes finds a silent link.
        catch (OperationCanceledException) when (limit.IsCancellationRequested) { return false; }
    }

    /// <summary>The guest's own words count again, then whoever waits is answered; called when nothing is under way any more.</summary>
    public async Task SettleAsync()
    {
        if (_refused is { } refused)
        {
            if (!_leave.IsCancellationRequested) await TellAsync(refused);
            _ready.TrySetResult(refused);
            _over.TrySetResult(new SourceEnd(new SourceFacts(Sent: false, _ranSince), Left: false, _facts.Sent, _pausedAt) { Why = refused.Message });
        }

        _settled.TrySetResult();
    }

    private async Task TellAsync(Refusal refused)
    {
        const string broken = "The other copy was closed for a switch that did not come to its end; the guest waits at its next write.";
        if (_exportGone) guest.Change(s => s.Mirror.OnBothCopies() ? s with { Mirror = MirrorPhase.Broken, MirrorText = broken } : s, new GuestNews("mirror.broken", broken, Trouble: true));
        await mirror.RefreshPhaseAsync();
        guest.Change(s => s with { Migration = null }, new GuestNews("migration.failed", refused.Message, Trouble: true));
    }

    private void Show(MigrationPhase phase, string? text)
    {
        var report = new MigrationReport(phase, record.Number, Math.Round(_facts.Percent, 1), _facts.Sent);
        var tenth = guest.Migration is { } shown && (int)shown.Percent / 10 != (int)report.Percent / 10;
        text ??= tenth ? $"{report.Percent:0} %: {report.MovedBytes >> 20} MiB sent." : null;
        guest.Change(s => s with { Migration = report }, text is null ? null : new GuestNews("migration.progress", text));
    }
}
