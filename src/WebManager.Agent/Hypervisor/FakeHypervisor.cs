// Where QEMU is missing, and for operations at scale: a placeholder process per guest, so that the keeper kills, reaps and leases as ever.
using WebManager.Agent.Keeper;
using WebManager.Agent.Storage;
using WebManager.Contracts;
using WebManager.Contracts.Agent;

namespace WebManager.Agent.Hypervisor;

/// <summary>
/// Pretended guests. The process is "cat" on a named pipe: it ends with code 0 when the power button opens and closes the pipe, as a
/// guest that powers itself off would. Copies are pretended too: a resync is done at once.
/// </summary>
public sealed class FakeHypervisor(Accelerator accelerator, IGuestProcesses processes, TimeProvider clock, HypervisorOptions options) : IHypervisor
{
    public HypervisorKind Kind => HypervisorKind.Fake;
    public string Version => accelerator.Version;
    public string? Note => accelerator.Note;

    public async Task<Outcome<IGuest>> StartAsync(GuestStart start, CancellationToken ct)
    {
        var pid = await SpawnAsync(start, QemuHypervisor.ProcessId(start.Guest.Instance), start.Record, ct);
        if (!pid.Ok) return pid.Refusal;
        var guest = new FakeGuest(start, pid.Value, new GuestRun(pid.Value, clock.GetUtcNow()), clock);
        guest.Boot();
        return guest;
    }

    private async Task<Outcome<int>> SpawnAsync(GuestStart start, string id, GenerationRecord? record, CancellationToken ct)
    {
        Directory.CreateDirectory(start.Folder);
        var pipe = FakeGuest.PipeOf(start.Folder);
        File.Delete(pipe);
        var made = await Programs.RunAsync("mkfifo", [pipe], ct);
        if (!made.Ok) return new Refusal("guest.start-failed", made.Why);
        return await processes.SpawnAsync(new SpawnRequest(id, ["cat", pipe], Path.Combine(start.Folder, "qemu.log"), DieWithKeeper: true, record), ct);
    }

    public async Task<Outcome<IIncomingGuest>> ReceiveAsync(GuestStart start, CancellationToken ct)
    {
        var id = QemuHypervisor.IncomingId(start.Guest.Instance);
        var pid = await SpawnAsync(start, id, null, ct);
        if (!pid.Ok) return pid.Refusal;
        try { return new FakeIncoming(start, pid.Value, options.MigrationHost, processes, clock); }
        catch (System.Net.Sockets.SocketException e)
        {
            await processes.KillAsync(id, CancellationToken.None);
            return new Refusal("migration.not-received", $"{options.MigrationHost}: {e.Message}", "Check the node's address.");
        }
    }

    public Task<IGuest?> AdoptAsync(GuestStart start, int pid, CancellationToken ct)
    {
        var run = GuestRun.Read(FakeGuest.RunFileOf(start.Folder));
        return Task.FromResult<IGuest?>(run?.Pid == pid && ProcessFiles.Alive(pid) ? new FakeGuest(start, pid, run, clock) : null);
    }
}
