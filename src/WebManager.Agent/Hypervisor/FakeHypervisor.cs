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
public sealed class FakeHypervisor(Accelerator accelerator, IGuestProcesses processes, TimeProvider clock) : IHypervisor
{
    public HypervisorKind Kind => HypervisorKind.Fake;
    public string Version => accelerator.Version;
    public string? Note => accelerator.Note;

    public async Task<Outcome<IGuest>> StartAsync(GuestStart start, CancellationToken ct)
    {
        Directory.CreateDirectory(start.Folder);
        var pipe = FakeGuest.PipeOf(start.Folder);
        File.Delete(pipe);
        var made = await Programs.RunAsync("mkfifo", [pipe], ct);
        if (!made.Ok) return new Refusal("guest.start-failed", made.Why);
        var pid = await processes.SpawnAsync(new SpawnRequest(QemuHypervisor.ProcessId(start.Guest.Instance), ["cat", pipe],
            Path.Combine(start.Folder, "qemu.log"), DieWithKeeper: true, start.Record), ct);
        if (!pid.Ok) return pid.Refusal;
        var guest = new FakeGuest(start, pid.Value, new GuestRun(pid.Value, clock.GetUtcNow()), clock);
        guest.Boot();
        return guest;
    }

    public Task<IGuest?> AdoptAsync(GuestStart start, int pid, CancellationToken ct)
    {
        var run = GuestRun.Read(FakeGuest.RunFileOf(start.Folder));
        return Task.FromResult<IGuest?>(run?.Pid == pid && ProcessFiles.Alive(pid) ? new FakeGuest(start, pid, run, clock) : null);
    }
}
