using WebManager.Agent.Hypervisor;
using WebManager.Agent.Keeper;
using WebManager.Agent.Rules;
using WebManager.Agent.State;
using WebManager.Contracts;
using WebManager.Contracts.Agent;
using WebManager.Agent.Storage;

namespace WebManager.Agent.Node;

/// <summary>
/// Finds again what a former run of the agent left: records from disk, processes from the keeper, monitors by their sockets. Beats wait
/// until the first two are known, so that nobody is told "no guest" of a guest not yet found.
/// </summary>
public sealed class Recovery(InstanceTable table, InstanceFiles files, NodeFolder folder, IDisks disks, IReplicas replicas, IKeeper keeper, IHypervisor hypervisor,
    NodeRules rules, Generations generations, CopyOrders copies, GuestWatch watch, Journal journal, TimeProvider clock, ILogger<Recovery> log)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when reports are true.</summary>
    public Task Known => _known.Task;

    public void Begin()
    {
        table.Load(files, disks);
        ForgetAfterReboot();
        watch.Attach();
        keeper.Connected += status => watch.InBackground("recovery", () => TakeOverAsync(status));
    }

    /// <summary>R2: what a power loss left of a copy is compared before it counts, whatever was written down of it before.</summary>
    private void ForgetAfterReboot()
    {
        var boot = ProcFacts.BootId().ToString();
        if (File.Exists(folder.Boot) && File.ReadAllText(folder.Boot) == boot) return;
        foreach (var unit in table.All.Where(u => u.Stored.Holds is not null))
        {
            unit.Stored = unit.Stored with { Holds = null };
            files.Write(unit.Id, unit.Stored);
        }

        DurableFile.Write(folder.Boot, System.Text.Encoding.ASCII.GetBytes(boot));
    }

    /// <summary>Once for each keeper that answers: at our start, and when a killed keeper was replaced.</summary>
    private async Task TakeOverAsync(KeeperStatus status)
    {
        var ended = await watch.ReconcileAsync(status);
        var exports = status.Live.Select(l => l.Id).Where(id => id.StartsWith("export:", StringComparison.Ordinal)).ToHashSet();
        var waiting = status.Live.Select(l => l.Id).Where(id => id.StartsWith("incoming:", StringComparison.Ordinal)).ToHashSet();
        var killed = 0;
        foreach (var unit in table.All)
        {
            if (exports.Contains($"export:{unit.Id}")) await replicas.AdoptAsync(unit.Id, CancellationToken.None);
            unit.OpenExport = replicas.OpenGeneration(unit.Id);
            unit.IncomingLeft = waiting.Contains(unit.IncomingId);
            var acts = rules.Recover(unit.Stored, unit.Facts());
            if (acts.HasFlag(NodeActs.KillGuest)) killed++;
            if (acts != NodeActs.None) await InLane.RunAsync<Done>(unit, u => generations.ActAsync(u, acts, CancellationToken.None), CancellationToken.None);
            if (unit.Stored.Promised != 0 && unit.Running is { Sync: SyncState.Alone } running && unit.Stored.Promised == running.Number)
                await keeper.PromiseAsync(running, CancellationToken.None);
            table.Publish(unit);
            if (unit is { Pid: { } pid, Guest: null, Start: { } start }) watch.InBackground("adoption", () => AdoptAsync(unit, start, pid));
        }

        log.Recovered(table.All.Count(), table.All.Count(u => u.Pid is not null), ended, killed, journal.Unfinished);
        _known.TrySetResult();
    }

    private async Task AdoptAsync(InstanceUnit unit, StartNote start, int pid)
    {
        var note = new GuestStart(start.Guest, folder.Instance(unit.Id), unit.Running ?? start.Record, start.Replica);
        for (var tries = 0; unit.Pid == pid && unit.Guest is null && !table.Left; tries++)
        {
            // One that stands still answers nothing; it is known to, and its monitor is asked once it goes on.
            if (!unit.Halted && await hypervisor.AdoptAsync(note, pid, CancellationToken.None) is { } guest)
            {
                watch.Watch(unit, guest);
                if (guest.Left)
                {
                    // Its target may be told to go on at any time.
                    await InLane.RunAsync<Done>(unit, u => u.Pid == pid ? generations.KillAsync(u, CancellationToken.None) : Task.FromResult<Outcome<Done>>(Done.Value), CancellationToken.None);
                    return;
                }

                await FinishPromiseAsync(unit, guest);
                return;
            }

            if (tries == 8 && !unit.Halted) log.NotAdopted(unit.Id, pid);
            await Task.Delay(Between, clock);
        }
    }

    /// <summary>The former run died in the pause at the end of a copy: the guest writes both copies, but goes on only once that is promised.</summary>
    private async Task FinishPromiseAsync(InstanceUnit unit, IGuest guest)
    {
        if (guest is not { Mirror: MirrorPhase.Promised, Phase: GuestPhase.Paused } || unit.Running is not { } record) return;
        await copies.PromiseAsync(unit, record, CancellationToken.None);
        await guest.ContinueAsync(CancellationToken.None);
        table.Publish(unit);
    }
}
