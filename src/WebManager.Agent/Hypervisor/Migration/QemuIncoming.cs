// The target's half of a live migration: a QEMU that takes in a guest, and becomes its process when it is told to.
using System.Globalization;
using System.Net.Sockets;
using WebManager.Agent.Hypervisor.Qmp;
using WebManager.Agent.Keeper;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor.Migration;

public sealed class QemuIncoming : IIncomingGuest
{
    private readonly GuestStart _start;
    private readonly GuestParts _parts;
    private readonly IGuestProcesses _processes;
    private readonly TaskCompletionSource _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QmpClient? _qmp;
    private SerialPort? _serial;

    private QemuIncoming(GuestStart start, int pid, GuestParts parts, IGuestProcesses processes) => (_start, Pid, _parts, _processes) = (start, pid, parts, processes);

    public Guid Instance => _start.Guest.Instance;
    public int Pid { get; }
    public long Generation => _start.Record!.Number;
    public MigrationAddress Address { get; private set; } = new("", 0);
    public Task Whole => _whole.Task;
    public MigrationReport Report => new(MigrationPhase.Receiving, Generation, _whole.Task.IsCompletedSuccessfully ? 100 : 0, 0);

    /// <summary>CPU time: a QEMU that only waits uses none, and says nothing of what it has received.</summary>
    public long Progress => ProcessFiles.CpuTicks(Pid);

    /// <summary>Connects to a process that was just spawned; its console is read before the guest could print anything. On a refusal it is gone.</summary>
    public static async Task<Outcome<IIncomingGuest>> BeginAsync(GuestStart start, int pid, GuestParts parts, IGuestProcesses processes, CancellationToken ct)
    {
        var incoming = new QemuIncoming(start, pid, parts, processes);
        try
        {
            return await incoming.ListenAsync(ct) ? incoming : await incoming.FailedAsync("QEMU ended at once.");
        }
        catch (Exception e) when (e is TimeoutException or IOException or SocketException or QmpException)
        {
            return await incoming.FailedAsync(e.Message);
        }
        catch (OperationCanceledException)
        {
            await incoming.FailedAsync("Cancelled.");
            throw;
        }
    }

    private async Task<bool> ListenAsync(CancellationToken ct)
    {
        _qmp = await QmpSockets.ConnectAsync(_parts.Paths.Qmp, _parts.Options.StartLimit, () => !ProcessFiles.Alive(Pid), Hear, _parts.Clock, ct);
        if (_qmp is null) return false;
        _serial = await SerialPort.ConnectAsync(_parts.Paths.Serial, _parts.Paths.SerialLog, new SerialFan(_parts.Clock), ct);
        var port = await new MigrationQmp(_qmp).ListenAsync(_parts.Options.MigrationHost, _parts.Tls is not null, ct);
        Address = new MigrationAddress(_parts.Options.MigrationHost, port);
        return true;
    }

    private void Hear(QmpEvent report)
    {
        if (report.Name == "MIGRATION" && report.Text("status") == "completed") _whole.TrySetResult();
    }

    public async Task<Outcome<IGuest>> TakeOverAsync(GuestStart start, CancellationToken ct)
    {
        // The sockets first: were the agent to end behind the next line, the process would be found by them.
        var parts = _parts with { Paths = _parts.Paths.Settle() };
        var became = await _processes.BecomeAsync(QemuHypervisor.IncomingId(Instance), QemuHypervisor.ProcessId(Instance), start.Record!, ct);
        if (!became.Ok)
        {
            await EndAsync();
            return became.Refusal;
        }

        var guest = new QemuGuest(start, Pid, parts, parts.Clock.GetUtcNow());
        var begun = parts.Clock.GetTimestamp();
        try
        {
            _qmp!.Event += guest.Take;
            guest.Attach(_qmp, _serial!);
            await guest.TakeOverAsync(ct);
            parts.Log.GuestTakenOver(Instance, Pid, (long)parts.Clock.GetElapsedTime(begun).TotalMilliseconds);
            return guest;
        }
        catch (Exception e) when (e is TimeoutException or IOException or SocketException or QmpException)
        {
            await guest.DisposeAsync();
            await _processes.KillAsync(QemuHypervisor.ProcessId(Instance), CancellationToken.None);
            return new Refusal("guest.start-failed", $"{e.Message} {Programs.Tail(parts.Paths.QemuLog, 2)}".Trim(), "Start it anew; nothing that it acknowledged is lost.");
        }
    }

    private async Task<Refusal> FailedAsync(string why)
    {
        await EndAsync();
        return new Refusal("migration.not-received", $"{why} {Programs.Tail(_parts.Paths.QemuLog, 2)}".Trim(), "Look at the guest's qemu.log on the target.");
    }

    private async Task EndAsync()
    {
        await DisposeAsync();
        await _processes.KillAsync(QemuHypervisor.IncomingId(Instance), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_serial is not null) await _serial.DisposeAsync();
        if (_qmp is not null) await _qmp.DisposeAsync();
    }
}
