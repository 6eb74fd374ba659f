// The source's half of a live migration: one sending at a time, from "migrate" to its end, whoever ends it.
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Migration;

public sealed class GuestMigration(QemuGuest guest, GuestMirror mirror, GuestParts parts) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private QmpClient _qmp = null!;
    private Sending? _now;

    /// <summary>A pause while a guest is sent is part of it. The watch on writes must not continue the guest in it.</summary>
    public bool UnderWay => _now is not null;

    /// <summary>Paused before the switch, or switching: nothing is written, nobody else may touch the guest.</summary>
    public bool Paused => _now is { IsPaused: true };

    public void Attach(QmpClient qmp)
    {
        _qmp = qmp;
        qmp.Event += report => _now?.Hear(report);
    }

    public async Task<Outcome<Done>> SendAsync(GenerationRecord record, MigrationAddress to, CancellationToken ct)
    {
        if (Uri.CheckHostName(to.Host) == UriHostNameType.Unknown || to.Port is < 1 or > 65535)
            return new Refusal("migration.bad-address", $"{to.Host}:{to.Port} is no address to send a guest to.") { Field = "to" };
        if (guest.Mirror != MirrorPhase.InSync) return new Refusal("mirror.not-in-sync", $"The guest's mirror is {guest.Mirror}.", "Wait until it is in sync.");
        if (guest.Phase != GuestPhase.Running) return new Refusal("guest.not-running", $"The guest is {guest.Phase}.", "Only a running guest moves alive.");
        Sending sending;
        lock (_gate)
        {
            if (_now is { } other) return new Refusal("migration.running", $"The guest is being sent to {other.To} already.", "Cancel that, or wait for its end.");
            sending = _now = new Sending(guest, mirror, _qmp, parts, record, to);
        }

        _ = RunAsync(sending);
        return await sending.Ready.WaitAsync(ct);
    }

    private async Task RunAsync(Sending sending)
    {
        await sending.RunAsync();
        lock (_gate) _now = null;
        await sending.SettleAsync();
    }

    public async Task<Outcome<SourceEnd>> SwitchAsync(CancellationToken ct)
    {
        if (_now is not { } sending || !sending.Switch())
            return new Refusal("migration.failed", "No sending waits here for its switch.", "The guest goes on here, or is started anew.");
        return await sending.Over.WaitAsync(ct);
    }

    public async Task CancelAsync(CancellationToken ct)
    {
        if (_now is not { } sending) return;
        sending.Cancel();
        await sending.Settled.WaitAsync(ct);
    }

    /// <summary>Lets go; the next agent run ends what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_now is not { } sending) return;
        sending.LetGo();
        await sending.Settled;
    }
}
